"""The gate of a written table: do its rows satisfy the contract that they were decoded under?

Here: schema, ranges, the natural key of a whole partition, and what was quarantined, as outcomes. Not here: the rules
themselves (`sources/enforce.py`, which the decoders use too), and conservation (`outcome.py`).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from vp_pipeline.failures import remedies
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import DUPLICATES_WARN, FEW, QUARANTINE
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.landed import Decoded

if TYPE_CHECKING:
    import pyarrow as pa

_NAMED = 5


def keeps_contract(what: str, table: Table, rows: "pa.Table") -> Outcome:
    """Whether rows, read back or about to be loaded, are what the table's contract promises.

    `what` names the partition in the description. Silver has separated invalid rows from valid ones before: a failure
    here means that a file was changed or that decoder and contract disagree, not that the vendor sent something odd.
    """
    breaches = breaches_of(table, rows)
    if not breaches:
        return Outcome("contract", True, f"{what}: {rows.num_rows:,} rows satisfy the contract.")
    named = "; ".join(f"{reason} ({count:,}×)" for reason, count in breaches.most_common(_NAMED))
    more = f"; and {len(breaches) - _NAMED} more kinds" if len(breaches) > _NAMED else ""
    return Outcome(
        "contract",
        False,
        f"{what}: the rows violate the contract of {table.raw_name}: {named}{more}.",
        metadata={"breaches": breaches.total(), "rows": rows.num_rows},
    )


def duplicates(what: str, table: Decoded) -> Outcome:
    """A warning where many records arrived more than once."""
    share = table.duplicates / table.records_in if table.records_in else 0.0
    description = f"{what}: {table.duplicates:,} of {table.records_in:,} records arrived twice ({share:.1%})."
    metadata = {"duplicates": table.duplicates, "records_in": table.records_in}
    passed = share <= DUPLICATES_WARN
    return Outcome("duplicates", passed, description, warning=not passed, metadata=metadata)


def quarantine(what: str, day: date, table: Decoded, of_day: Iterable[Decoded]) -> Outcome:
    """Whether records of a table violate the contract; a warning, unless too many do or the day has no rows at all.

    `of_day`: all tables of the stream and day. Responses from which not one row was decoded are not a day, as when an
    API responds to every request with an error.
    """
    reasons = Counter(row.reason for row in table.quarantined)
    named = "; ".join(f"{reason} ({count:,}×)" for reason, count in reasons.most_common(_NAMED))
    metadata = {"quarantined": len(table.quarantined)}
    if table.quarantined and not any(decoded.rows.num_rows for decoded in of_day):
        return Outcome(
            "quarantine",
            False,
            f"{what}: not one row was decoded from the day's records: {named}. {_look(day, table)} If the responses "
            f"are wrong, request the day again: {remedies.resync(day)}.",
            metadata=metadata,
        )
    share = len(table.quarantined) / table.records_in if table.records_in else 0.0
    if share > QUARANTINE.warn:
        count = f"{len(table.quarantined):,} of {table.records_in:,}"
        description = f"{what}: {count} records are in quarantine: {named}."
        blocks = len(table.quarantined) >= FEW and share > QUARANTINE.block
        if blocks:
            description += (
                f" With more than {QUARANTINE.block:.0%} of them missing, the rest does not represent the market. "
                f"{_look(day, table)} If the responses are wrong, request the day again: {remedies.resync(day)}. To "
                f"build the day from the others: {remedies.waive(day, 'quarantine')}."
            )
        return Outcome("quarantine", False, description, warning=not blocks, metadata=metadata)
    return Outcome("quarantine", True, f"{what}: nothing is in quarantine.", metadata=metadata)


def _look(day: date, table: Decoded) -> str:
    return f"{remedies.show_quarantine(day, table.table.name)} lists them."


def breaches_of(table: Table, rows: "pa.Table") -> Counter[str]:
    """How often each rule is violated; empty: never. A wrong schema is reported alone: no other rule can be checked."""
    from vp_pipeline.sources.enforce import enforce  # deferred: it imports Arrow

    differences = _schema_differences(table, rows.schema)
    if differences:
        return Counter(differences)
    breaches = Counter(reason for _, reason in enforce(table, rows)[1])
    repeated = rows.num_rows - rows.group_by(list(table.natural_key)).aggregate([]).num_rows
    if repeated:
        breaches[f"rows repeat the natural key ({', '.join(table.natural_key)})"] = repeated
    return breaches


def _schema_differences(table: Table, schema: "pa.Schema") -> list[str]:
    found = {field.name: field.type for field in schema}
    names = [column.name for column in table.columns]
    differences = [f"column {name} is not in the contract" for name in found if name not in names]
    for column in table.columns:
        if column.name not in found:
            differences.append(f"column {column.name} is missing")
        elif found[column.name] != column.type.arrow:
            differences.append(f"column {column.name} is {found[column.name]} instead of {column.type.arrow}")
    if not differences and list(found) != names:
        differences.append(f"columns are in the order {', '.join(found)}")
    return differences
