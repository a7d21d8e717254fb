"""The sandbox's Keepa: a request in, a status and an envelope out.

Here: the envelope, tokens and errors. Not here: HTTP (`../server.py`), what a product looks like (`product_object.py`).

Keepa does not publish the values of `error.type`; those here follow its style.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.keepa.generated.catalogue import CATALOGUE
from vp_pipeline.sandbox.keepa.generated.histories import GENERATED_UNTIL, minute_of
from vp_pipeline.sandbox.keepa.product_object import invalid, product
from vp_pipeline.sandbox.keepa.recordings import Recordings
from vp_pipeline.sandbox.keepa.request import ProductRequest, Rejected, parse
from vp_pipeline.sandbox.keepa.tokens import Accounts, Balance
from vp_pipeline.sources.keepa.series import keepa_minute

UNPAID_KEY = "unpaid"


class KeepaApi:
    """Responds to requests with generated histories, or from a folder of recorded responses.

    Args:
        recordings: the folder; None: responses are generated.
        seed: another seed generates other histories.
        tokens: the initial balance of each key.
        refill_per_minute: how many tokens a key gets back each minute.

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(
        self,
        recordings: Path | None = None,
        seed: int = 7,
        tokens: int = 100_000,
        refill_per_minute: int = 6_000,
    ) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed
        self._accounts = Accounts(tokens, refill_per_minute)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings holds no product, each as a sentence with its file."""
        return () if self._recordings is None else self._recordings.left_out

    @property
    def entities(self) -> tuple[str, ...]:
        """The products that it knows, as `DOMAIN:ASIN`, the same for each seed (only their histories differ); of
        recordings one entry per response, in time order, so that requesting all of them once gets every response."""
        if self._recordings is None:
            return tuple(f"{entry.domain}:{entry.asin}" for entry in CATALOGUE)
        return tuple(f"{recorded.domain}:{recorded.asin}" for recorded in self._recordings.in_order)

    @property
    def example(self) -> str:
        """A request of one product."""
        domain, asin = self.entities[0].split(":")
        return f"/product?key=sandbox&domain={domain}&asin={asin}&stats=90"

    def respond(self, request: Request) -> Response:
        """What a GET of `/product` or `/token` gets. Each clock goes through the recordings on its own."""
        if request.method != "GET":
            refused = self.refusal(405, "methodNotAllowed", f"{request.method} is not supported: use GET.")
            return replace(refused, headers={"Allow": "GET"})
        began = time.perf_counter()
        key = request.query.get("key", "")
        try:
            envelope = self._envelope(request.path, key, request.query, request.clock, request.now)
            status = 200
        except Rejected as rejected:
            status, balance = rejected.status, self._accounts.take(key, 0)
            envelope = {"timestamp": request.now, **self._token_fields(balance, 0), "error": rejected.error}
        envelope["processingTimeInMs"] = int((time.perf_counter() - began) * 1000)
        return Response(status, orjson.dumps(envelope))

    def refusal(self, status: int, kind: str, message: str) -> Response:
        """An error in Keepa's form."""
        error = {"type": kind, "message": message, "details": ""}
        return Response(status, orjson.dumps({"timestamp": time.time_ns() // 1_000_000, "error": error}))

    def _envelope(self, path: str, key: str, query: Mapping[str, str], clock: str, now: int) -> dict[str, Any]:
        if path not in ("/product", "/token"):
            raise Rejected(404, "notFound", "Unknown path: there are /product and /token.")
        if not key:
            raise Rejected(400, "invalidParameter", "key is missing: the API access key", "key")
        if key == UNPAID_KEY:
            raise Rejected(402, "paymentRequired", "The subscription of this key is not paid.")
        if path == "/token":
            return {"timestamp": now, **self._token_fields(self._accounts.take(key, 0), 0)}
        request = parse(query)
        if self._recordings is not None:
            self._recordings.check(clock, request)
        elif keepa_minute(now / 1000) >= minute_of(GENERATED_UNTIL):
            raise Rejected(400, "invalidParameter", f"The sandbox has no data from {GENERATED_UNTIL} on.", "as-of")
        balance = self._accounts.take(key, request.tokens)
        if not balance.served:
            raise Rejected(429, "notEnoughToken", "No tokens left: wait `refillIn` milliseconds.")
        fields = self._token_fields(balance, request.tokens)
        if self._recordings is not None:
            return {"timestamp": now, **self._recorded(self._recordings, clock, request), **fields}
        minute = keepa_minute(now / 1000)
        products = [product(self._seed, request, asin, minute) for asin in request.asins]
        return {"timestamp": now, **fields, "products": products}

    def _recorded(self, recordings: Recordings, clock: str, request: ProductRequest) -> dict[str, Any]:
        found = recordings.take(clock, request)
        envelope = next(iter(found.values())).envelope if found else {}
        products = [
            orjson.Fragment(found[asin].body) if asin in found else invalid(request.domain, asin)
            for asin in request.asins
        ]
        return {**envelope, "products": products}

    def _token_fields(self, balance: Balance, consumed: int) -> dict[str, Any]:
        return {
            "tokensLeft": balance.left,
            "refillIn": balance.refill_in,
            "refillRate": self._accounts.refill_per_minute,
            "tokenFlowReduction": 0.0,
            "tokensConsumed": consumed,
            "processingTimeInMs": 0,
        }


def build(recordings: Path | None, seed: int) -> KeepaApi:
    """The stand-in with the tokens of a generous subscription."""
    return KeepaApi(recordings, seed)
