"""Recorded answers, served again as they were.

Here: reading the recordings and choosing the next one. Not here: making answers up (`answer.py`).

A recording is a file `*.json`: a whole envelope, or a lone product object, whose moment is then its `lastUpdate`.
Several answers for one product are successive answers: each request gets the next, and after the last the
first again.
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
class Recorded:
    """One recorded product. `timestamp` in ms is its envelope's; `body` is strict JSON."""

    timestamp: int
    file: str
    position: int
    domain: int
    asin: str
    body: bytes
    envelope: dict[str, Any]


class Recordings:
    """Every recorded answer of a folder.

    Raises:
        PermanentError: the folder has no answers, or a file cannot be read; the message names it.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.json")) if folder.is_dir() else []
        answers = [recorded for file in files for recorded in _read(file)]
        if not answers:
            raise PermanentError(
                f"{folder} holds no recorded Keepa answers (*.json). Point the recordings setting at a folder "
                "that does, or unset it."
            )
        self.in_order = tuple(sorted(answers, key=lambda r: (r.timestamp, r.file, r.position)))
        self._of: dict[tuple[int, str], list[Recorded]] = defaultdict(list)
        for recorded in self.in_order:
            self._of[recorded.domain, recorded.asin].append(recorded)
        self._served: Counter[tuple[str, int, str]] = Counter()
        self._lock = threading.Lock()

    def check(self, clock: str, request: ProductRequest) -> None:
        """Whether one envelope can answer the request now.

        Raises:
            Rejected: with status 400, where the products were not recorded together.
        """
        with self._lock:
            self._next(clock, request)

    def take(self, clock: str, request: ProductRequest) -> dict[str, Recorded]:
        """The next answer for each recorded product of the request, by ASIN; `clock` has its own succession."""
        with self._lock:
            found = self._next(clock, request)
            for asin in found:
                self._served[clock, request.domain, asin] += 1
            return found

    def _next(self, clock: str, request: ProductRequest) -> dict[str, Recorded]:
        found = {}
        for asin in request.asins:
            answers = self._of.get((request.domain, asin))
            if answers:
                found[asin] = answers[self._served[clock, request.domain, asin] % len(answers)]
        files = {recorded.file for recorded in found.values()}
        if len(files) > 1:
            raise Rejected(
                400,
                "invalidParameter",
                f"these ASINs were recorded in different answers ({', '.join(sorted(files))}), and an answer has "
                "one timestamp: ask for one ASIN at a time",
                "asin",
            )
        return found


def _read(file: Path) -> list[Recorded]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (OSError, ValueError) as error:
        raise PermanentError(f"{file} is not a recorded Keepa answer: {error}") from None
    if not isinstance(content, dict):
        raise _not_an_answer(file, "it is not a JSON object")
    if "products" not in content:
        last_update = content.get("lastUpdate")
        if not isinstance(last_update, int):
            raise _not_an_answer(file, "it has neither `products` nor a `lastUpdate`")
        moment = (last_update + KEEPA_EPOCH_MINUTES) * 60_000
        content = {"timestamp": moment, "products": [content]}
    envelope = {name: value for name, value in content.items() if name != "products"}
    if not isinstance(envelope.get("timestamp"), int):
        raise _not_an_answer(file, "its envelope has no `timestamp`")
    if not isinstance(content["products"], list) or not content["products"]:
        raise _not_an_answer(file, "it holds no products")
    return [_product(file, envelope, k, product) for k, product in enumerate(content["products"])]


def _product(file: Path, envelope: dict[str, Any], position: int, product: object) -> Recorded:
    if not isinstance(product, dict):
        raise _not_an_answer(file, f"product {position} is not an object")
    asin, domain = product.get("asin"), product.get("domainId")
    if not isinstance(asin, str) or not isinstance(domain, int):
        raise _not_an_answer(file, f"product {position} has no `asin` or no `domainId`")
    try:
        body = orjson.dumps(product)
    except TypeError as error:
        raise _not_an_answer(file, f"product {position}: {error}") from None
    return Recorded(envelope["timestamp"], file.name, position, domain, asin, body, envelope)


def _not_an_answer(file: Path, why: str) -> PermanentError:
    return PermanentError(f"{file} is not a recorded Keepa answer: {why}. Remove it or record it again whole.")
