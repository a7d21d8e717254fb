"""What a stand-in service is: requests in, replies out, and the faults that are planned for it."""

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
    """How a request fails.

    `acts`: the service carries out the request and then spoils the response; otherwise nothing happens in it.
    `seconds`: the delay of the response. `status`: of the response; 0: the connection closes without one; None: as
    without a fault. `retry_after`: the header, in seconds. `only`: applies to a path that contains this.
    """

    status: int | None = None
    seconds: float = 0.0
    retry_after: float | None = None
    acts: bool = False
    only: str = ""


class Service(Protocol):
    """A stand-in: responds to requests, and keeps what it received for tests to look at."""

    def respond(self, request: Request) -> Reply: ...


class Faults:
    """The faults that are still to come, in order; each is for one request."""

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
