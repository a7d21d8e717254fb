"""The options of a request, and what each returns."""

from collections.abc import Sequence
from typing import Any

import pytest

from vp_pipeline_tests.sandbox.client import DAY, KeepaSandbox, get, get_product, keepa_minute

US, USED = "1:B0SBXUSA01", "1:B0SBXUSA03"
NOW = keepa_minute(DAY)
SHIPPING = {7, 18, 19, 20, 21, 22, 32}


def test_ratings_and_the_buy_box_come_only_when_requested(sandbox: KeepaSandbox) -> None:
    everything = get_product(sandbox, USED)
    assert all(everything["csv"][i] for i in (15, 16, 17, 18, 32))
    assert everything["buyBoxSellerIdHistory"]

    plain = get_product(sandbox, USED, rating=0, buybox=0)
    assert all(plain["csv"][i] is None for i in (15, 16, 17, 18, 32))
    assert plain["buyBoxSellerIdHistory"] is None
    assert [plain["stats"]["current"][i] for i in (16, 17, 18)] == [-1, -1, -1]
    shown = [i for i, history in enumerate(plain["csv"]) if history]
    assert [plain["csv"][i] for i in shown] == [everything["csv"][i] for i in shown]

    assert get_product(sandbox, USED, rating=1, buybox=0)["csv"][17] == everything["csv"][17]
    assert get_product(sandbox, USED, rating=0, buybox=1)["csv"][18] == everything["csv"][18]


def test_stats_come_only_when_requested_whatever_else_is_sent(sandbox: KeepaSandbox) -> None:
    assert get_product(sandbox, US, stats="")["stats"] is None
    full = get_product(sandbox, US)["stats"]
    assert get_product(sandbox, US, days=30)["stats"] == full
    without = get_product(sandbox, US, history=0)
    assert without["stats"] == full
    assert without["csv"] is None
    assert without["salesRanks"] is None
    assert without["buyBoxSellerIdHistory"] is None
    assert without["title"]


@pytest.mark.parametrize("days", [1, 30, 365])
def test_days_cut_each_history_but_keep_what_is_in_force(sandbox: KeepaSandbox, days: int) -> None:
    whole, cut = get_product(sandbox, USED), get_product(sandbox, USED, days=days)
    start = NOW - days * 1440
    pairs = [(2 + (i in SHIPPING), a, cut["csv"][i]) for i, a in enumerate(whole["csv"]) if a]
    pairs += [(2, flat, cut["salesRanks"][category]) for category, flat in whole["salesRanks"].items()]
    pairs += [(2, whole[name], cut[name]) for name in ("monthlySoldHistory", "buyBoxSellerIdHistory")]
    pairs += [(3, whole["couponHistory"], cut["couponHistory"])]
    for columns, flat, sent in pairs:
        minutes = [int(minute) for minute in flat[::columns]]
        before = [minute for minute in minutes if minute <= start]
        first = minutes.index(before[-1]) if before else 0
        assert sent == flat[columns * first :]


def _by_the_minute(flat: Sequence[int], columns: int, days: int) -> list[int]:
    """The landed value at each of the last minutes before NOW, from the first point on: slow and plain."""
    points = {}
    for k in range(0, len(flat), columns):
        price = flat[k + 1]
        points[flat[k]] = price + max(flat[k + 2], 0) if columns == 3 and price >= 0 else price
    start = max(NOW - days * 1440, min(points))
    held = points[max(minute for minute in points if minute <= start)]
    values = []
    for minute in range(start, NOW):
        held = points.get(minute, held)
        values.append(held)
    return values


@pytest.mark.parametrize("entry", [USED, "1:B0SBXNEW05", "2:B0SBXGBR08", "5:B0SBXJPN11"])
def test_stats_agree_with_the_histories_minute_by_minute(sandbox: KeepaSandbox, entry: str) -> None:
    product: dict[str, Any] = get_product(sandbox, entry, stats=7)
    stats = product["stats"]
    for i, flat in enumerate(product["csv"]):
        if not flat:
            assert (stats["current"][i], stats["avg30"][i], stats["min"][i]) == (-1, -1, None)
            continue
        columns = 2 + (i in SHIPPING)
        values = _by_the_minute(flat, columns, 30)
        assert stats["current"][i] == values[-1]
        for name, window in (("", values[-7 * 1440 :]), ("30", values)):
            offers = [value for value in window if value >= 0]
            assert stats[f"avg{name}"][i] == (sum(offers) // len(offers) if offers and i != 15 else -1), i
            if i in (0, 1, 2, 18):
                absent = 100 - 100 * len(offers) // len(window)
                assert stats[f"outOfStockPercentage{name or 'InInterval'}"][i] == absent
        if columns == 2 and i != 15 and max(flat[1::2]) >= 0:
            lowest = min(value for value in flat[1::2] if value >= 0)
            assert stats["min"][i] == [flat[2 * flat[1::2].index(lowest)], lowest]
            highest = max(flat[1::2])
            assert stats["max"][i] == [flat[2 * flat[1::2].index(highest)], highest]


def test_several_products_come_in_the_order_requested_and_unknown_ones_are_invalid(sandbox: KeepaSandbox) -> None:
    asins = "B0SBXUSA03,B000000000,B0SBXUSA01,B0SBXUSA03"
    envelope = get(sandbox.url_as_of(DAY), domain=1, asin=asins).json()
    found = [(product["asin"], product["productType"]) for product in envelope["products"]]
    assert found == [("B0SBXUSA03", 0), ("B000000000", 4), ("B0SBXUSA01", 0)]
    assert envelope["products"][1]["domainId"] == 1
    assert get_product(sandbox, "3:B0SBXUSA01")["productType"] == 4, "known in another marketplace only"


def test_one_asin_in_two_marketplaces_is_two_products(sandbox: KeepaSandbox) -> None:
    american, german = get_product(sandbox, "1:B0SBXTWO06"), get_product(sandbox, "3:B0SBXTWO06")
    assert (american["domainId"], german["domainId"]) == (1, 3)
    assert american["csv"][1] != german["csv"][1]
