"""Whether a day has about as many rows as the days before it.

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
    """Rows of a table on a day, and the records that they were decoded from (1: of a stream, whose rows are those)."""

    rows: int
    records: int = 1

    @property
    def rows_per_record(self) -> float:
        return self.rows / self.records if self.records else 0.0


def volume(what: str, replay: ReplayMode, today: Volume, recent: Sequence[Volume]) -> Outcome:
    """Blocks when both the rows and the rows per record are far below the median of recent days.

    Both, because lists of products change: a longer one adds products with short histories (fewer rows per record, more
    rows), a shorter one has fewer rows and as many per record. Only missing data lowers both.
    """
    metadata: dict[str, object] = {"rows": today.rows, "records": today.records, "days_compared": len(recent)}
    rows = f"{what}: {today.rows:,} rows"
    if len(recent) < VOLUME_DAYS_AT_LEAST:
        few = f"fewer than {VOLUME_DAYS_AT_LEAST} days before it to compare with"
        return Outcome("volume", True, f"{rows}; {few}.", metadata=metadata)
    usual = median(day.rows for day in recent)
    usual_per_record = median(day.rows_per_record for day in recent)
    metadata |= {"usual_rows": usual}
    if usual < VOLUME_ROWS_AT_LEAST:
        few = f"usually {usual:,.0f}, too few to compare with"
        return Outcome("volume", True, f"{rows}; {few}.", metadata=metadata)
    share = max(today.rows / usual, today.rows_per_record / usual_per_record)
    metadata |= {"share_of_usual": share}
    compared = f"{rows}, {share:.0%} of the usual {usual:,.0f} (median of {len(recent)} days before)"
    limits = VOLUME[replay]
    if share < limits.block:
        remedy = (
            "Look at the vendor's responses: if they are complete, run the day with `--waive volume`, "
            "if not, with `--resync`."
        )
        description = f"{compared}: less than {limits.block:.0%} is treated as data loss. {remedy}"
        return Outcome("volume", False, description, metadata=metadata)
    if share < limits.warn:
        return Outcome("volume", False, f"{compared}.", warning=True, metadata=metadata)
    return Outcome("volume", True, f"{compared}.", metadata=metadata)
