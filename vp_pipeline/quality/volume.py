"""Whether a day has about as much as the days before it.

Here: the comparison. Not here: the limits (`thresholds.py`), and reading earlier days (`lake/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import VOLUME, VOLUME_DAYS_AT_LEAST, VOLUME_ROWS_AT_LEAST
from vp_pipeline.sources.source import ReplayMode


@dataclass(frozen=True)
class Volume:
    """Rows of a table on a day, and the records that they came of (1: the rows alone tell, as of a stream)."""

    rows: int
    records: int = 1

    @property
    def rows_per_record(self) -> float:
        return self.rows / self.records if self.records else 0.0


def volume(what: str, replay: ReplayMode, today: Volume, recent: Sequence[Volume]) -> Outcome:
    """Blocks when both the rows and the rows a record are far below the median of recent days.

    Both, because lists of products change: a longer one brings products with short histories (fewer rows a record, more
    rows), a shorter one fewer rows and as many a record. Only what went missing lowers both.
    """
    metadata: dict[str, object] = {"rows": today.rows, "records": today.records, "days_compared": len(recent)}
    if len(recent) < VOLUME_DAYS_AT_LEAST:
        said = f"{what}: {today.rows:,} rows; fewer than {VOLUME_DAYS_AT_LEAST} days before it to compare with."
        return Outcome("volume", True, said, metadata=metadata)
    usual = median(day.rows for day in recent)
    usual_per_record = median(day.rows_per_record for day in recent)
    metadata |= {"usual_rows": usual}
    if usual < VOLUME_ROWS_AT_LEAST:
        said = f"{what}: {today.rows:,} rows; usually {usual:,.0f}, too few to judge by."
        return Outcome("volume", True, said, metadata=metadata)
    share = max(today.rows / usual, today.rows_per_record / usual_per_record)
    metadata |= {"share_of_usual": share}
    said = f"{what}: {today.rows:,} rows, {share:.0%} of the usual {usual:,.0f} (median of {len(recent)} days before)"
    limits = VOLUME[replay]
    if share < limits.block:
        remedy = (
            "Look at what the vendor answered: if it is right, run the day with `--waive volume`, "
            "if not, with `--resync`."
        )
        return Outcome(
            "volume", False, f"{said}: less than {limits.block:.0%} is taken for loss. {remedy}", metadata=metadata
        )
    if share < limits.warn:
        return Outcome("volume", False, f"{said}.", warning=True, metadata=metadata)
    return Outcome("volume", True, f"{said}.", metadata=metadata)
