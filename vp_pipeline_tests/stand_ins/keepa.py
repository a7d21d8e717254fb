"""Keepa as it sometimes responds: the sandbox's own responses, with those for some products changed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from werkzeug.serving import make_server
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from vp_pipeline.sandbox.api import Request
from vp_pipeline.sandbox.keepa.api import KeepaApi

Json = dict[str, Any]
# From the sandbox's envelope to the status and the envelope that are sent.
Change = Callable[[Json], tuple[int, Json]]


class ChangedKeepa:
    """The server, with the real present as its clock. `changes`: by ASIN; a request of several products of which one is
    changed is refused, so that each change is of one product's response."""

    def __init__(self, changes: dict[str, Change]) -> None:
        self.changes = changes
        self.requested: list[str] = []
        self._api = KeepaApi(None, seed=7, tokens=1000, refill_per_minute=6000)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = HttpRequest(environ)
        now = time.time_ns() // 1_000_000
        found = self._api.respond(Request(request.method, request.path, request.args.to_dict(), {}, b"", "", now))
        status, envelope = found.status, orjson.loads(found.body)
        asin = request.args.get("asin", "")
        self.requested.append(f"{request.args.get('domain')}:{asin}")
        if "," in asin and self.changes.keys() & set(asin.split(",")):
            status, envelope = 400, {**envelope, "error": {"type": "invalidParameter", "message": "one at a time"}}
        if asin in self.changes:
            status, envelope = self.changes[asin](envelope)
        return Response(orjson.dumps(envelope), status, content_type="application/json")(environ, start)


@contextmanager
def changed_keepa(changes: dict[str, Change]) -> Iterator[ChangedKeepa]:
    server = ChangedKeepa(changes)
    try:
        yield server
    finally:
        server.close()
