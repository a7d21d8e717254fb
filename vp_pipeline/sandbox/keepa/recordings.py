"""Recorded responses, served again as they were.

Here: reading the recordings and choosing the next one. Not here: generated responses (`product_object.py`).

A recording is a file `*.json`: a whole envelope, or a single product object, whose moment is then its `lastUpdate`.
Several responses for one product are successive: each request gets the next, and after the last the first again.
"""

import json
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.sandbox.keepa.request import ProductRequest, Rejected
from vp_pipeline.sources.keepa.series import KEEPA_EPOCH_MINUTES


@dataclass(frozen=True)
class RecordedProduct:
    """One recorded product. `timestamp` in ms is its envelope's; `body` is strict JSON."""

    timestamp: int
    file: str
    position: int
    domain: int
    asin: str
    body: bytes
    envelope: dict[str, Any]


class Recordings:
    """Every recorded response of a folder.

    Raises:
        PermanentError: the folder has no recordings, or a file cannot be read; the message names it.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.json")) if folder.is_dir() else []
        products = [recorded for file in files for recorded in _read(file)]
        if not products:
            raise PermanentError(
                f"{folder} holds no recorded Keepa responses (*.json). Set VP_RECORDINGS to a folder that does, or "
                "unset it."
            )
        self.in_order = tuple(sorted(products, key=lambda r: (r.timestamp, r.file, r.position)))
        self._by_product: dict[tuple[int, str], list[RecordedProduct]] = defaultdict(list)
        for recorded in self.in_order:
            self._by_product[recorded.domain, recorded.asin].append(recorded)
        self._served: Counter[tuple[str, int, str]] = Counter()
        self._lock = threading.Lock()

    def check(self, clock: str, request: ProductRequest) -> None:
        """Checks that one envelope can serve the request now.

        Raises:
            Rejected: with status 400, where the products were not recorded together.
        """
        with self._lock:
            self._next(clock, request)

    def take(self, clock: str, request: ProductRequest) -> dict[str, RecordedProduct]:
        """The next recording of each product of the request, by ASIN; each `clock` goes through them on its own."""
        with self._lock:
            found = self._next(clock, request)
            for asin in found:
                self._served[clock, request.domain, asin] += 1
            return found

    def _next(self, clock: str, request: ProductRequest) -> dict[str, RecordedProduct]:
        found = {}
        for asin in request.asins:
            recorded = self._by_product.get((request.domain, asin))
            if recorded:
                found[asin] = recorded[self._served[clock, request.domain, asin] % len(recorded)]
        files = {product.file for product in found.values()}
        if len(files) > 1:
            raise Rejected(
                400,
                "invalidParameter",
                f"these ASINs were recorded in different responses ({', '.join(sorted(files))}), and a response has "
                "one timestamp: request one ASIN at a time",
                "asin",
            )
        return found


def _read(file: Path) -> list[RecordedProduct]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError) as error:
        raise PermanentError(f"{file} is not a recorded Keepa response: {error}") from None
    if not isinstance(content, dict):
        raise _not_a_response(file, "it is not a JSON object")
    if "products" not in content:
        last_update = content.get("lastUpdate")
        if not isinstance(last_update, int):
            raise _not_a_response(file, "it has neither `products` nor a `lastUpdate`")
        moment = (last_update + KEEPA_EPOCH_MINUTES) * 60_000
        content = {"timestamp": moment, "products": [content]}
    envelope = {name: value for name, value in content.items() if name != "products"}
    if not isinstance(envelope.get("timestamp"), int):
        raise _not_a_response(file, "its envelope has no `timestamp`")
    if not isinstance(content["products"], list) or not content["products"]:
        raise _not_a_response(file, "it holds no products")
    return [_product(file, envelope, k, product) for k, product in enumerate(content["products"])]


def _product(file: Path, envelope: dict[str, Any], position: int, product: object) -> RecordedProduct:
    if not isinstance(product, dict):
        raise _not_a_response(file, f"product {position} is not an object")
    asin, domain = product.get("asin"), product.get("domainId")
    if not isinstance(asin, str) or not isinstance(domain, int):
        raise _not_a_response(file, f"product {position} has no `asin` or no `domainId`")
    try:
        body = orjson.dumps(product)
    except TypeError as error:
        raise _not_a_response(file, f"product {position}: {error}") from None
    return RecordedProduct(envelope["timestamp"], file.name, position, domain, asin, body, envelope)


def _not_a_response(file: Path, why: str) -> PermanentError:
    return PermanentError(f"{file} is not a recorded Keepa response: {why}. Remove it or record it again whole.")
