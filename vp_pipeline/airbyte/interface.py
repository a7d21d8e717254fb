"""A sync as the graph knows it, whoever makes it.

Here: what the Airbyte assets ask of an environment's Airbyte, and the replay rule. Not here: how a sync is made
(`local.py`, `remote.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.sources.source import Source, Stream

Log = Callable[[str], None]


@dataclass(frozen=True)
class Sync:
    """A finished sync. `reused`: why no new one was made, or None."""

    record: SyncRecord
    reused: str | None


class Airbyte(Protocol):
    """The Airbyte of an environment."""

    def sync(
        self, source: Source, stream: Stream, run_date: date, *, resync: bool = False, log: Log | None = None
    ) -> Sync:
        """One finished sync of a partition: the one that is there, or a new one.

        A finished sync that asked the same question of the same origin is used again, so that re-running a day
        changes nothing and costs no tokens; `resync` asks again all the same.

        Raises:
            PermanentError: the vendor tells only the present and the day has no bronze; or the sync was rejected.
            TransientError: the sync failed in a way that trying again may mend.
        """
        ...


def kept_for_the_past(stream: Stream, run_date: date, newest: date, existing: SyncRecord | None) -> Sync | None:
    """What a stream that tells only the present has of a past day; None: the day may be asked for.

    Raises:
        PermanentError: it has nothing. Today's answer is never filed under a past day.
    """
    if stream.replay != "snapshot" or run_date == newest:
        return None
    if existing is not None:
        return Sync(existing, reused=f"{stream.source} cannot be asked for a past day any more")
    raise PermanentError(
        f"{stream.source} tells only the present, so {stream.source}/{stream.name} can be synced for {newest} (the "
        f"newest finished day) but not for {run_date}, and that day has no bronze. Today's answer is never filed "
        "under a past day. Choose a day that was synced at the time, or run without the key to try the day on the "
        "sandbox."
    )
