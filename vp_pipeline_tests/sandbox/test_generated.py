"""The sandbox's generated responses: the same each time, and tomorrow's extend today's."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from vp_pipeline.sources.keepa.series import SERIES
from vp_pipeline_tests.sandbox.client import DAY, KeepaSandbox, catalogue, get, get_product, keepa_minute

ENTRIES = catalogue(None, 7)
TOKEN_FIELDS = {"tokensLeft", "refillIn", "tokensConsumed", "processingTimeInMs"}
US, CHILD, OLD, RANKED, NEWCOMER = ENTRIES[0], ENTRIES[1], ENTRIES[2], ENTRIES[3], ENTRIES[4]
YEN = "5:B0SBXJPN10"


def width(index: int) -> int:
    return 3 if SERIES[index].with_shipping else 2


def rows(flat: list[Any] | None, columns: int) -> list[tuple[Any, ...]]:
    return list(zip(*(flat[k::columns] for k in range(columns)), strict=True)) if flat else []


def histories(product: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Every history of a product object, as rows."""
    found = {f"csv {i}": rows(flat, width(i)) for i, flat in enumerate(product["csv"])}
    found |= {f"rank {category}": rows(flat, 2) for category, flat in (product["salesRanks"] or {}).items()}
    found |= {
        name: rows(product[name], columns)
        for name, columns in (
            ("monthlySoldHistory", 2),
            ("couponHistory", 3),
            ("buyBoxSellerIdHistory", 2),
            ("parentAsinHistory", 2),
        )
    }
    return found


def test_the_catalogue_is_twelve_products_in_four_marketplaces() -> None:
    assert len(ENTRIES) == len(set(ENTRIES)) == 12
    assert {entry.split(":")[0] for entry in ENTRIES} == {"1", "2", "3", "5"}
    assert len({entry.split(":")[1] for entry in ENTRIES}) == 11, "one ASIN is in two marketplaces"
    assert catalogue(None, 8) == ENTRIES


