"""What a stand-in service is: requests in, replies out, and the faults that it is told to play."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """A request: `path` without the service's prefix; `body` is decoded JSON, or a form's fields."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """A status, a JSON body and more headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """How a request goes wrong.

    `acts`: the service does what was asked and then spoils the answer; otherwise nothing happens in it.
    `seconds`: waits before it answers. `status`: answers with it; 0: closes the connection without an answer; None:
    answers as it should. `retry_after`: the header, in seconds. `only`: waits for a path that contains this.
    """

    status: int | None = None
    seconds: float = 0.0
    retry_after: float | None = None
    acts: bool = False
    only: str = ""


class Service(Protocol):
    """A stand-in: answers requests, and keeps what it was told for tests to look at."""

    def answer(self, request: Request) -> Reply: ...


class Faults:
    """The faults that are still to be played, in order; each is for one request."""

    def __init__(self) -> None:
        self._planned: deque[Fault] = deque()
        self._lock = threading.Lock()

    def plan(self, fault: Fault, times: int = 1) -> None:
        with self._lock:
            self._planned.extend([fault] * times)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def take(self, path: str) -> Fault | None:
        """The fault of a request to `path`, if one is planned for it."""
        with self._lock:
            for fault in self._planned:
                if fault.only in path:
                    self._planned.remove(fault)
                    return fault
        return None
