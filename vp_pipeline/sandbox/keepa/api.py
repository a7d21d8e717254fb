"""The sandbox's Keepa: a path and a query in, a status and an envelope out.

Here: the envelope, tokens and refusals. Not here: HTTP (`server.py`), what a product looks like (`answer.py`).

Keepa does not publish the values of `error.type`; those here follow its style.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.keepa.answer import invalid, product
from vp_pipeline.sandbox.keepa.products import CARDS
from vp_pipeline.sandbox.keepa.recordings import Recordings
from vp_pipeline.sandbox.keepa.request import ProductRequest, Rejected, parse
from vp_pipeline.sandbox.keepa.tokens import Accounts, Balance
from vp_pipeline.sandbox.keepa.world import WORLD_END, minute_of
from vp_pipeline.sources.keepa.series import keepa_minute

UNPAID_KEY = "unpaid"


@dataclass(frozen=True)
class Reply:
    """An HTTP status and a body of strict JSON."""

    status: int
    body: bytes


class KeepaApi:
    """Answers requests from the generated world, or from a folder of recordings.

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(self, recordings: Path | None, seed: int, tokens: int, refill_per_minute: int) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed
        self._accounts = Accounts(tokens, refill_per_minute)

    def answer(self, path: str, query: Mapping[str, str], clock: str, now: int) -> Reply:
        """Answers a GET.

        Args:
            path: `/product` or `/token`.
            query: the parameters.
            clock: names the clock that was asked, "" for the real present: each has its own succession of
                recorded answers.
            now: that clock's time, ms.
        """
        began = time.perf_counter()
        key = query.get("key", "")
        try:
            envelope = self._answer(path, key, query, clock, now)
            status = 200
        except Rejected as rejected:
            status, balance = rejected.status, self._accounts.take(key, 0)
            envelope = {"timestamp": now, **self._token_fields(balance, 0), "error": rejected.error}
        envelope["processingTimeInMs"] = int((time.perf_counter() - began) * 1000)
        return Reply(status, orjson.dumps(envelope))

    def _answer(self, path: str, key: str, query: Mapping[str, str], clock: str, now: int) -> dict[str, Any]:
        if path not in ("/product", "/token"):
            raise Rejected(404, "notFound", "There is no such request here; there are /product and /token.")
        if not key:
            raise Rejected(400, "invalidParameter", "key is missing: the API access key", "key")
        if key == UNPAID_KEY:
            raise Rejected(402, "paymentRequired", "The subscription of this key is not paid.")
        if path == "/token":
            return {"timestamp": now, **self._token_fields(self._accounts.take(key, 0), 0)}
        request = parse(query)
        if self._recordings is not None:
            self._recordings.check(clock, request)
        elif keepa_minute(now / 1000) >= minute_of(WORLD_END):
            raise Rejected(400, "invalidParameter", f"The sandbox's world ends at {WORLD_END}.", "as-of")
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
    """The products that there are answers for, as `DOMAIN:ASIN`; of recordings one entry an answer, in time
    order.
    """
    if recordings is None:
        return tuple(f"{card.domain}:{card.asin}" for card in CARDS)
    return tuple(f"{answer.domain}:{answer.asin}" for answer in Recordings(recordings).in_order)
