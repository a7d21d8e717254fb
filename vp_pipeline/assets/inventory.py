"""Whether the lake, the warehouse and Dagster's records hold the same days of a stream: they do not after a backup was
restored, or a folder deleted.

Here: the comparison, and what it means for people. Not here: loading what RAW misses (`assets/raw.py`).
"""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import date

import dagster as dg

from vp_pipeline.assets.keys import bronze_key, raw_key, silver_key
from vp_pipeline.failures import remedies
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import consecutive, parse_days, span
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.loads import loaded_days
from vp_pipeline.warehouse.missing_days import days_in_silver, missing_days

CHECK = "same_days"
DESCRIPTION = "The lake, RAW and Dagster's records hold the same days of the stream (a warning). " + remedies.runbook(
    CHECK
)
_RANGES = 4

Days = Set[date]


@dataclass(frozen=True)
class Inventory:
    """The days of a stream in each place: in the lake, in the warehouse, and those that Dagster has recorded of each
    layer (`recorded_…`). `missing`: those that RAW does not hold as silver does."""

    bronze: Days
    silver: Days
    raw: Days
    missing: Days
    recorded_bronze: Days
    recorded_silver: Days
    recorded_raw: Days


# What differs, and what it means: {days} is replaced by them, {first} and {last} by the first and the last of them.
_DIFFERENCES: tuple[tuple[Callable[[Inventory], Days], str], ...] = (
    (
        lambda i: i.missing,
        "RAW did not hold {days} as silver does: this run loads them from silver, unless a check of theirs has failed.",
    ),
    (
        lambda i: i.raw - i.silver,
        "RAW has rows of {days}, and silver has not: they stay as they are, but cannot be loaded again. Restore the "
        "lake's silver, or run `vp run --from {first} --to {last}`.",
    ),
    (
        lambda i: i.silver - i.bronze,
        "Silver has {days}, and bronze has not: a changed decoder cannot decode them again. Restore the lake's bronze.",
    ),
    (
        lambda i: (i.recorded_bronze - i.bronze) | (i.recorded_silver - i.silver - i.raw),
        "Dagster shows {days} as materialized, and the lake does not hold them. Restore the lake; days that the source "
        "still answers come with `vp run --from {first} --to {last}`.",
    ),
    (
        lambda i: (i.bronze - i.recorded_bronze) | (i.silver - i.recorded_silver) | (i.raw - i.recorded_raw),
        "Dagster has no record of {days}, which are there. `vp run --from {first} --to {last}` records them, and "
        "requests nothing again.",
    ),
)


def same_days_spec(key: dg.AssetKey, partitions: dg.PartitionsDefinition) -> dg.AssetCheckSpec:
    """The spec of the check, of the first table of a stream."""
    return dg.AssetCheckSpec(CHECK, asset=key, description=DESCRIPTION, blocking=True, partitions_def=partitions)


def take_inventory(instance: dg.DagsterInstance, connection: Connection, lake: Lake, stream: Stream) -> Inventory:
    """The inventory of a stream, before the run loads anything."""

    def recorded(key: dg.AssetKey) -> set[date]:
        return set(parse_days(instance.get_materialized_partitions(key)))

    first = stream.tables[0]  # a day of a stream is written as a whole, so one table stands for all of them
    silver = days_in_silver(lake, stream)
    return Inventory(
        bronze=set(bronze.days(lake, stream)),
        silver=silver,
        raw=loaded_days(connection, first),
        missing=missing_days(connection, lake, stream, silver),
        recorded_bronze=recorded(bronze_key(stream)),
        recorded_silver=recorded(silver_key(first)),
        recorded_raw=recorded(raw_key(first)),
    )


def same_days(name: str, found: Inventory, own: Iterable[date]) -> Outcome:
    """The outcome of the comparison for the stream `name`; the days of the run, `own`, are left out: they are being
    made."""
    excluded = set(own)
    sentences = []
    for differing, text in _DIFFERENCES:
        if days := sorted(differing(found) - excluded):
            sentences.append(text.format(days=_listed(days), first=days[0], last=days[-1]))
    if not sentences:
        return Outcome(CHECK, True, f"{name}: lake, RAW and Dagster's records hold the same {len(found.raw)} days.")
    return Outcome(CHECK, False, f"{name}: {' '.join(sentences)}", warning=True)


def _listed(days: list[date]) -> str:
    ranges = [span(part) for part in consecutive(days)]
    more = f" and {len(ranges) - _RANGES} more ranges" if len(ranges) > _RANGES else ""
    count = "1 day" if len(days) == 1 else f"{len(days)} days"
    return f"{count} ({', '.join(ranges[:_RANGES])}{more})"
