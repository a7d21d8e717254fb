"""The outbox: what is to leave the pipeline is written here first, durably, and delivered from here once.

Here: entries, their states, and who may deliver. Not here: any service (`slack.py`, `power_bi.py`,
`export_endpoint.py`).

A box is a file of JSON lines in `<VP_DATA_DIR>/outbox/`, one line per event of an entry, appended and synced to disk:

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

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
from filelock import FileLock, Timeout

from vp_pipeline.failures import TransientError
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


@dataclass(frozen=True)
class Box:
    """One file of entries, such as `outbox/slack.jsonl`. Several processes may write it."""

    path: Path

    def put(self, key: str, content: Mapping[str, Any], now: datetime | None = None) -> Entry:
        """The entry of `key`: the one that is there, or a new one, on disk when this returns."""
        with self._writing():
            found = self.find(key)
            return found or self._note(key, "queued", now, content=dict(content))

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
            KeyError: there is no such entry.
        """
        with self._writing():
            event: dict[str, Any] = {"receipt": dict(receipt) if receipt else None, "reason": reason}
            return self._note(key, state, now, **event, not_before=not_before.isoformat() if not_before else None)

    def fold(self, key: str, event: str, now: datetime | None = None) -> Entry:
        """Counts an event that has the cause of an entry, instead of queueing another one; each event once."""
        with self._writing():
            found = self.find(key)
            if found is not None and event in found.repeats:
                return found
            return self._note(key, "repeated", now, event=event)

    def find(self, key: str) -> Entry | None:
        return self._read().get(key)

    def entries(self) -> list[Entry]:
        """Every entry, oldest first."""
        return list(self._read().values())

    def open_entries(self) -> list[Entry]:
        """What is still to be delivered, oldest first."""
        return [entry for entry in self.entries() if entry.is_open]

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """The right to deliver from this box: one process at a time, so that nobody sends what another one is sending.

        Raises:
            TransientError: another process is delivering.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.delivering.lock", timeout=0):
                yield
        except Timeout:
            raise TransientError(
                f"Another process is delivering from {self.path}. It will deliver what is there."
            ) from None

    def forget(self, before: datetime) -> int:
        """Removes entries that are not open and did not change since; returns how many. The file is replaced whole."""
        with self._writing():
            entries = self.entries()
            kept = [entry for entry in entries if entry.is_open or entry.changed_at >= before]
            if len(kept) < len(entries):
                partial = self.path.with_suffix(".partial")
                _write(partial, "wb", b"".join(line for entry in kept for line in _lines(entry)))
                partial.replace(self.path)
            return len(entries) - len(kept)

    def _note(self, key: str, state: str, now: datetime | None, **event: Any) -> Entry:
        at = (now or datetime.now(UTC)).isoformat()
        known = {name: value for name, value in event.items() if value is not None}
        line = FORMAT.mark({"key": key, "state": state, "at": at, **known})
        if state != "queued" and key not in self._read():
            raise KeyError(f"{self.path} has no entry {key}.")
        self._end_torn_line()
        _write(self.path, "ab", orjson.dumps(line) + b"\n")
        return self._read()[key]

    def _read(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        if not self.path.exists():
            return entries
        for line in self.path.read_bytes().splitlines():
            try:
                stored = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # torn by a crash while it was written: `put` or `note` never returned
            event = FORMAT.read(stored, f"A line of {self.path}")
            entry = _applied(entries.get(event["key"]), event)
            if entry is not None:
                entries[entry.key] = entry
        return entries

    def _end_torn_line(self) -> None:
        if self.path.exists() and (content := self.path.read_bytes()) and not content.endswith(b"\n"):
            _write(self.path, "ab", b"\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            yield


def retry_at(tries: int, now: datetime, wait_seconds: float | None = None) -> datetime:
    """When to try again: when the service allows it, or after 30 s doubled with each try, half an hour at most."""
    return now + timedelta(seconds=wait_seconds if wait_seconds is not None else min(30 * 2**tries, 1800))


def _applied(entry: Entry | None, event: Mapping[str, Any]) -> Entry | None:
    at = datetime.fromisoformat(event["at"])
    if event["state"] == "queued":
        return entry or Entry(event["key"], event["content"], at, at)
    if entry is None:
        return None
    if event["state"] == "repeated":
        return replace(entry, repeats=(*entry.repeats, event["event"]))
    not_before = event.get("not_before")
    return replace(
        entry,
        state=event["state"],
        changed_at=at,
        tries=entry.tries + (event["state"] == "sending"),
        receipt=event.get("receipt") or entry.receipt,
        reason=event.get("reason"),
        not_before=datetime.fromisoformat(not_before) if not_before else None,
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


def _write(path: Path, mode: Literal["ab", "wb"], content: bytes) -> None:
    with path.open(mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
