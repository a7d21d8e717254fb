"""Whether the responses of a day are of that day.

Here: the outcome, by name. Not here: from when on a response is of a day (`lake/bronze.py`), and keeping out of silver
one that is not (the decoders put it in quarantine).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from vp_pipeline.failures import remedies
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import COMPLETENESS, FEW
from vp_pipeline.sources.landed import CLOCKS_APART, Received

CHECK = "timeliness"
_NAMED = 10
_HOUR = timedelta(hours=1)


def timeliness(
    what: str,
    sync: SyncRecord,
    not_before: datetime | None,
    received: Sequence[Received],
    not_after: datetime | None = None,
) -> Outcome:
    """Warns of each response that is not of the day, blocks where many are; recordings are of any moment, and reported.

    The day's responses are of `not_before` or later, and of before `not_after`; None: of any moment.
    """
    moments = {each: each.at for each in received if each.at is not None}
    if not moments:
        return Outcome(CHECK, True, f"{what}: no response has a moment to compare.")
    first, last = min(moments.values()), max(moments.values())
    span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    metadata = {"oldest": first.isoformat(), "newest": last.isoformat()}
    if sync.recorded:
        age = _age(sync.ended_at - first)
        text = f"{what}: these are recordings, of {span}, up to {age} old when they were read. They are of no day."
        return Outcome(CHECK, True, text, metadata=metadata)
    until = min(sync.ended_at + CLOCKS_APART, not_after or datetime.max.replace(tzinfo=UTC))
    others = {e: at for e, at in moments.items() if at > until or (not_before is not None and at < not_before)}
    if not others:
        return Outcome(CHECK, True, f"{what}: the responses are of {span}.", metadata=metadata)
    named = [f"{e.subject} ({at:%Y-%m-%d %H:%M} UTC, {_apart(sync, at)})" for e, at in others.items()]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    blocks = len(others) == len(moments) or (len(others) >= FEW and len(others) / len(moments) > COMPLETENESS.block)
    text = f"{what}: {len(others):,} of {len(moments):,} responses are not of the day, and so in quarantine: "
    text += f"{', '.join(named[:_NAMED])}{more}."
    if blocks:
        text += f" Request the day again: {remedies.resync(sync.run_date)}."
        if len(others) < len(moments):
            # Those that are not of the day stay in quarantine, so that check blocks as well.
            text += f" To build the day from the others: {remedies.waive(sync.run_date, CHECK, 'quarantine')}."
    return Outcome(CHECK, False, text, warning=not blocks, metadata=metadata)


def _apart(sync: SyncRecord, at: datetime) -> str:
    return f"{_age(sync.ended_at - at)} old" if at < sync.ended_at else f"{_age(at - sync.ended_at)} after the sync"


def _age(span: timedelta) -> str:
    return f"{span.days:,} days" if span.days else f"{span // _HOUR} hours"
