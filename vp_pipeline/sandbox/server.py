"""The sandbox: stand-in APIs on a loopback port, over real HTTP.

Here: the server, its clocks and its life cycle. Not here: what an API responds (a folder per source).

Requests are not logged, on purpose: a key may travel in the query string.
"""

import re
import socket
import threading
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from vp_pipeline.sandbox.api import Api, Request, Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

HOST = "127.0.0.1"
_AS_OF = re.compile(r"as-of/(\d{4}-\d{2}-\d{2})(/.*)")


class Sandbox:
    """Stand-in APIs, each below its source's name. The port is bound at once; requests are served inside `with`.

        with Sandbox({source: build_api(source, None, seed=7)}) as sandbox:
            requests.get(f"{sandbox.base_url(source)}/…")

    Args:
        apis: by source.
        port: 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, apis: Mapping[str, Api], port: int = 0) -> None:
        app = Starlette(
            routes=[Route("/{source}/{path:path}", _Endpoint(apis))],
            middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)],
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, http="h11", ws="none", loop="asyncio", lifespan="off", log_config=None, access_log=False
            )
        )
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self._port = self._socket.getsockname()[1]
        self._thread: threading.Thread | None = None

    def base_url(self, source: str, day: date | None = None) -> str:
        """The base URL of a source's API. Its clock is the real present, or the last millisecond of a UTC day."""
        as_of = "" if day is None else f"/as-of/{day.isoformat()}"
        return f"http://{HOST}:{self._port}/{source}{as_of}"

    def close(self) -> None:
        """Stops serving and ends open connections."""
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None
        self._socket.close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="sandbox", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Endpoint:
    """Every path below a source's name, whatever the method."""

    def __init__(self, apis: Mapping[str, Api]) -> None:
        self._apis = apis

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = HttpRequest(scope, receive)
        api = self._apis.get(request.path_params["source"])
        if api is None:
            await HttpResponse(status_code=404)(scope, receive, send)
            return
        response = await run_in_threadpool(_respond, api, request, await request.body())
        found = HttpResponse(response.body, response.status, dict(response.headers), "application/json;charset=utf-8")
        await found(scope, receive, send)


def _respond(api: Api, request: HttpRequest, body: bytes) -> Response:
    path, clock, now = "/" + request.path_params["path"], "", time.time_ns() // 1_000_000
    as_of = _AS_OF.fullmatch(path[1:])
    try:
        if as_of:
            clock, path = as_of[1], as_of[2]
            now = _last_millisecond(date.fromisoformat(clock))
    except (ValueError, OverflowError):
        return api.refusal(400, "invalidParameter", f"{clock} is not a valid day: write /as-of/YYYY-MM-DD/.")
    try:
        return api.respond(
            Request(request.method, path, dict(request.query_params), dict(request.headers), body, clock, now)
        )
    except Exception as error:
        return api.refusal(500, "internalError", f"The sandbox failed with {type(error).__name__}.")


def _last_millisecond(day: date) -> int:
    following = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return int(following.timestamp()) * 1000 - 1
