"""Taking the lease, waiting for it, keeping it.

Here: the same for every store: who waits reports for whom and since when, a heartbeat while the lease is held, and the
end of the process's work when it was lost. Not here: how a store takes it in one step (`file.py`, `row.py`).
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from vp_pipeline.failures import TransientError
from vp_pipeline.warehouse.lease.holder import Holder

Report = Callable[[str], None]
# A waiting process reports at once, and then this often: also the sign of life of a run that waits.
REPORT_SECONDS = 60.0


class Store(Protocol):
    """Where the lease is kept. Every method may be called from the thread of the heartbeat."""

    @property
    def address(self) -> str:
        """What it is the lease of; the same for every process that excludes another."""
        ...

    @property
    def retry_seconds(self) -> float:
        """How long to wait before the next try to take it."""
        ...

    @property
    def heartbeat_seconds(self) -> float | None:
        """How often its holder has to renew it; None: it is the holder's as long as the process lives."""
        ...

    def take(self, holder: Holder) -> bool:
        """Takes the lease in one step, unless another process holds it; returns whether `holder` has it now."""
        ...

    def renew(self, holder: Holder) -> bool:
        """Renews the lease and writes what is known of its holder; returns whether it is still this process's."""
        ...

    def release(self, holder: Holder) -> None:
        """Gives it back. Where it is not this process's, nothing happens."""
        ...

    def current(self) -> Holder | None:
        """Who holds it; None: nobody, or a process that is gone."""
        ...


@dataclass(frozen=True)
class Lease:
    """The lease of an environment, in a store."""

    store: Store

    @contextmanager
    def hold(self, holder: Holder, report: Report) -> Iterator[None]:
        """Holds the lease for the block; waits until it is free. Within the block the same process may hold it again:
        then only what is known of the holder changes.

        `report` gets the messages of the wait. An interrupt ends the wait at once. A lease that was lost (the process
        could not renew it in time) interrupts the process, as Ctrl-C would, or ends it where it ignores that.
        """
        outer = _HELD.get(self.store.address)
        if outer is not None:
            _HELD[self.store.address] = inner = replace(outer, run_id=holder.run_id, days=holder.days)
            self.store.renew(inner)
            yield
            return
        _HELD[self.store.address] = self._taken(holder, report)
        try:
            with self._heartbeat(report):
                yield
        finally:
            with suppress(TransientError):  # it expires by itself
                self.store.release(_HELD.pop(self.store.address))

    def current(self) -> Holder | None:
        """Who holds it; None: nobody, or a process that is gone."""
        return self.store.current()

    def _taken(self, holder: Holder, report: Report) -> Holder:
        """Waits until it is free, and takes it. Raises TransientError: its store was away for several tries."""
        next_report, failures = 0.0, 0
        while True:
            taken = replace(holder, since=datetime.now(UTC))
            try:
                if self.store.take(taken):
                    return taken
                failures = 0
                if time.monotonic() >= next_report:
                    other = self.store.current() or "another process, which has just begun"
                    report(f"Waiting for {other}: {self.store.address} is held.")
                    next_report = time.monotonic() + REPORT_SECONDS
            except TransientError as error:
                failures += 1
                if failures > MAX_FAILURES:
                    raise
                report(f"{error} Trying again ({failures} of {MAX_FAILURES}).")
            time.sleep(self.store.retry_seconds)

    @contextmanager
    def _heartbeat(self, report: Report) -> Iterator[None]:
        """Renews the lease in a thread of its own, where its store demands that."""
        if self.store.heartbeat_seconds is None:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._renew, args=(self.store.heartbeat_seconds, ended, report), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew(self, seconds: float, ended: threading.Event, report: Report) -> None:
        renewed, wait = time.monotonic(), seconds
        while not ended.wait(wait):
            began = time.monotonic()
            try:
                if self.store.renew(_HELD[self.store.address]):
                    renewed, wait = began, seconds
                    continue
                reason = f"{self.store.current() or 'another process'} has taken it"
            except TransientError as error:
                reason = str(error)
                if time.monotonic() - renewed < seconds + GRACE_SECONDS:
                    wait = min(seconds, self.store.retry_seconds)
                    continue
            report(f"The lease on {self.store.address} was lost, so this process stops writing: {reason}.")
            # A process that a script started in the background ignores the first, and with Dagster the second as well.
            ways = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
            os.kill(os.getpid(), next(way for way in ways if signal.getsignal(way) is not signal.SIG_IGN))
            return


# How long a heartbeat that is due may fail, tried again and again, before the holder stops; the store gives the lease
# away later than that.
GRACE_SECONDS = 30.0
# Tries to take it, one after the other, at which the store may be away.
MAX_FAILURES = 5
# What this process holds, by address: one process has one lease, however many objects stand for it.
_HELD: dict[str, Holder] = {}
