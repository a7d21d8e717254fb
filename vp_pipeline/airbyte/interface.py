"""What the graph needs of Airbyte, in every environment.

Here: the interface that the Airbyte assets use, and the replay rule. Not here: its implementations, `local.py` (the
connector runs in this process) and `remote.py` (an Airbyte server).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.sources.source import AirbyteSource, Stream

Log = Callable[[str], None]
# The estimate of a source that requests one entity at a time.
NOT_BILLED = "the day; the vendor does not bill by request"


@dataclass(frozen=True)
class Sync:
    """A finished sync. `reused`: why no new one was made, or None. `figures`: of a new one that requested several
    entities at once: its `requests`, the `entities` that it received, and the `tokens` that they cost."""

    record: SyncRecord
    reused: str | None
    figures: Mapping[str, int] = field(default_factory=dict)


class Airbyte(Protocol):
    """The Airbyte of an environment."""

    def sync(
        self, source: AirbyteSource, stream: Stream, run_date: date, *, resync: bool = False, log: Log | None = None
    ) -> Sync:
        """One finished sync of a partition: the existing one, or a new one.

        A finished sync that requested the same from the same origin is reused, so that re-running a day changes
        nothing and costs no tokens; `resync` requests it again all the same.

        Raises:
            PermanentError: the vendor serves only the present and the day has no bronze; or the sync was rejected.
            TransientError: the sync failed in a way that a retry may fix.
        """
        ...

    def estimate(self, source: AirbyteSource, stream: Stream, run_date: date, *, resync: bool = False) -> str:
        """What `sync` would request now, and what that costs, in words. Nothing is requested that costs anything."""
        ...


def sync_of_past_day(
    stream: Stream, run_date: date, newest: date, existing: SyncRecord | None, *, resync: bool
) -> Sync | None:
    """The existing sync of a past day, for a stream that no longer serves all of it; None: the day may be requested.

    A day of an `updated` stream is requested where it has no sync, or with `resync`: what was updated again since is in
    a later day then. Otherwise the sync that it has stays, whatever the settings are: a new one could only have less.

    Raises:
        PermanentError: the stream serves only the present, and there is none. Today's response is never filed under a
            past day.
    """
    if stream.replay == "window" or run_date == newest:
        return None
    if stream.replay == "updated":
        reason = f"{stream.source} no longer serves in {run_date} what was updated again since"
        return None if existing is None or resync else Sync(existing, reused=reason)
    if existing is not None:
        return Sync(existing, reused=f"{stream.source} no longer serves a past day")
    raise PermanentError(
        f"{stream.source} serves only the present, so {stream.source}/{stream.name} can be synced for {newest} (the "
        f"newest finished day) but not for {run_date}, and that day has no bronze. Today's response is never filed "
        "under a past day. Choose a day that was synced at the time, or run without the key to try the day on the "
        "sandbox."
    )
