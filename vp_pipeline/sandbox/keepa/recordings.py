"""Recorded responses, served again as they were.

Here: reading the recordings and choosing the next one. Not here: generated responses (`product_object.py`).

A recording is a file `*.json`: a whole envelope, or a single product object, whose moment is then its `lastUpdate`, or
a list of these. What holds no product (a response of another kind, half a file) is left out, by name.
Several responses for one product are successive: each request gets the next, and after the last the first again.
"""

import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.sandbox.keepa.request import ProductRequest, Rejected
from vp_pipeline.sources.keepa.series import DOMAINS, KEEPA_EPOCH_MINUTES

# What the connector can request; its spec has the same pattern.
_ASIN = re.compile(r"[A-Z0-9]{10}")


@dataclass(frozen=True)
class RecordedProduct:
    """One recorded product. `timestamp` in ms is its envelope's; `response` numbers the responses of its file. `asin`
    is what it is requested by, in upper case; `body`, strict JSON, has it as it was recorded."""

    timestamp: int
    file: str
    response: int
    position: int
    domain: int
    asin: str
    body: bytes
    envelope: dict[str, Any]


class Recordings:
    """Every recorded response of a folder. `left_out`: what in it holds no product, each as a sentence with its file.

    Raises:
        PermanentError: the folder has no recordings; the message names what was left out.
    """

    def __init__(self, folder: Path) -> None:
        products: list[RecordedProduct] = []
        left_out: list[str] = []
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            for found in _read(file):
                if isinstance(found, RecordedProduct):
                    products.append(found)
                else:
                    left_out.append(f"{file.name} is not a recorded Keepa response: {found}.")
        if not products:
            raise PermanentError(
                f"{folder} holds no recorded Keepa responses (*.json). {' '.join([*left_out, ''])}Set "
                "VP_KEEPA_RECORDINGS to a folder that does, or unset it."
            )
        self.left_out = tuple(left_out)
        self.in_order = tuple(sorted(products, key=lambda r: (r.timestamp, r.file, r.response, r.position)))
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
        if len({(product.file, product.response) for product in found.values()}) > 1:
            files = ", ".join(sorted({product.file for product in found.values()}))
            raise Rejected(
                400,
                "invalidParameter",
                f"these ASINs were recorded in different responses ({files}), and a response has one timestamp: "
                "request one ASIN at a time",
                "asin",
            )
        return found


class _NotAProduct(Exception):
    """Why a piece of a recording cannot be served."""


def _read(file: Path) -> Iterator[RecordedProduct | str]:
    """The products of a file, and why a piece of it (or all of it) holds none."""
    try:
        # "utf-8-sig": some editors begin a file with a byte order mark.
        content = json.loads(file.read_text(encoding="utf-8-sig"), parse_constant=lambda _: None)
    except (OSError, ValueError) as error:
        yield str(error)
        return
    for number, response in enumerate(content if isinstance(content, list) else [content]):
        try:
            envelope, products = _envelope(response)
        except _NotAProduct as problem:
            yield f"item {number}: {problem}" if isinstance(content, list) else str(problem)
            continue
        for position, product in enumerate(products):
            try:
                yield _product((file.name, number, position), envelope, product)
            except _NotAProduct as problem:
                yield f"product {position} {problem}"
    if content == []:
        yield "it is an empty list"


def _envelope(response: object) -> tuple[dict[str, Any], list[object]]:
    """A response as its envelope and its products; a single product gets an envelope of its own."""
    if not isinstance(response, dict):
        raise _NotAProduct("it is not a JSON object")
    if "products" not in response:
        last_update = response.get("lastUpdate")
        if not isinstance(last_update, int):
            raise _NotAProduct("it has neither `products` nor a `lastUpdate`")
        return {"timestamp": (last_update + KEEPA_EPOCH_MINUTES) * 60_000}, [response]
    envelope = {name: value for name, value in response.items() if name != "products"}
    if not isinstance(envelope.get("timestamp"), int):
        raise _NotAProduct("its envelope has no `timestamp`")
    if not isinstance(response["products"], list) or not response["products"]:
        raise _NotAProduct("it holds no products: whatever was requested was not answered")
    return envelope, response["products"]


def _product(place: tuple[str, int, int], envelope: dict[str, Any], product: object) -> RecordedProduct:
    if not isinstance(product, dict):
        raise _NotAProduct("is not an object")
    asin, domain = product.get("asin"), product.get("domainId")
    if not isinstance(asin, str) or not isinstance(domain, int):
        raise _NotAProduct("has no `asin` or no `domainId`")
    if domain not in DOMAINS:
        raise _NotAProduct(f"cannot be requested: its domainId is {domain}")
    if not _ASIN.fullmatch(asin.upper()):
        raise _NotAProduct(f"cannot be requested: its asin is {asin[:40]!r}")
    try:
        body = orjson.dumps(product)
    except TypeError as error:
        raise _NotAProduct(f"cannot be written as JSON: {error}") from None
    return RecordedProduct(envelope["timestamp"], *place, domain, asin.upper(), body, envelope)
