"""The change tables: whatever is loaded, in any order, grouping and repetition, they end as the rule requires."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from vp_pipeline_tests.dbt_project.loads import MANY, Window, flags, play_examples

MODEL = "core_keepa_price_change"
FIRST = date(2026, 11, 18)
KEYS = 40
SNAPSHOTS = 5


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def price_row(key: int, snapshot: int, price: int) -> dict[str, Any]:
    return {
        "asin": f"A00000000{key % 3}",
        "domain_id": 1,
        "series": "NEW" if key % 2 else "USED",
        "observed_at": datetime(2026, 11, 1) + timedelta(minutes=key),
        "snapshot_at": datetime(2026, 11, 19) + timedelta(hours=12 * snapshot),
        "price": price,
        "shipping": None,
        "landed_price": price,
        "currency": "USD",
    }


def random_day(seed: int) -> dict[tuple[int, int], int]:
    """A day's RAW rows, (key, snapshot) → price: some keys absent, some in two snapshots, some out of stock."""
    random = Random(seed)
    density = random.choice((0.0, 0.2, 0.6, 1.0))
    return {
        (key, random.randrange(SNAPSHOTS)): random.choice((-1, random.randrange(1, 10_000)))
        for key in range(KEYS)
        for _ in range(2)
        if random.random() < density
    }


def expected(raw: dict[int, dict[tuple[int, int], int]], excluded: dict[int, str | None]) -> set[tuple[Any, ...]]:
    """The rule in Python: of all rows of a key that are not excluded, the one with the greatest (snapshot, run_date).
    `excluded`: the product whose answer of a day is."""
    winners: dict[int, tuple[int, int, int]] = {}
    for number, rows in raw.items():
        for (key, snapshot), price in rows.items():
            if price_row(key, snapshot, price)["asin"] == excluded[number]:
                continue
            winners[key] = max(winners.get(key, (-1, -1, -1)), (snapshot, number, price))
    found = set()
    for key, (snapshot, number, price) in winners.items():
        row = price_row(key, snapshot, price)
        value = None if price == -1 else price
        identity = (row["asin"], row["series"], row["observed_at"])
        found.add((*identity, value, value, price != -1, row["snapshot_at"], day(number)))
    return found


def actual(warehouse: Any) -> set[tuple[Any, ...]]:
    rows = warehouse.rows(
        f"select asin, series, observed_at, price, landed_price, is_in_stock, snapshot_at, run_date from core.{MODEL}"
    )
    assert len(rows) == len(set(rows))
    return set(rows)


def exclude(warehouse: Any, of_day: date, asin: str | None) -> None:
    """Makes the answer of one product, or of none, the excluded one of a day."""
    warehouse.execute(f"delete from raw._excluded_answers where run_date = '{of_day}'")
    if asin:
        warehouse.execute(
            "insert into raw._excluded_answers (source, stream, entity, run_date, reason) "
            f"values ('keepa', 'product', '1-{asin}', '{of_day}', 'a test failed')"
        )


@pytest.fixture(scope="module")
def staged(module_warehouse: Any) -> Any:
    module_warehouse.must("run", "--select", "stg_keepa_price")
    return module_warehouse


class Changes:
    """The change table of prices, the rows that each day has in RAW, and the product that is excluded from it."""

    def __init__(self, warehouse: Any, window: Any) -> None:
        self.warehouse = warehouse
        self.window = window
        self.raw: dict[int, dict[tuple[int, int], int]] = {}
        self.excluded: dict[int, str | None] = {}

    def clear(self) -> None:
        self.raw.clear()
        self.excluded.clear()
        self.warehouse.execute(
            f"drop table if exists core.{MODEL}", "delete from raw.keepa_price", "delete from raw._excluded_answers"
        )

    def load(self, number: int, seed: int) -> None:
        self.raw[number] = random_day(seed)
        self.warehouse.load("price", day(number), [price_row(*k, price=v) for k, v in self.raw[number].items()])
        self.excluded[number] = Random(seed + 1).choice((None, "A000000000", "A000000001", "A000000002"))
        exclude(self.warehouse, day(number), self.excluded[number])

    def restate(self, window: Window, changed: set[int]) -> None:
        of_days = flags(window, lambda first, end: self.window(day(first), day(end)))
        self.warehouse.must("run", "--select", MODEL, *of_days)

    def check(self) -> None:
        assert actual(self.warehouse) == expected(self.raw, self.excluded)


@pytest.mark.parametrize("examples", [3, MANY])
def test_any_order_grouping_and_repetition(staged: Any, window: Any, examples: int) -> None:
    play_examples(Changes(staged, window), examples, (2, 4))


def test_a_failed_restatement_changes_nothing(warehouse: Any, window: Any) -> None:
    warehouse.load("price", day(0), [price_row(1, 0, 100), price_row(2, 0, 200)])
    warehouse.must("run", "--select", f"+{MODEL}")
    before = actual(warehouse)
    # The insert breaks a constraint after both deletes have been done.
    warehouse.execute(f"alter table core.{MODEL} alter column price set not null")
    warehouse.load("price", day(0), [price_row(1, 0, 150), price_row(2, 0, -1)])
    assert not warehouse.dbt("run", "--select", MODEL, *window(day(0), day(1))).success
    assert len(before) == 2
    assert actual(warehouse) == before


def test_the_first_run_takes_all_of_raw_whatever_its_window(warehouse: Any, window: Any) -> None:
    for number in range(3):
        warehouse.load("price", day(number), [price_row(number, 0, 100)])
    warehouse.must("run", "--select", f"+{MODEL}", *window(day(1), day(2)))
    assert len(actual(warehouse)) == 3


def test_a_window_must_be_whole_days(warehouse: Any) -> None:
    warehouse.must("run", "--select", f"+{MODEL}")
    flags = ("--event-time-start", "2026-11-20T06:00:00", "--event-time-end", "2026-11-21")
    result = warehouse.dbt("run", "--select", MODEL, *flags)
    assert not result.success
    assert "must begin and end at 00:00 UTC" in result.result.results[-1].message


@pytest.mark.parametrize("text", ["2026-11-19", "2026-11-19T00:00:00", "2026-11-19 00:00:00"])
def test_the_window_reaches_the_models(warehouse: Any, text: str) -> None:
    for number in range(3):
        warehouse.load("price", day(number), [price_row(number, 0, 100)])
    warehouse.must("run", "--select", f"+{MODEL}")
    for number in range(3):
        warehouse.load("price", day(number), [price_row(number, 0, 101)])
    warehouse.must("run", "--select", MODEL, "--event-time-start", text, "--event-time-end", "2026-11-20")
    assert [price for *_, price in warehouse.rows(f"select price from core.{MODEL} order by observed_at")] == [
        100,
        101,
        100,
    ]
