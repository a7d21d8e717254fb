"""What is asked of Keepa: a question per product, and the requests that put several of them at once.

Here: how requests are written, how many products each has, and which products one is for. Not here: which question a
product gets, and sending requests (`connector.yaml`).

A request is written `DOMAIN:ASIN,ASIN,…|DAYS`, such as `3:B0D4M48BM2,B0D8W1YVBX|30`. Without DAYS it asks for the whole
history: Keepa's parameter `days` is left out. Records of earlier versions name one product, `DOMAIN:ASIN`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vp_pipeline.sources.keepa.series import DOMAINS

# Keepa's limit.
MOST_ASINS = 100
# So many days and more are the whole history: Keepa began in 2011.
WHOLE_HISTORY = 10_000

# One response is one record. Airbyte takes 20 MB (Airbyte Cloud's limits) and sets fields of larger ones to null, so a
# request asks for half of that at most. A product's whole history has up to 2 MB of JSON, and the rest of it at most
# 24 KB in recorded responses: 50 KB, and 350 bytes a day of at most 15 years.
_MOST_BYTES = 10_000_000
_BYTES_PER_PRODUCT = 50_000
_BYTES_PER_DAY = 350
_DAYS_OF_HISTORY = 5_500

ASIN = "[A-Z0-9]{10}"
DOMAIN = f"(?:{'|'.join(map(str, DOMAINS))})"


@dataclass(frozen=True)
class Question:
    """What is asked of a product, `DOMAIN:ASIN`: the last `days` of its history; None, or `WHOLE_HISTORY` and more: all
    of it."""

    product: str
    days: int | None

    @property
    def written_days(self) -> str:
        return "" if self.days is None or self.days >= WHOLE_HISTORY else str(self.days)


def requests(questions: Iterable[Question], most: int = MOST_ASINS) -> tuple[str, ...]:
    """The fewest requests that put every question once, whatever the order of the questions: sorted by marketplace,
    days (the whole history last) and ASIN. `most`: products per request, if their histories are not too long for it."""
    batches: dict[tuple[int, bool, int, str], set[str]] = defaultdict(set)
    for question in questions:
        domain, _, asin = question.product.partition(":")
        days = question.written_days
        batches[int(domain), not days, int(days or 0), days].add(asin)
    written = []
    for (domain_id, _, _, days), asins in sorted(batches.items()):
        ordered, size = sorted(asins), min(most, products_per_request(int(days) if days else None))
        parts = (ordered[start : start + size] for start in range(0, len(ordered), size))
        written += [f"{domain_id}:{','.join(part)}|{days}" for part in parts]
    return tuple(written)


def products_per_request(days: int | None) -> int:
    """How many products one request asks for, by the days of history (None: all of it): 100 up to 142 days, 5 of the
    whole history."""
    length = _BYTES_PER_PRODUCT + _BYTES_PER_DAY * min(days or _DAYS_OF_HISTORY, _DAYS_OF_HISTORY)
    return min(MOST_ASINS, _MOST_BYTES // length)


def questions_of(request: str) -> tuple[Question, ...]:
    """The questions that a request puts, in its order."""
    days = request.partition("|")[2]
    return tuple(Question(product, int(days) if days else None) for product in products_of(request))


def products_of(request: str) -> tuple[str, ...]:
    """The products that a request is for, as `DOMAIN:ASIN`; of a text that is no request, nothing that is one."""
    domain, _, asins = request.partition("|")[0].partition(":")
    return tuple(f"{domain}:{asin}" for asin in asins.split(","))


def halves(request: str) -> tuple[str, ...]:
    """The two requests of half of its products each; of one product there are none."""
    products = products_of(request)
    if len(products) == 1:
        return ()
    days, middle = request.partition("|")[2], len(products) // 2
    domain = products[0].partition(":")[0]
    asins = [product.partition(":")[2] for product in products]
    return tuple(f"{domain}:{','.join(half)}|{days}" for half in (asins[:middle], asins[middle:]))
