"""Where the lines of a box are kept for several machines: an object of the lake, replaced only by who has read it.

    _outbox/slack.jsonl             the lines
    _outbox/slack.jsonl.delivering  who delivers, and until when: it is renewed while that runs
    _outbox/slack.jsonl.set_aside   lines that cannot be used

Here: the place. Not here: what a line means (`outbox.py`). No lock is needed: a process that has read an older content
is refused by the store (a conditional put), reads again and makes its change of the newer one.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from vp_pipeline import documents
from vp_pipeline.delivery.journal import occupied
from vp_pipeline.failures import PipelineError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.warehouse.lease.holder import Process

# Tries to change the content while others do: each of them succeeded in between.
_TRIES = 50


class _Claim(BaseModel):
    """Who delivers. `until` (UTC): when the claim expires, unless it is renewed."""

    model_config = ConfigDict(frozen=True)

    process: str
    until: AwareDatetime

    @property
    def is_over(self) -> bool:
        process = Process.parse(self.process)
        return self.until < datetime.now(UTC) or (process is not None and process.is_alive is False)


@dataclass(frozen=True)
class LakeJournal:
    """An object of the lake; see `Journal`.

    `earlier`: the file of this machine that an earlier version wrote: its entries are taken over by the first change,
    and the file is kept with the ending `.moved`. `claim_seconds`: for how long a claim holds without being renewed.
    """

    lake: Lake
    path: str
    earlier: Path | None = None
    claim_seconds: float = 120

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def location(self) -> str:
        return self.lake.location(self.path)

    def read(self) -> bytes:
        return self.lake.find(self.path) or b""

    def update(self, change: Callable[[bytes], bytes]) -> bytes:
        lines = documents.read_bytes(self.earlier) if self.earlier is not None else None
        after = self._replaced(self.path, lambda before: change(_taken_over(before, lines or b"")))
        if self.earlier is not None and lines is not None:
            self.earlier.replace(self.earlier.with_name(f"{self.earlier.name}.moved"))
        return after

    def set_aside(self, lines: bytes, why: str) -> None:
        beside = f"{self.path}{documents.SET_ASIDE}"
        self._replaced(beside, lambda before: before + lines)
        documents.LOG.warning(
            "Set aside: %s %s It is in %s now; nothing else is affected.",
            *(self.location, why, self.lake.location(beside)),
        )

    @contextmanager
    def claimed(self) -> Iterator[None]:
        tag = self._claim()
        ended = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(tag, ended), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join()

    def _claim(self) -> str:
        """Takes the claim; returns its tag."""
        found = self.lake.find_tagged(self._claim_path)
        if found is not None:
            with suppress(ValidationError):  # of another kind: somebody has put it there, and it is replaced
                claim = _Claim.model_validate_json(found[0])
                if not claim.is_over:
                    raise occupied(self.location, f"The process {claim.process}")
        tag = self._write_claim(found[1] if found else None)
        if tag is None:
            raise occupied(self.location)
        return tag

    def _write_claim(self, replaces: str | None, seconds: float | None = None) -> str | None:
        until = datetime.now(UTC) + timedelta(seconds=self.claim_seconds if seconds is None else seconds)
        claim = _Claim(process=str(Process.own()), until=until)
        return self.lake.write_if(self._claim_path, claim.model_dump_json().encode(), replaces)

    def _renew(self, tag: str, ended: threading.Event) -> None:
        """Renews the claim until the delivery has ended, then gives it up. A claim that was lost is left to whoever has
        it: what is being sent is in the journal, so nobody takes it for unsent."""
        current: str | None = tag
        while not ended.wait(self.claim_seconds / 4) and current is not None:
            with suppress(PipelineError):  # tried again before it expires
                current = self._write_claim(current)
        if current is not None:
            with suppress(PipelineError):  # it expires by itself
                self._write_claim(current, seconds=-1)

    @property
    def _claim_path(self) -> str:
        return f"{self.path}.delivering"

    def _replaced(self, path: str, change: Callable[[bytes], bytes]) -> bytes:
        for _ in range(_TRIES):
            found = self.lake.find_tagged(path)
            before = found[0] if found else b""
            after = change(before)
            if after == before or self.lake.write_if(path, after, found[1] if found else None) is not None:
                return after
        raise TransientError(
            f"{self.lake.location(path)} was changed by others {_TRIES} times while it was to be changed. Run it again."
        )


def _taken_over(before: bytes, earlier: bytes) -> bytes:
    """A content with the events of an earlier file whose entries it does not have; a file is taken over once, however
    often that is tried."""
    there = {_key(line) for line in before.splitlines()} - {None}
    lines = [line for line in earlier.splitlines() if line.strip() and _key(line) not in there]
    ended = before if before.endswith(b"\n") or not before else before + b"\n"
    return ended + b"".join(line + b"\n" for line in lines)


def _key(line: bytes) -> object:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event.get("key") if isinstance(event, dict) else None