def test_a_response_as_of_a_day_is_the_same_each_time_and_for_each_server(sandbox: KeepaSandbox) -> None:
    params: dict[str, Any] = {"domain": 1, "asin": "B0SBXUSA01,B0SBXUSA03", "stats": 90, "rating": 1, "buybox": 1}
    first, again = (get(sandbox.url_as_of(DAY), **params).json() for _ in range(2))
    with KeepaSandbox() as other, KeepaSandbox(seed=8) as another_seed:
        from_other = get(other.url_as_of(DAY), **params).json()
        different = get(another_seed.url_as_of(DAY), **params).json()
    for envelope in (first, again, from_other, different):
        assert envelope["timestamp"] == 1_790_899_199_999, "2026-10-02T00:00:00Z less one millisecond"
        for name in TOKEN_FIELDS:
            del envelope[name]
    assert list(first.items()) == list(again.items()) == list(from_other.items())
    assert first["products"] != different["products"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_later_response_extends_an_earlier_one(sandbox: KeepaSandbox, entry: str) -> None:
    days = (date(2025, 3, 8), date(2026, 2, 15), date(2026, 2, 16), DAY, DAY + timedelta(1), date(2030, 12, 31))
    responses = [(day, get_product(sandbox, entry, day)) for day in reversed(days)][::-1]
    known = [(day, product) for day, product in responses if product["productType"] == 0]
    for (_, earlier), (_, later) in pairwise(known):
        assert earlier["trackingSince"] == later["trackingSince"]
        now_there = histories(later)
        for name, points in histories(earlier).items():
            assert now_there[name][: len(points)] == points, name
    before, after = histories(known[-2][1]), histories(known[-1][1])
    assert sum(map(len, after.values())) > sum(map(len, before.values())), "the histories continue until 2030"


@pytest.mark.parametrize("entry", ENTRIES)
def test_histories_look_as_real_ones_do(sandbox: KeepaSandbox, entry: str) -> None:
    product = get_product(sandbox, entry)
    now = keepa_minute(DAY)
    assert product["lastUpdate"] <= now
    for name, points in histories(product).items():
        minutes = [int(point[0]) for point in points]
        assert all(a < b for a, b in pairwise(minutes)), name
        assert all(minute % 2 == 0 and product["trackingSince"] <= minute <= now for minute in minutes), name
    for series, flat in zip(SERIES, product["csv"], strict=False):
        points = rows(flat, width(series.index))
        lowest = min((point[1] for point in points), default=0)
        assert lowest >= -1 or series.name == "EXTRA_INFO_UPDATES", series.name
        if series.with_shipping:
            assert all((price == -1) == (shipping == -1) for _, price, shipping in points), series.name
        if series.name == "RATING":
            assert all(41 <= value <= 47 for _, value in points)
        if series.name == "COUNT_REVIEWS":
            assert all(a[1] <= b[1] for a, b in pairwise(points))


def test_the_catalogue_has_each_peculiarity(sandbox: KeepaSandbox) -> None:
    products = {entry: get_product(sandbox, entry) for entry in ENTRIES}
    assert {len(product["csv"]) for product in products.values()} == {34, 36}
    assert products[RANKED]["csv"][3] is None
    assert products[RANKED]["salesRankReference"] == -1
    assert len(products[RANKED]["salesRanks"]) == 2
    assert min(map(len, products[RANKED]["salesRanks"].values())) > 2000
    assert products[CHILD]["parentAsin"] in products[CHILD]["parentAsinHistory"]
    assert "-1" in products[CHILD]["parentAsinHistory"]
    assert keepa_minute(DAY) - products[NEWCOMER]["trackingSince"] < 60 * 1440
    stocked_out = [p for p in products.values() if -1 in (p["csv"][18] or [])[1::3]]
    assert stocked_out
    sellers = {text for p in products.values() for text in (p["buyBoxSellerIdHistory"] or [])[1::2]}
    assert {"-1", "-2"} < sellers
    assert any(value < 0 for p in products.values() for value in (p["csv"][15] or [])[1::2])
    assert any(a[1] == b[1] for p in products.values() for a, b in pairwise(rows(p["csv"][10], 2))), (
        "some values repeat"
    )


def test_yen_are_whole_and_dollars_have_cents(sandbox: KeepaSandbox) -> None:
    yen = [price for price in get_product(sandbox, YEN)["csv"][10][1::2] if price >= 0]
    cents = [price for price in get_product(sandbox, US)["csv"][10][1::2] if price >= 0]
    assert all(1_000 < price < 10_000 for price in yen)
    assert {price % 100 for price in yen} <= {0, 50, 80, 98}
    assert sum(price % 100 in (99, 95, 49) for price in cents) > len(cents) / 2


def test_new_is_the_cheapest_offer_and_counts_shipping_only_since_february_2026(sandbox: KeepaSandbox) -> None:
    product = get_product(sandbox, OLD)
    switch = keepa_minute(date(2026, 2, 15)) + 1

    def at(index: int, minute: int) -> list[int]:
        held = [point for point in rows(product["csv"][index], width(index)) if point[0] <= minute]
        return list(held[-1][1:]) if held else [-1, -1]

    for minute, price in rows(product["csv"][1], 2)[-400:]:
        merchant, shipping = at(7, minute)
        merchant += max(shipping, 0) if minute >= switch else 0
        offers = [offer for offer in (at(0, minute)[0], at(10, minute)[0], merchant) if offer >= 0]
        assert price == min(offers, default=-1)


def test_a_product_is_unknown_before_keepa_tracked_it(sandbox: KeepaSandbox) -> None:
    assert get_product(sandbox, NEWCOMER, date(2026, 8, 1))["productType"] == 4
    assert get_product(sandbox, NEWCOMER, date(2026, 8, 24))["productType"] == 0


def test_the_end_of_the_data_is_reported(sandbox: KeepaSandbox) -> None:
    response = get(sandbox.url_as_of(date(2036, 1, 1)), domain=1, asin="B0SBXUSA01")
    assert response.status_code == 400
    assert "2036-01-01" in response.json()["error"]["message"]


def test_the_real_present_is_the_clock_without_a_prefix(sandbox: KeepaSandbox) -> None:
    envelope = get(sandbox.url, domain=1, asin="B0SBXUSA01").json()
    (product,) = envelope["products"]
    assert product["lastUpdate"] <= envelope["timestamp"] // 60_000 - 21_564_000
