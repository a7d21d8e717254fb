"""The outbox: what is to leave the pipeline is written here first, durably, and delivered from here once.

Here: entries and their states. Not here: where the lines are kept, and who may deliver (`journal.py`,
`lake_journal.py`); any service (`slack.py`, `power_bi.py`, `export_endpoint.py`).

A box is JSON lines, one line per event of an entry: locally a file in `<VP_DATA_DIR>/outbox/`, in production an object
of the lake, so that runs, daemon and command line on several machines share it:

    queued ─▶ sending ─▶ delivered        the service took it; `receipt` is what it gave (a ts, a request id)
                 ├─────▶ failed           it certainly did not take it: to be tried again, not before `not_before`
                 ├─────▶ unconfirmed      the response was lost, so it may have taken it
                 └─────▶ (nothing)        the process was killed before it could write the outcome: unconfirmed too
    queued ─▶ kept                        the service is not configured: the entry stays here, and is never sent later
    queued ─▶ refused                     the service will never take it; a person has to look

`sending` is written before the request, so what may have been taken is known to be unconfirmed. A service that can look
it up is queried then (`slack.py`, `power_bi_refresh.py`); one that takes idempotency keys gets the same key again
(`export_endpoint.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from vp_pipeline.delivery.journal import FileJournal, Journal
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.stored_formats import StoredFormat, renamed_values

State = Literal["queued", "sending", "delivered", "failed", "unconfirmed", "kept", "refused"]
# Of each line. Version 1 has another word for a state.
FORMAT = StoredFormat("outbox", (renamed_values("state", {"doubtful": "unconfirmed"}),))
OPEN: frozenset[State] = frozenset({"queued", "sending", "failed", "unconfirmed"})


@dataclass(frozen=True)
class Entry:
    """What is to be delivered once. `key` is its cause: a second entry of the same key is the same entry.

    `content` is what the service gets. `queued_at` and `changed_at` are UTC; `tries` counts requests; `reason` is of
    the last one that failed; `repeats` are the events that were folded into this entry (`Box.fold`).
    """

    key: str
    content: Mapping[str, Any]
    queued_at: datetime
    changed_at: datetime
    state: State = "queued"
    tries: int = 0
    receipt: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    not_before: datetime | None = None
    repeats: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still to be delivered."""
        return self.state in OPEN

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the service may have it although no response was recorded."""
        return self.state in ("sending", "unconfirmed")


class _Event(BaseModel):
    """A line of a box."""

    model_config = ConfigDict(frozen=True)

    key: str
    state: State | Literal["repeated"]
    at: AwareDatetime
    content: dict[str, Any] | None = None
    receipt: dict[str, Any] | None = None
    reason: str | None = None
    not_before: AwareDatetime | None = None
    event: str = ""


@dataclass(frozen=True)
class _Lines:
    """A box as it is on disk: its entries by key, the lines that made them, and those that are no event of an entry."""

    entries: dict[str, Entry]
    used: list[bytes]
    foreign: list[bytes]
    is_ended: bool


class Box:
    """Entries of one kind, such as those of `outbox/slack.jsonl`: in a file, or in another `Journal`. Several processes
    may write it.

    A line that is no event of an entry (a person has edited the file, a crash tore the line) counts as not there. The
    next process that writes sets it aside, beside the box.
    """

    def __init__(self, where: Path | Journal) -> None:
        self._journal: Journal = FileJournal(where) if isinstance(where, Path) else where

    @property
    def name(self) -> str:
        return self._journal.name

    @property
    def location(self) -> str:
        return self._journal.location

    def put(self, key: str, content: Mapping[str, Any], now: datetime | None = None) -> Entry:
        """The entry of `key`: the one that is there, or a new one, on disk when this returns."""
        return self._change(key, lambda found: None if found else _event(key, "queued", now, content=dict(content)))

    def note(
        self,
        key: str,
        state: State,
        now: datetime | None = None,
        *,
        receipt: Mapping[str, Any] | None = None,
        reason: str | None = None,
        not_before: datetime | None = None,
    ) -> Entry:
        """Records the new state of an entry; on disk when this returns.

        Raises:
            PermanentError: there is no such entry.
        """
        more: dict[str, Any] = {"receipt": dict(receipt) if receipt else None, "reason": reason}
        event = _event(key, state, now, **more, not_before=not_before.isoformat() if not_before else None)
        return self._change(key, lambda found: event)

    def fold(self, key: str, event: str, now: datetime | None = None) -> Entry:
        """Counts an event that has the cause of an entry, instead of queueing another one; each event once."""
        repeated = _event(key, "repeated", now, event=event)
        return self._change(key, lambda found: None if found and event in found.repeats else repeated)

    def find(self, key: str) -> Entry | None:
        return self._read().entries.get(key)

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        return list(self._read().entries.values())

    def open_entries(self) -> list[Entry]:
        """What is still to be delivered, oldest first."""
        return [entry for entry in self.entries() if entry.is_open]

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """The right to deliver from this box: one process at a time, so that nobody sends what another one is sending.

        Raises:
            TransientError: another process is delivering.
        """
        self._journal.update(self._cleaned)  # what is foreign is set aside, also where nothing is to be delivered
        with self._journal.claimed():
            yield

    def forget(self, before: datetime) -> int:
        """Removes entries that are not open and did not change since; returns how many. They go all at once."""
        removed = 0

        def without(content: bytes) -> bytes:
            nonlocal removed
            cleaned = self._cleaned(content)
            entries = list(self._parsed(cleaned).entries.values())
            kept = [entry for entry in entries if entry.is_open or entry.changed_at >= before]
            removed = len(entries) - len(kept)
            return b"".join(line for entry in kept for line in _lines(entry)) if removed else cleaned

        self._journal.update(without)
        return removed

    def _change(self, key: str, event_of: Callable[[Entry | None], bytes | None]) -> Entry:
        """The entry of `key` after the event that `event_of` makes of it; None: it is as it was."""

        def appended(content: bytes) -> bytes:
            cleaned = self._cleaned(content)
            found = self._parsed(cleaned).entries.get(key)
            event = event_of(found)
            if event is not None and found is None and orjson.loads(event)["state"] != "queued":
                raise PermanentError(
                    f"{self.location} has no entry {key}: was it edited? What was delivered of it is unknown."
                )
            return cleaned + (event or b"")

        return self._parsed(self._journal.update(appended)).entries[key]

    def _cleaned(self, content: bytes) -> bytes:
        """A content of whole lines that are events of entries; the others are set aside."""
        found = self._parsed(content)
        if found.foreign:
            lines = b"".join(line + b"\n" for line in found.foreign)
            self._journal.set_aside(lines, f"has {len(found.foreign)} lines that are no event of an entry.")
        if found.foreign or not found.is_ended:
            return b"".join(line + b"\n" for line in found.used)
        return content

    def _read(self) -> _Lines:
        return self._parsed(self._journal.read())

    def _parsed(self, content: bytes) -> _Lines:
        found = _Lines({}, [], [], is_ended=content.endswith(b"\n") or not content)
        for line in content.splitlines():
            try:
                event = _Event.model_validate(FORMAT.parse(line, f"A line of {self.location}", ""))
                entry = _applied(found.entries.get(event.key), event)
            except (DamagedDataError, ValidationError):
                entry = None
            if entry is not None:
                found.entries[entry.key] = entry
                found.used.append(line)
            elif line.strip():
                found.foreign.append(line)
        return found


def _event(key: str, state: str, now: datetime | None, **more: Any) -> bytes:
    """A line."""
    known = {name: value for name, value in more.items() if value is not None}
    at = (now or datetime.now(UTC)).isoformat()
    return orjson.dumps(FORMAT.mark({"key": key, "state": state, "at": at, **known})) + b"\n"


def retry_at(tries: int, now: datetime, wait_seconds: float | None = None) -> datetime:
    """When to try again: when the service allows it, or after 30 s doubled with each try, half an hour at most."""
    return now + timedelta(seconds=wait_seconds if wait_seconds is not None else min(30 * 2**tries, 1800))


def _applied(entry: Entry | None, event: _Event) -> Entry | None:
    """The entry after an event; None: the event is of no entry."""
    if event.state == "queued":
        return entry or (None if event.content is None else Entry(event.key, event.content, event.at, event.at))
    if entry is None:
        return None
    if event.state == "repeated":
        return replace(entry, repeats=(*entry.repeats, event.event))
    return replace(
        entry,
        state=event.state,
        changed_at=event.at,
        tries=entry.tries + (event.state == "sending"),
        receipt=event.receipt or entry.receipt,
        reason=event.reason,
        not_before=event.not_before,
    )


def _lines(entry: Entry) -> Iterator[bytes]:
    """The events that make an entry what it is."""
    head = {"key": entry.key, "state": "queued", "at": entry.queued_at.isoformat(), "content": dict(entry.content)}
    yield orjson.dumps(FORMAT.mark(head)) + b"\n"
    at = entry.changed_at.isoformat()
    for _ in range(entry.tries):
        yield orjson.dumps(FORMAT.mark({"key": entry.key, "state": "sending", "at": at})) + b"\n"
    for event in entry.repeats:
        yield orjson.dumps(FORMAT.mark({"key": entry.key, "state": "repeated", "at": at, "event": event})) + b"\n"
    if entry.state not in ("queued", "sending"):
        last = {"key": entry.key, "state": entry.state, "at": at, "receipt": entry.receipt, "reason": entry.reason}
        if entry.not_before:
            last["not_before"] = entry.not_before.isoformat()
        yield orjson.dumps(FORMAT.mark(last)) + b"\n"
