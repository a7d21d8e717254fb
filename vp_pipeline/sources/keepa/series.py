"""Keepa's price types (`csv[i]`) and marketplaces, as its published client names them.

Here: constants and lookups. Source: Keepa's Java client, `Product.CsvType` and `AmazonLocale`.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["price", "rank", "review", "offer_count"]


@dataclass(frozen=True)
class Series:
    """One `csv` history. `with_shipping`: triples `[t, price, shipping]` instead of pairs `[t, value]`."""

    index: int
    name: str
    kind: Kind
    with_shipping: bool = False


_NOT_MONEY: dict[str, Kind] = {
    "SALES": "rank",
    "RATING": "review",
    "COUNT_REVIEWS": "review",
    "COUNT_NEW": "offer_count",
    "COUNT_USED": "offer_count",
    "COUNT_REFURBISHED": "offer_count",
    "COUNT_COLLECTIBLE": "offer_count",
    "COUNT_NEW_FBA": "offer_count",
    "COUNT_NEW_FBM": "offer_count",
    # When Keepa refreshed a product's offers; the only series whose value may be negative for good reason.
    "EXTRA_INFO_UPDATES": "offer_count",
}

_NAMES = (
    "AMAZON", "NEW", "USED", "SALES", "LISTPRICE", "COLLECTIBLE", "REFURBISHED", "NEW_FBM_SHIPPING",
    "LIGHTNING_DEAL", "WAREHOUSE", "NEW_FBA", "COUNT_NEW", "COUNT_USED", "COUNT_REFURBISHED",
    "COUNT_COLLECTIBLE", "EXTRA_INFO_UPDATES", "RATING", "COUNT_REVIEWS", "BUY_BOX_SHIPPING",
    "USED_NEW_SHIPPING", "USED_VERY_GOOD_SHIPPING", "USED_GOOD_SHIPPING", "USED_ACCEPTABLE_SHIPPING",
    "COLLECTIBLE_NEW_SHIPPING", "COLLECTIBLE_VERY_GOOD_SHIPPING", "COLLECTIBLE_GOOD_SHIPPING",
    "COLLECTIBLE_ACCEPTABLE_SHIPPING", "REFURBISHED_SHIPPING", "EBAY_NEW_SHIPPING", "EBAY_USED_SHIPPING",
    "TRADE_IN", "RENT", "BUY_BOX_USED_SHIPPING", "PRIME_EXCL", "COUNT_NEW_FBA", "COUNT_NEW_FBM",
)  # fmt: skip

SERIES: tuple[Series, ...] = tuple(
    Series(i, name, _NOT_MONEY.get(name, "price"), with_shipping=name.endswith("_SHIPPING"))
    for i, name in enumerate(_NAMES)
)
SERIES_NAMES: tuple[str, ...] = _NAMES


def names_of(kind: Kind) -> tuple[str, ...]:
    """The names of all series of one kind, in Keepa's order."""
    return tuple(s.name for s in SERIES if s.kind == kind)


@dataclass(frozen=True)
class Domain:
    """One Amazon marketplace. Money is in the currency's smallest unit: `10 ** -minor_digits` of it."""

    id: int
    code: str
    host: str
    currency: str
    minor_digits: int


DOMAINS: dict[int, Domain] = {
    d.id: d
    for d in (
        Domain(1, "US", "amazon.com", "USD", 2),
        Domain(2, "GB", "amazon.co.uk", "GBP", 2),
        Domain(3, "DE", "amazon.de", "EUR", 2),
        Domain(4, "FR", "amazon.fr", "EUR", 2),
        Domain(5, "JP", "amazon.co.jp", "JPY", 0),
        Domain(6, "CA", "amazon.ca", "CAD", 2),
        Domain(8, "IT", "amazon.it", "EUR", 2),
        Domain(9, "ES", "amazon.es", "EUR", 2),
        Domain(10, "IN", "amazon.in", "INR", 2),
        Domain(11, "MX", "amazon.com.mx", "MXN", 2),
        Domain(12, "BR", "amazon.com.br", "BRL", 2),
    )
}

# Keepa counts minutes from 2011-01-01T00:00Z: unix seconds = (t + 21 564 000) * 60.
# `productType` of a product that Keepa has no data of, and why.
NOT_A_PRODUCT = {3: "inaccessible", 4: "invalid"}
KEEPA_EPOCH_MINUTES = 21_564_000


def keepa_minute(unix_seconds: float) -> int:
    """The Keepa minute that holds a moment given in unix seconds (UTC)."""
    return int(unix_seconds // 60) - KEEPA_EPOCH_MINUTES
