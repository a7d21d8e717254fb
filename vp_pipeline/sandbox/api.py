"""What a stand-in API is: a request in, a response out, at a moment that the request's address chooses.

Here: the types that each source's folder fills in (`build` in its `api.py`). Not here: HTTP (`server.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Request:
    """A request. `path` is without the source's own prefix, `clock` the name of the requested clock ("" for the real
    present), `now` that clock's time in ms since 1970 (UTC)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    clock: str
    now: int


@dataclass(frozen=True)
class Response:
    """An HTTP status, a body of strict JSON, and more headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Api(Protocol):
    """One source's API, from one seed or from recorded responses. `entities`: what to request where nobody names it;
    `left_out`: what in the recordings cannot be served, each as a sentence with its file; `example`: the path and query
    of a request that it answers, for people."""

    @property
    def example(self) -> str: ...

    @property
    def entities(self) -> tuple[str, ...]: ...

    @property
    def left_out(self) -> tuple[str, ...]: ...

    def respond(self, request: Request) -> Response: ...

    def refusal(self, status: int, kind: str, message: str) -> Response:
        """A response to a request that is wrong for any API, in the form of this one."""
        ...


def build_api(source: str, recordings: Path | None, seed: int) -> Api:
    """The API of a source: the one in the sandbox's folder of its name.

    Raises:
        PermanentError: the recordings cannot be used.
    """
    api: Api = import_module(f"vp_pipeline.sandbox.{source}.api").build(recordings, seed)
    return api
