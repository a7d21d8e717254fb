"""The sandbox's Keepa: a path and a query in, a status and an envelope out.

Here: the envelope, tokens and errors. Not here: HTTP (`server.py`), what a product looks like (`product_object.py`).

Keepa does not publish the values of `error.type`; those here follow its style.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.keepa.generated.catalogue import CATALOGUE
from vp_pipeline.sandbox.keepa.generated.histories import GENERATED_UNTIL, minute_of
from vp_pipeline.sandbox.keepa.product_object import invalid, product
from vp_pipeline.sandbox.keepa.recordings import Recordings
from vp_pipeline.sandbox.keepa.request import ProductRequest, Rejected, parse
from vp_pipeline.sandbox.keepa.tokens import Accounts, Balance
from vp_pipeline.sources.keepa.series import keepa_minute

UNPAID_KEY = "unpaid"


@dataclass(frozen=True)
class Response:
    """An HTTP status and a body of strict JSON."""

    status: int
    body: bytes


class KeepaApi:
    """Responds to requests with generated histories, or from a folder of recorded responses.

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(self, recordings: Path | None, seed: int, tokens: int, refill_per_minute: int) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed
        self._accounts = Accounts(tokens, refill_per_minute)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings holds no product, each as a sentence with its file."""
        return () if self._recordings is None else self._recordings.left_out

    def respond(self, path: str, query: Mapping[str, str], clock: str, now: int) -> Response:
        """The response to a GET.

        Args:
            path: `/product` or `/token`.
            query: the parameters.
            clock: the name of the requested clock, "" for the real present: each goes through the recorded
                responses on its own.
            now: that clock's time, ms.
        """
        began = time.perf_counter()
        key = query.get("key", "")
        try:
            envelope = self._envelope(path, key, query, clock, now)
            status = 200
        except Rejected as rejected:
            status, balance = rejected.status, self._accounts.take(key, 0)
            envelope = {"timestamp": now, **self._token_fields(balance, 0), "error": rejected.error}
        envelope["processingTimeInMs"] = int((time.perf_counter() - began) * 1000)
        return Response(status, orjson.dumps(envelope))

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


def known_products(recordings: Path | None) -> tuple[str, ...]:
    """The products that the sandbox knows, as `DOMAIN:ASIN`; of recordings one entry per response, in time order."""
    if recordings is None:
        return tuple(f"{entry.domain}:{entry.asin}" for entry in CATALOGUE)
    return tuple(f"{recorded.domain}:{recorded.asin}" for recorded in Recordings(recordings).in_order)
