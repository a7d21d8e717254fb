"""A `/product` request: its parameters and its price in tokens.

Here: parsing and checking the query. Not here: the response (`product_object.py`, `recordings.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vp_pipeline.sources.keepa.series import DOMAINS

MOST_ASINS = 100
_ASIN = re.compile(r"[A-Z0-9]{10}")
_MOST_DAYS = 100_000


class Rejected(Exception):
    """A request that Keepa would reject: the HTTP status and Keepa's `error` object."""

    def __init__(self, status: int, kind: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, "details": details}


@dataclass(frozen=True)
class ProductRequest:
    """A checked request. `days` and `stats` are None where not requested."""

    domain: int
    asins: tuple[str, ...]
    stats: int | None = None
    days: int | None = None
    history: bool = True
    rating: bool = False
    buybox: bool = False
    offers: int | None = None

    @property
    def tokens(self) -> int:
        """What Keepa charges for it: 1 per ASIN, or 6 per ten offers; rating 1 more, the buy box 2 more.

        The real Keepa charges nothing for a rating that it has looked up lately; here it always costs 1. Offers
        include the buy box.
        """
        each = 1 + 2 * self.buybox if self.offers is None else 6 * -(-self.offers // 10)
        return (each + self.rating) * len(self.asins)


def parse(query: Mapping[str, str]) -> ProductRequest:
    """Parses the query of a `/product` request.

    Raises:
        Rejected: with status 400; the error's details name the parameter.
    """
    domain = _number(query, "domain", 1, 99)
    if domain not in DOMAINS:
        known = ", ".join(map(str, DOMAINS))
        raise _invalid("domain", f"domain must be one of {known}, not {query.get('domain') or 'missing'}")
    asins = tuple(dict.fromkeys(part.strip() for part in query.get("asin", "").split(",") if part.strip()))
    if not asins:
        raise _invalid("asin", "asin is missing: give 1 to 100 ASINs, separated by commas")
    if len(asins) > MOST_ASINS:
        raise _invalid("asin", f"asin takes at most {MOST_ASINS} ASINs, not {len(asins)}")
    for asin in asins:
        if not _ASIN.fullmatch(asin):
            raise _invalid("asin", f"asin holds {asin[:40]!r}, and an ASIN is ten of A-Z and 0-9")
    _number(query, "update", -1, _MOST_DAYS)
    return ProductRequest(
        domain=domain,
        asins=asins,
        stats=_number(query, "stats", 1, _MOST_DAYS),
        days=_number(query, "days", 1, _MOST_DAYS),
        history=_number(query, "history", 0, 1) != 0,
        rating=_number(query, "rating", 0, 1) == 1,
        buybox=_number(query, "buybox", 0, 1) == 1,
        offers=_number(query, "offers", 20, 100),
    )


def _number(query: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    text = query.get(name)
    if text is None or text == "":
        return None
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise _invalid(name, f"{name} must be a whole number from {low} to {high}, not {text[:40]!r}")
    return int(text)


def _invalid(parameter: str, message: str) -> Rejected:
    return Rejected(400, "invalidParameter", message, parameter)
