"""The requests of a sync for several entities at once: which are answered, which refused, and which still to be sent.

Here: that state, and what it means in words. Not here: sending them (`connector_runner.py`), and keeping the state for
the next attempt (`unfinished.py`).

A refused request is sent again as its two halves, until the entity that was refused is alone: it costs itself alone.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vp_pipeline.sources.source import Batches


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
    def outstanding(self) -> list[str]:
        """What is still to be sent, in order."""
        return self._outstanding(self._config[self._batches.name])

    def configuration(self, requests: list[str]) -> dict[str, object]:
        """The sync's configuration, with these requests."""
        return {**self._config, self._batches.name: requests}

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
        every = self._entities(self._config[self._batches.name])
        done = f"{every - self._entities(outstanding):,} of {every:,} done"
        outlook = self._batches.outlook(self._config, outstanding, self._newest)
        return f"{done}; {outlook}." if outlook else f"{done}."

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
