"""Three products with a hundred days of random histories in every table, and the project built on them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

FIRST = date(2026, 8, 1)
DAYS = 100
CUTS = (1, 60)  # the days, counted from the first, that begin where data is cut
SNAPSHOT = datetime(2026, 11, 9, 17, 40, 20)
PRODUCTS = (("A000000001", 1), ("A000000002", 1), ("A000000001", 5))
CURRENCY = {1: "USD", 5: "JPY"}
STOCK = ("AMAZON", "NEW", "NEW_FBA", "NEW_FBM_SHIPPING", "BUY_BOX_SHIPPING")
Row = dict[str, Any]
Rows = dict[str, list[Row]]


def points(random: Random, often: int) -> list[datetime]:
    """Some moments of the hundred days, in order: one of them at 00:00 sharp, two in each day that a cut takes away."""
    minutes = {random.randrange(DAYS * 1440) for _ in range(often)} | {1440 * random.randrange(DAYS)}
    minutes |= {1440 * cut + random.randrange(1440) for cut in CUTS for _ in range(2)}
    start = datetime.combine(FIRST, datetime.min.time())
    return [start + timedelta(minutes=minute) for minute in sorted(minutes)]


def number_or_none(random: Random, low: int, high: int) -> int:
    return -1 if random.random() < 0.2 else random.randrange(low, high)


def prices(random: Random, domain: int) -> list[Row]:
    found = []
    for series in (*STOCK, "USED", "LISTPRICE"):
        for at in points(random, 30):
            price = number_or_none(random, 1_000, 3_000)
            money = {"price": price, "landed_price": price, "currency": CURRENCY[domain]}
            found.append({"series": series, "observed_at": at, **money})
    return found


def ranks(random: Random, categories: Sequence[int]) -> list[Row]:
    """Of each category; 0 is the SALES series, the other categories are of CATEGORY."""
    return [
        {
            "series": "CATEGORY" if category else "SALES",
            "category_id": category,
            "observed_at": at,
            "sales_rank": number_or_none(random, 1, 100_000),
        }
        for category in categories
        for at in points(random, 60)
    ]


def values(random: Random, series: str, often: int, high: int) -> list[Row]:
    return [
        {"series": series, "observed_at": at, "value": number_or_none(random, 0, high)} for at in points(random, often)
    ]


def sellers(random: Random) -> list[Row]:
    return [
        {"observed_at": at, "seller_id": random.choice(("ONE", "TWO", "THREE", "-1", "-2"))}
        for at in points(random, 40)
    ]


def sales(random: Random) -> list[Row]:
    return [{"observed_at": at, "monthly_sold": number_or_none(random, 50, 500)} for at in points(random, 8)]


def references(random: Random) -> list[Row]:
    """Categories that have no history of their own, none, and points that could not be read."""
    return [{"observed_at": at, "category_id": random.choice((9, 9, 10, -1, None))} for at in points(random, 8)]


def random_rows() -> Rows:
    """RAW rows of three products in every table, by table; values out of stock, not ranked and not known among them."""
    random = Random(20261109)
    rows: Rows = {}
    for number, (asin, domain) in enumerate(PRODUCTS):
        of_product = {
            "price": prices(random, domain),
            "rank": ranks(random, (0, 7, 8) if number else (7, 8)),  # the first has no SALES history
            "review": values(random, "RATING", 20, 51) + values(random, "COUNT_REVIEWS", 20, 9_000),
            "offer_count": values(random, "COUNT_NEW", 40, 9),
            "buy_box": sellers(random),
            "monthly_sold": sales(random),
            "rank_reference": references(Random(number)),
        }
        for table, found in of_product.items():
            rows.setdefault(table, []).extend({"asin": asin, "domain_id": domain, **row} for row in found)
    return rows


def build(warehouse: Any, end: datetime, *selected: str) -> Any:
    """The warehouse with the project, or what is selected of it, built on what had happened before `end`, in
    answers of that moment."""
    run_date = end.date()
    for name, rows in random_rows().items():
        known = [{**row, "snapshot_at": end} for row in rows if row["observed_at"] < end]
        warehouse.load(name, run_date, known)
    warehouse.load(
        "product",
        run_date,
        [
            {
                "asin": asin,
                "domain_id": domain,
                "snapshot_at": end,
                "product_type": 0,
                # Where it is filed changes with each answer: no feature may depend on it.
                "title": f"Title of {end}",
                "brand": f"Brand {asin[-1]}",
                "sales_rank_category_id": 7 + end.day % 2,
                "root_category_id": 7,
            }
            for asin, domain in PRODUCTS
        ],
    )
    warehouse.must("build", "--exclude-resource-type", "unit_test", *selected)
    return warehouse
