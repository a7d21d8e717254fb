"""The gate of a written table: do its rows still keep the contract that they were decoded under?

Here: schema, ranges, the natural key of a whole partition, and what was quarantined, as outcomes. Not here: the rules
themselves (`sources/enforce.py`, which the decoders use too), and conservation (`outcome.py`).
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import DUPLICATES_WARN, FEW, QUARANTINE
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.landed import Decoded

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 5


def keeps_contract(what: str, table: Table, rows: "pa.Table") -> Outcome:
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


def duplicates(what: str, table: Decoded) -> Outcome:
    """A warning where many records came more than once."""
    share = table.duplicates / table.records_in if table.records_in else 0.0
    said = f"{what}: {table.duplicates:,} of {table.records_in:,} records came twice ({share:.1%})."
    metadata = {"duplicates": table.duplicates, "records_in": table.records_in}
    passed = share <= DUPLICATES_WARN
    return Outcome("duplicates", passed, said, warning=not passed, metadata=metadata)


def quarantine(what: str, table: Decoded, day: Iterable[Decoded]) -> Outcome:
    """Whether records of a table broke the contract; a warning, unless too many did or nothing at all came of the day.

    `day`: all tables of the stream and day. Answers from which not one row came are no day, as when an API answers
    every question with an error.
    """
    reasons = Counter(row.reason for row in table.quarantined)
    told = "; ".join(f"{reason} ({count:,}×)" for reason, count in reasons.most_common(_SHOWN))
    metadata = {"quarantined": len(table.quarantined)}
    if table.quarantined and not any(decoded.rows.num_rows for decoded in day):
        return Outcome(
            "quarantine", False, f"{what}: not one row came of the day's records: {told}.", metadata=metadata
        )
    share = len(table.quarantined) / table.records_in if table.records_in else 0.0
    if share > QUARANTINE.warn:
        said = f"{what}: {len(table.quarantined):,} of {table.records_in:,} records are in quarantine: {told}."
        blocks = len(table.quarantined) >= FEW and share > QUARANTINE.block
        if blocks:
            said += (
                f" More than {QUARANTINE.block:.0%}: the rest would not be the market. `vp quarantine show` has them."
            )
        return Outcome("quarantine", False, said, warning=not blocks, metadata=metadata)
    return Outcome("quarantine", True, f"{what}: nothing is in quarantine.", metadata=metadata)


def breaches_of(table: Table, rows: "pa.Table") -> Counter[str]:
    """How often each rule is broken; empty: never. A wrong schema is told alone: nothing else can be looked at."""
    from vp_pipeline.sources.enforce import enforce  # brings Arrow, which the code location need not load

    differences = _schema_differences(table, rows.schema)
    if differences:
        return Counter(differences)
    breaches = Counter(reason for _, reason in enforce(table, rows)[1])
    repeated = rows.num_rows - rows.group_by(list(table.natural_key)).aggregate([]).num_rows
    if repeated:
        breaches[f"rows repeat the natural key ({', '.join(table.natural_key)})"] = repeated
    return breaches


def _schema_differences(table: Table, schema: "pa.Schema") -> list[str]:
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
