"""Whether a day has about as many rows as the days before it.

Here: the comparison. Not here: the limits (`thresholds.py`), and reading earlier days (`lake/`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from vp_pipeline.failures import remedies
from vp_pipeline.lake.manifests import BronzeManifest
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import FEW, VOLUME, VOLUME_AT_LEAST, VOLUME_DAYS_AT_LEAST
from vp_pipeline.sources.source import ReplayMode

CHECK = "volume"


@dataclass(frozen=True)
class Volume:
    """What a day has: of a table its rows, and the records that they were decoded from; of a stream its records alone
    (None)."""

    rows: int
    records: int | None = None

    @property
    def rows_per_record(self) -> float:
        """Of a stream: its records."""
        if self.records is None:
            return float(self.rows)
        return self.rows / self.records if self.records else 0.0


@dataclass(frozen=True)
class Volumes:
    """What a table has of a day: of the entities whose whole history was requested, and of those of which the last days
    were. None: there are none."""

    whole: Volume | None
    recent: Volume | None


def volumes(manifest: BronzeManifest, rows: int, recent_rows: int) -> Volumes:
    """What a table has of a day with `rows`, `recent_rows` of them of entities of which the last days were requested.

    Where it is known what was requested, that many records are expected, whatever landed.
    """
    request = manifest.sync.request
    if request is None or not request.recent:
        requested = len(request.entities) if request else 0
        return Volumes(Volume(rows, requested or manifest.records), None)
    whole = len(request.entities) - len(request.recent)
    return Volumes(Volume(rows - recent_rows, whole) if whole else None, Volume(recent_rows, len(request.recent)))


def like_with_like(
    what: str,
    day: date,
    replay: ReplayMode,
    today: Volumes,
    earlier: Sequence[Volumes],
    cause: Outcome | None = None,
) -> Outcome:
    """The worse outcome of two: whole histories compared with whole ones, and last days with last days (as a window).

    A few whole histories beside the others are each day those of other products: nothing is decided by them.
    """
    outcomes = []
    if today.recent is not None:
        recent = [each.recent for each in earlier if each.recent is not None]
        outcomes.append(volume(f"{what}, of last days", day, "window", today.recent, recent, cause))
    if today.whole is not None and (today.recent is None or (today.whole.records or 0) >= FEW):
        whole = [each.whole for each in earlier if each.whole is not None]
        name = what if today.recent is None else f"{what}, of whole histories"
        outcomes.append(volume(name, day, replay, today.whole, whole, cause))
    return min(outcomes, key=lambda outcome: (not outcome.blocks, outcome.passed))


def volume(
    what: str,
    day: date,
    replay: ReplayMode,
    today: Volume,
    recent: Sequence[Volume],
    cause: Outcome | None = None,
) -> Outcome:
    """Blocks when both the rows and the rows per record are far below the median of recent days; of a stream, when its
    records are.

    Both, because lists of products change: a longer one adds products with short histories (fewer rows per record, more
    rows), a shorter one has fewer rows and as many per record. Only missing data lowers both.

    `cause`: a check of the day that blocks, because of what is missing. One cause is one failure, so this one
    warns, and only where a person has waived that one.
    """
    unit = "records" if today.records is None else "rows"
    metadata: dict[str, object] = {unit: today.rows, "days_compared": len(recent)}
    count = f"{what}: {today.rows:,} {unit}"
    if len(recent) < VOLUME_DAYS_AT_LEAST:
        few = f"fewer than {VOLUME_DAYS_AT_LEAST} days before it to compare with"
        return Outcome(CHECK, True, f"{count}; {few}.", metadata=metadata)
    usual = median(earlier.rows for earlier in recent)
    metadata |= {f"usual_{unit}": usual}
    if usual < VOLUME_AT_LEAST[unit]:
        few = f"usually {usual:,.0f}, too few to compare with"
        return Outcome(CHECK, True, f"{count}; {few}.", metadata=metadata)
    shares = [today.rows / usual]
    compared = f"{count}, {_percent(shares[0])} of the usual {usual:,.0f} (median of {len(recent)} days before)"
    metadata |= {f"share_of_usual_{unit}": shares[0]}
    if today.records is not None:
        usual_per_record = median(earlier.rows_per_record for earlier in recent)
        shares.append(today.rows_per_record / usual_per_record)
        share_per_record = f"{_percent(shares[1])} of the usual {usual_per_record:,.1f}"
        compared += f"; {today.rows_per_record:,.1f} rows per record, {share_per_record}"
        metadata |= {"records": today.records, "share_of_usual_rows_per_record": shares[1]}
    limits, share = VOLUME[replay], max(shares)
    if share < limits.block and cause is not None:
        description = f"{compared}. The check {cause.check} has failed because of what is missing."
        return Outcome(CHECK, False, description, warning=True, metadata=metadata, is_consequence=True)
    if share < limits.block:
        both = " of both" if len(shares) > 1 else ""
        description = (
            f"{compared}. Less than {limits.block:.0%}{both} is treated as data loss. Look at the vendor's responses. "
            f"If something is missing in them, request the day again: {remedies.resync(day)}. If they are "
            f"complete: {remedies.waive(day, CHECK)}."
        )
        return Outcome(CHECK, False, description, metadata=metadata)
    if share < limits.warn:
        return Outcome(CHECK, False, f"{compared}.", warning=True, metadata=metadata)
    return Outcome(CHECK, True, f"{compared}.", metadata=metadata)


def _percent(share: float) -> str:
    """With a digit more where whole percents would hide the difference: 1.7%, 21%."""
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"
