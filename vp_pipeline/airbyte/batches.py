"""The requests of a sync for several entities at once: which are answered, which refused, and which still to be sent.

Here: that state, what it means in words, and the document that keeps it: a sync that was begun and has no record yet is
continued by the next attempt, since what it landed is paid for. Not here: sending requests (`connector_runner.py`).

A refused request is sent again as its two halves, until the entity that was refused is alone: it costs itself alone.
"""

import gzip
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Batches, Stream
from vp_pipeline.stored_formats import StoredFormat

_MANY = 4


class Requested:
    """The requests of a sync. `answered`: those that have a response, or had none; `refused`: the vendor's reason by
    request. `on_refused` is called after each refusal. `tokens`: what the responses have cost."""

    def __init__(self, batches: Batches, config: Mapping[str, Any], refused: Mapping[str, str] | None = None) -> None:
        self.answered: set[str] = set()
        self.refused = dict(refused or {})
        self.on_refused: Callable[[], None] = lambda: None
        self.tokens = 0
        self._batches = batches
        self._config = config
        self._newest: Mapping[str, Any] = {}

    @property
    def requests(self) -> tuple[str, ...]:
        """All that the sync requests."""
        return tuple(self._config[self._batches.name])

    @property
    def outstanding(self) -> list[str]:
        """What is still to be sent, in order."""
        return self._outstanding(self.requests)

    def configuration(self, requests: list[str]) -> dict[str, object]:
        """The sync's configuration, with these requests."""
        return {**self._config, **self.parameters(requests)}

    def parameters(self, requests: list[str]) -> dict[str, object]:
        """The part of the configuration that has these requests."""
        return {self._batches.name: requests}

    def refused_all(self, sent: Collection[str]) -> bool:
        """Whether all of so many requests were refused that it is not for an entity among them: to ask for every one
        alone would give the same."""
        return len(sent) >= _MANY and all(request in self.refused for request in sent)

    def answer(self, record: Mapping[str, Any]) -> None:
        """A response has landed."""
        self.answered.add(str(record.get(self._batches.requested)))
        self.tokens += int(record.get(self._batches.consumed) or 0)
        self._newest = record

    def refuse(self, request: str, reason: str) -> None:
        """The vendor refused a request."""
        self.refused[request] = reason
        self.on_refused()

    @property
    def refused_entities(self) -> dict[str, str]:
        """Why the vendor refused each entity that was requested alone, or whose request was not halved."""
        refused = {request: reason for request, reason in self.refused.items() if self._is_final(request)}
        return {each: reason for request, reason in refused.items() for each in self._batches.entities(request)}

    @property
    def figures(self) -> dict[str, int]:
        """How many requests were sent, how many entities have a response, and what that has cost."""
        return {
            "requests": len(self.answered | self.refused.keys()),
            "entities": self._entities(self.answered - self.refused.keys()),
            "tokens": self.tokens,
        }

    def progress(self) -> str:
        """How far the sync is, in words."""
        outstanding = self.outstanding
        every = self._entities(self.requests)
        done = f"{every - self._entities(outstanding):,} of {every:,} done"
        outlook = self._batches.outlook(self._config, outstanding, self._newest)
        return f"{done}; {outlook}." if outlook else f"{done}."

    def estimate(self, balance: Mapping[str, Any]) -> str:
        """What is to be sent, and what that costs at most. `balance`: a response with the vendor's own figures; empty:
        it bills nothing."""
        sent = self.outstanding
        cost = self._batches.tokens(self._config, sent)
        text = f"{self._entities(sent):,} in {len(sent):,} requests, up to {cost:,} tokens"
        return f"{text}; {self._batches.outlook(self._config, sent, balance)}" if balance else text

    def _outstanding(self, requests: Iterable[str]) -> list[str]:
        found = []
        for request in requests:
            if request in self.refused:
                found += self._outstanding(self._batches.halves(request))
            elif request not in self.answered:
                found.append(request)
        return found

    def _is_final(self, request: str) -> bool:
        halves = self._batches.halves(request)
        return not any(half in self.answered or half in self.refused for half in halves)

    def _entities(self, requests: Iterable[str]) -> int:
        return sum(len(self._batches.entities(request)) for request in requests)


class UnfinishedSync(Document):
    """A sync of one partition that has begun. `fingerprint`: of what it requests, as in `SyncRecord`. `refused`: the
    vendor's reason by request."""

    FORMAT = StoredFormat("record of an unfinished sync")
    REMEDY = "Move it away: the run requests the day from the beginning then."

    source: str
    stream: str
    run_date: date
    job_id: int
    fingerprint: str
    refused: Mapping[str, str]

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream, "day": self.run_date}


def unfinished_path(stream: Stream, run_date: date) -> str:
    return layout.UNFINISHED_SYNC.path(source=stream.source, stream=stream.name, day=run_date)


def read_unfinished(lake: Lake, stream: Stream, run_date: date, fingerprint: str) -> UnfinishedSync | None:
    """The unfinished sync of a day, if there is one that requested the same."""
    found = read_document(lake, unfinished_path(stream, run_date), UnfinishedSync)
    return found if found is not None and found.fingerprint == fingerprint else None


def landed_responses(lake: Lake, stream: Stream, job_id: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a job of this process, one response each, with what is in them. One that cannot be read is passed
    over: it is requested again."""
    started = datetime.fromtimestamp(job_id / 1000, UTC)
    for info in lake.list(f"bronze/{stream.source}/{stream.name}", f"{started:%Y_%m_%d}_{job_id}_"):
        try:
            record = orjson.loads(gzip.decompress(lake.read(info.path)))
        except (EOFError, OSError, zlib.error, orjson.JSONDecodeError):
            continue
        yield info.path, record["_airbyte_data"]
