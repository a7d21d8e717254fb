"""Whether the lake, the warehouse and Dagster's records hold the same days of a stream: they do not after a backup was
restored, or a folder deleted.

Here: the comparison, and what it means for people. Not here: loading what RAW misses (`assets/raw.py`).
"""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import date

from vp_pipeline.partitions import consecutive
from vp_pipeline.quality.outcome import Outcome

CHECK = "same_days"
DESCRIPTION = "The lake, RAW and Dagster's records hold the same days of the stream (a warning)."
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
    ranges = [f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in consecutive(days)]
    more = f" and {len(ranges) - _RANGES} more ranges" if len(ranges) > _RANGES else ""
    count = "1 day" if len(days) == 1 else f"{len(days)} days"
    return f"{count} ({', '.join(ranges[:_RANGES])}{more})"
