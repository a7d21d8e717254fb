"""The gate of a written table: do its rows still keep the contract that they were decoded under?

Here: schema, ranges, and the natural key of a whole partition, as an outcome. Not here: the rules themselves
(`sources/enforce.py`, which the decoders use too), and conservation (`outcome.py`).
"""

from collections import Counter

import pyarrow as pa

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import enforce

_SHOWN = 5


def keeps_contract(what: str, table: Table, rows: pa.Table) -> Outcome:
    """Whether rows, read back or about to be loaded, are what the table's contract promises.

    `what` names the partition in the description. Silver has parted invalid rows from valid ones before: a failure here
    means that a file was changed or that decoder and contract disagree, not that the vendor sent something odd.
    """
    breaches = breaches_of(table, rows)
    if not breaches:
        return Outcome("contract", True, f"{what}: {rows.num_rows:,} rows keep the contract.")
    told = "; ".join(f"{reason} ({count:,}×)" for reason, count in breaches.most_common(_SHOWN))
    more = f"; and {len(breaches) - _SHOWN} more kinds" if len(breaches) > _SHOWN else ""
    return Outcome(
        "contract",
        False,
        f"{what}: the rows break the contract of {table.raw_name}: {told}{more}.",
        metadata={"breaches": breaches.total(), "rows": rows.num_rows},
    )


def breaches_of(table: Table, rows: pa.Table) -> Counter[str]:
    """How often each rule is broken; empty: never. A wrong schema is told alone: nothing else can be looked at."""
    differences = _schema_differences(table, rows.schema)
    if differences:
        return Counter(differences)
    breaches = Counter(reason for _, reason in enforce(table, rows)[1])
    repeated = rows.num_rows - rows.group_by(list(table.natural_key)).aggregate([]).num_rows
    if repeated:
        breaches[f"rows repeat the natural key ({', '.join(table.natural_key)})"] = repeated
    return breaches


def _schema_differences(table: Table, schema: pa.Schema) -> list[str]:
    told = {field.name: field.type for field in schema}
    names = [column.name for column in table.columns]
    differences = [f"column {name} is not in the contract" for name in told if name not in names]
    for column in table.columns:
        if column.name not in told:
            differences.append(f"column {column.name} is missing")
        elif told[column.name] != column.type.arrow:
            differences.append(f"column {column.name} is {told[column.name]} instead of {column.type.arrow}")
    if not differences and list(told) != names:
        differences.append(f"columns are in the order {', '.join(told)}")
    return differences
