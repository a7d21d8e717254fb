"""Answers with orders, and what the models must make of them, computed with `Decimal` and `zoneinfo` alone.

Here: documents, their RAW rows, random ones, and the rule in Python. Not here: in which order they are loaded (tests).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

FIRST = date(2026, 11, 1)
START = datetime.combine(FIRST, datetime.min.time())
# Amazon's ID: time zone, currency, digits of the currency, whether its prices include tax.
MARKETS: dict[str | None, tuple[str, str, int, bool] | None] = {
    "ATVPDKIKX0DER": ("America/Los_Angeles", "USD", 2, False),
    "A1PA6795UKMFR9": ("Europe/Berlin", "EUR", 2, True),
    "A1VC38T7YXB528": ("Asia/Tokyo", "JPY", 0, True),
    None: None,
}
ASINS = ("B000000001", "B000000002", "B000000003")
STATUSES = ("PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED")
Excluded = Mapping[int, Collection[str] | None]  # by day: orders, or None: the day as a whole
Money = Decimal | None


@dataclass(frozen=True)
class Item:
    item_id: str
    asin: str
    units: int
    cancelled: int
    price: Money
    tax: Money
    discount: Money


@dataclass(frozen=True)
class Document:
    """An order as it was answered once."""

    order_id: str
    marketplace: str | None
    status: str
    purchased_at: datetime
    updated_at: datetime
    is_replacement: bool
    items: tuple[Item, ...]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def raw_rows(documents: Iterable[Document]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of both RAW tables."""
    orders, items = [], []
    for document in documents:
        market = MARKETS[document.marketplace]
        shared = {
            "order_id": document.order_id,
            "marketplace_id": document.marketplace,
            "order_status": document.status,
            "purchased_at": document.purchased_at,
            "last_updated_at": document.updated_at,
            "snapshot_at": document.updated_at,
        }
        orders.append({**shared, "is_replacement": document.is_replacement, "api_version": "2026-01-01"})
        for item in document.items:
            items.append(
                {
                    **shared,
                    "order_item_id": item.item_id,
                    "asin": item.asin,
                    "quantity_ordered": item.units,
                    "quantity_cancelled": item.cancelled,
                    "currency": None if item.price is None else market[1] if market else "USD",
                    "item_price": item.price,
                    "item_tax": item.tax,
                    "item_discount": item.discount,
                    "price_includes_tax": market[3] if market else None,
                }
            )
    return orders, items


def random_item(random: Random, item_id: str, digits: int, status: str) -> Item:
    def money(most: int) -> Decimal:
        return Decimal(random.randrange(most)).scaleb(-digits)

    priced = status not in ("PENDING", "PENDING_AVAILABILITY")
    units = random.randint(1, 4)
    cancelled = units if status == "CANCELLED" else random.choice((0, 0, 0, 1, units)) if priced else 0
    return Item(
        item_id,
        random.choice(ASINS),
        units,
        cancelled,
        money(100_000) + 100 if priced else None,
        money(900) if priced and random.random() < 0.7 else None,
        money(900) if priced and random.random() < 0.3 else None,
    )


def random_document(random: Random, number: int, status: str, purchased_at: datetime, updated_at: datetime) -> Document:
    """The order of that number; other items each time."""
    marketplace = list(MARKETS)[number % len(MARKETS)]
    market = MARKETS[marketplace]
    ids = random.sample(range(1, 5), random.randint(0 if number % 7 == 0 else 1, 3))
    items = tuple(random_item(random, str(each), market[2] if market else 3, status) for each in sorted(ids))
    return Document(
        f"902-{number:07d}-0000001", marketplace, status, purchased_at, updated_at, number % 11 == 10, items
    )


def newest(answers: Mapping[int, Iterable[Document]], excluded: Excluded) -> dict[str, tuple[int, Document]]:
    """Of each order that is not excluded, the newest update; of equal ones that of the latest day, with the day."""
    found: dict[str, tuple[int, Document]] = {}
    for number, documents in answers.items():
        left_out = excluded.get(number, ())
        for document in documents:
            if left_out is None or document.order_id in left_out:
                continue
            before = found.get(document.order_id)
            if before is None or (before[1].updated_at, before[0]) < (document.updated_at, number):
                found[document.order_id] = (number, document)
    return found


def expected_orders(found: Mapping[str, tuple[int, Document]]) -> set[tuple[Any, ...]]:
    return {(d.order_id, d.status, d.updated_at, day(number)) for number, d in found.values()}


def expected_items(found: Mapping[str, tuple[int, Document]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By order and item: ASIN, marketplace, UTC day, local day, state, units ordered, units sold, revenue."""
    rows = {}
    for _, document in found.values():
        market = MARKETS[document.marketplace]
        moment = document.purchased_at.replace(tzinfo=ZoneInfo("UTC"))
        local = moment.astimezone(ZoneInfo(market[0])).date() if market else None
        for item in document.items:
            state, revenue = state_and_revenue(document, item)
            sold = 0 if state == "replacement" else item.units - item.cancelled
            at = (item.asin, document.marketplace, document.purchased_at.date(), local)
            rows[document.order_id, item.item_id] = (*at, state, item.units, sold, revenue)
    return rows


def state_and_revenue(document: Document, item: Item) -> tuple[str, Money]:
    market = MARKETS[document.marketplace]
    if document.status == "CANCELLED" or item.cancelled == item.units:
        return "cancelled", Decimal(0)
    if document.is_replacement:
        return "replacement", Decimal(0)
    if document.status in ("PENDING", "PENDING_AVAILABILITY"):
        return "pending", None
    if item.price is None or (market is None and item.tax):
        return "unknown", None
    included = item.tax if market and market[3] and item.tax else Decimal(0)
    return "charged", item.price - (item.discount or Decimal(0)) - included


def expected_days(items: Mapping[tuple[str, str], tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """By ASIN, marketplace, UTC day and local day: orders, items, units sold, units with a price, revenue."""
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for (order_id, _), (*at, state, ordered, sold, revenue) in items.items():
        groups[tuple(at)].append((order_id, state, ordered, sold, revenue))
    return {
        at: (
            len({row[0] for row in rows}),
            len(rows),
            sum(row[3] for row in rows),
            sum(row[2] for row in rows if row[1] == "charged"),
            sum((row[4] for row in rows if row[4] is not None), Decimal(0)),
        )
        for at, rows in groups.items()
    }
