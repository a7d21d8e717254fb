"""The sandbox's one small world, as its APIs share it: its products, and what each costs and ranks at a moment.

Here: that view, from one seed. Not here: how prices and ranks are generated (`keepa/generated/`), and what an API makes
of it (a folder per API).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np

from vp_pipeline.sandbox.keepa.generated.catalogue import BY_KEY, CATALOGUE
from vp_pipeline.sandbox.keepa.generated.draws import Draws as Draws
from vp_pipeline.sandbox.keepa.generated.histories import GENERATED_UNTIL, histories_of
from vp_pipeline.sandbox.keepa.generated.step_functions import Points
from vp_pipeline.sources.keepa.series import DOMAINS, SERIES_NAMES, keepa_minute

UNTIL: date = GENERATED_UNTIL
_BUY_BOX, _NEW = SERIES_NAMES.index("BUY_BOX_SHIPPING"), SERIES_NAMES.index("NEW")


@dataclass(frozen=True)
class Product:
    """One product in one marketplace. `usual_price` is in `currency`, which has `digits` after the point."""

    country: str
    asin: str
    title: str
    currency: str
    digits: int
    usual_price: Decimal
    number: int  # the marketplace's, in the catalogue


@dataclass(frozen=True)
class Offer:
    """What the product is offered for, and its sales rank (1 is best)."""

    price: Decimal
    rank: int


def products() -> Iterator[Product]:
    """Every product, the same for each seed."""
    for entry in CATALOGUE:
        domain = DOMAINS[entry.domain]
        price = Decimal(entry.price).scaleb(-domain.minor_digits)
        yield Product(domain.code, entry.asin, entry.title, domain.currency, domain.minor_digits, price, entry.domain)


def offer_at(seed: int, product: Product, moment: datetime) -> Offer | None:
    """The offer at a moment (UTC); None: it is not listed yet, or out of stock."""
    entry = BY_KEY[product.number, product.asin]
    histories = histories_of(seed, entry)
    minute = keepa_minute(moment.replace(tzinfo=UTC).timestamp())
    price = _at(histories.csv.get(_BUY_BOX, histories.csv[_NEW]), minute)
    if minute < histories.tracking_since or price < 0:
        return None
    rank = _at(histories.ranks[entry.root[0]], minute)
    return Offer(Decimal(price).scaleb(-product.digits), rank if rank > 0 else entry.rank)


def _at(history: Points, minute: int) -> int:
    """The value in force; -1: none."""
    position = int(np.searchsorted(history[:, 0], minute, side="right")) - 1
    return -1 if position < 0 else int(history[position, 1])
