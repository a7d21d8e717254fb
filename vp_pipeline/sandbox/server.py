"""The sandbox: stand-in APIs on a loopback port, over real HTTP.

Here: the server, its clocks and its life cycle. Not here: what an API responds (`keepa/`).

Requests are not logged, on purpose: Keepa's key travels in the query string.
"""

import gzip
import re
import socket
import threading
import time
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

from vp_pipeline.sandbox.keepa.api import KeepaApi, Response, known_products

HOST = "127.0.0.1"
_AS_OF = re.compile(r"/as-of/(\d{4}-\d{2}-\d{2})(/.*)")


class Sandbox:
    """Stand-in APIs at `url`. The port is bound at once; requests are served inside `with` or by `serve_forever`.

        with Sandbox() as sandbox:
            requests.get(f"{sandbox.url}/product", params={...})

    Args:
        recordings: a folder of recorded Keepa responses to serve; None: responses are generated.
        seed: another seed generates other histories.
        port: 0 takes a free one.
        tokens: the initial balance of each key.
        refill_per_minute: how many tokens a key gets back each minute.

    Raises:
        PermanentError: the recordings cannot be used.
        OSError: the port is taken.
    """

    def __init__(
        self,
        *,
        recordings: Path | None = None,
        seed: int = 7,
        port: int = 0,
        tokens: int = 100_000,
        refill_per_minute: int = 6_000,
    ) -> None:
        self._server = _Server((HOST, port), KeepaApi(recordings, seed, tokens, refill_per_minute))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL with the real present as its clock."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def url_as_of(self, day: date) -> str:
        """The base URL whose clock stands at the last millisecond of a UTC day."""
        return f"{self.url}/as-of/{day.isoformat()}"

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings cannot be served, each as a sentence with its file."""
        return self._server.keepa.left_out

    def serve_forever(self) -> None:
        """Serves in this thread until interrupted; instead of `with`, not inside it."""
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        """Stops serving and ends open connections."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, name="sandbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def catalogue(recordings: Path | None, seed: int) -> tuple[str, ...]:
    """The products to request, as `DOMAIN:ASIN`.

    Without recordings: the sandbox's own, the same for each seed (only their histories differ). With
    recordings: one entry per recorded response, in time order, so that requesting all of them once gets
    every response.

    Raises:
        PermanentError: the recordings cannot be used.
    """
    return known_products(recordings)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], keepa: KeepaApi) -> None:
        self.keepa = keepa
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        # A connection that is kept alive would still be served, long after.
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that disconnected is not an error; a response that failed is sent as a 500."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        try:
            response = self._respond()
        except Exception as error:
            response = _error_response(500, "internalError", f"The sandbox failed with {type(error).__name__}.")
        self._send(response)

    def _respond(self) -> Response:
        parts = urlsplit(self.path)
        path, clock, now = parts.path, "", time.time_ns() // 1_000_000
        as_of = _AS_OF.fullmatch(path)
        if as_of:
            clock, path = as_of[1], as_of[2]
            try:
                now = _last_millisecond(date.fromisoformat(clock))
            except (ValueError, OverflowError):
                return _error_response(
                    400, "invalidParameter", f"{clock} is not a valid day: write /as-of/YYYY-MM-DD/."
                )
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return self.server.keepa.respond(path, query, clock, now)

    def _not_allowed(self) -> None:
        # The body, if any, is not read: it would be taken for the next request on this connection.
        self.close_connection = True
        self._send(_error_response(405, "methodNotAllowed", f"{self.command} is not supported: use GET."))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _not_allowed

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Errors of the standard library (a malformed request line, an unknown method) in Keepa's form."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._not_allowed()
            return
        self.close_connection = True
        self._send(_error_response(code, "badRequest", HTTPStatus(code).phrase))

    def _send(self, response: Response) -> None:
        body = response.body
        self.send_response(response.status)
        headers = getattr(self, "headers", None) or {}
        if "gzip" in headers.get("Accept-Encoding", "") and len(body) > 1000:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: request lines hold keys."""


def _last_millisecond(day: date) -> int:
    following = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return int(following.timestamp()) * 1000 - 1


def _error_response(status: int, kind: str, message: str) -> Response:
    error = {"type": kind, "message": message, "details": ""}
    return Response(status, orjson.dumps({"timestamp": time.time_ns() // 1_000_000, "error": error}))
