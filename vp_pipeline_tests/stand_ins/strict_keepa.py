"""Keepa as it is strict: an ASIN that it does not accept has the whole request refused, and tokens are few.

Here: the sandbox's Keepa with such ASINs, on a port of its own. Not here: odd responses (`keepa.py`).
"""

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
from vp_pipeline_tests.stand_ins.keepa import Json


class StrictKeepa:
    """The server, with the real present as its clock. `bad`: what it refuses, by ASIN, with the status of the refusal.
    `before`: called with the number of each request to /product before it is looked at, and may raise. `served`: the
    products of each request that was answered, as `DOMAIN:ASIN`; `consumed`: the tokens that it cost."""

    def __init__(self, bad: dict[str, int], tokens: int = 100_000, refill_per_minute: int = 600_000) -> None:
        self.bad = bad
        self.before: Callable[[int], None] = lambda number: None
        self.served: list[str] = []
        self.refused: list[str] = []
        self.consumed = 0
        self.waits = 0
        self.requests = 0
        self._api = KeepaApi(None, seed=7, tokens=tokens, refill_per_minute=refill_per_minute)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def spend(self, key: str) -> None:
        """Somebody else uses the key until no token is left."""
        asins = ",".join(f"B{number:09}" for number in range(100))
        query = {"key": key, "domain": "1", "asin": asins}
        while (
            self._api.respond(Request("GET", "/product", query, {}, b"", "", time.time_ns() // 1_000_000)).status == 200
        ):
            pass

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = HttpRequest(environ)
        self.requests += 1
        self.before(self.requests)
        query = request.args.to_dict()
        asins = query.get("asin", "").split(",")
        found = next((asin for asin in asins if asin in self.bad), None)
        sent = {**query, "domain": "7"} if found else query  # nothing is taken for what is refused
        now = time.time_ns() // 1_000_000
        response = self._api.respond(Request("GET", request.path, sent, {}, b"", "", now))
        status, envelope = response.status, orjson.loads(response.body)
        if found:
            status, envelope = self._refusal(found, envelope)
            self.refused.append(query["asin"])
        elif status == 200 and request.path == "/product":
            self.served += [f"{query['domain']}:{asin}" for asin in asins]
            self.consumed += envelope["tokensConsumed"]
        self.waits += status == 429
        return Response(orjson.dumps(envelope), status, content_type="application/json")(environ, start)

    def _refusal(self, asin: str, envelope: Json) -> tuple[int, Json]:
        error = {"type": "invalidParameter", "message": "an asin of the request is none", "details": "asin"}
        return self.bad[asin], {**envelope, "error": error}


@contextmanager
def strict_keepa(bad: dict[str, int], **tokens: int) -> Iterator[StrictKeepa]:
    server = StrictKeepa(bad, **tokens)
    try:
        yield server
    finally:
        server.close()
