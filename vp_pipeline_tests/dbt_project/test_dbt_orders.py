"""Orders and their sales: whatever is loaded, in any order and repetition, they end in one state, to the cent."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest

from vp_pipeline_tests.dbt_project.loads import MANY, Window, flags, play_examples
from vp_pipeline_tests.dbt_project.order_states import (
    START,
    Document,
    Excluded,
    day,
    expected_days,
    expected_items,
    expected_orders,
    newest,
    random_document,
)
from vp_pipeline_tests.dbt_project.order_states import STATUSES as FIVE
from vp_pipeline_tests.dbt_project.order_states import raw_rows as rows_of

MODELS = ("core_sp_api_order", "core_sp_api_order_item", "fct_order_item", "fct_sales_daily")
# Thirteen days in an order of loading that has every order of five days in it: all 120 are tried in thirteen loads.
EVERY_ORDER = (9, 2, 6, 12, 4, 0, 7, 11, 3, 8, 5, 1, 10)


@pytest.fixture(scope="module")
def staged(module_warehouse: Any) -> Any:
    module_warehouse.must("seed")
    module_warehouse.must("run", "--select", "+fct_sales_daily")
    return module_warehouse


class Orders:
    """The tables of orders and sales, the answers of each day in RAW, and what of them is excluded."""

    def __init__(self, warehouse: Any, window: Any) -> None:
        self.warehouse = warehouse
        self.window = window
        self.answers: dict[int, list[Document]] = {}
        self.excluded: dict[int, tuple[str, ...] | None] = {}

    def clear(self) -> None:
        self.answers.clear()
        self.excluded.clear()
        schemas = {name: "core" if name.startswith("core") else "mart" for name in MODELS}
        self.warehouse.execute(
            *(f"drop table if exists {schema}.{name}" for name, schema in schemas.items()),
            "delete from raw.sp_api_order", "delete from raw.sp_api_order_item", "delete from raw._days",
            "delete from raw._excluded_answers",
        )  # fmt: skip

    def answer(self, number: int, documents: Iterable[Document]) -> None:
        self.answers[number] = list(documents)
        orders, items = rows_of(self.answers[number])
        self.warehouse.load("order", day(number), orders)
        self.warehouse.load("order_item", day(number), items)

    def load(self, number: int, seed: int) -> None:
        random = Random(seed)
        self.answer(number, random_day(random))
        several = tuple(sorted({d.order_id for d in self.answers[number] if random.random() < 0.3}))
        self.exclude(number, random.choice(((), (), several, None)))

    def exclude(self, number: int, what: tuple[str, ...] | None) -> None:
        """Makes these answers of a day the excluded ones; None: the day as a whole."""
        self.excluded[number] = what
        self.warehouse.execute(
            f"delete from raw._excluded_answers where run_date = '{day(number)}'",
            f"delete from raw._days where run_date = '{day(number)}'",
            "insert into raw._days (source, stream, run_date, is_included, is_validated) "
            f"values ('sp_api', 'order', '{day(number)}', {what is not None}, true)",
            *(
                "insert into raw._excluded_answers (source, stream, entity, run_date, reason) "
                f"values ('sp_api', 'order', '{order_id}', '{day(number)}', 'a test failed')"
                for order_id in what or ()
            ),
        )

    def restate(self, window: Window, changed: set[int]) -> None:
        of_days = flags(window, lambda first, end: self.window(day(first), day(end)))
        self.warehouse.must("run", "--select", *MODELS, *of_days)

    def check(self) -> None:
        check(self.warehouse, self.answers, self.excluded)


def check(warehouse: Any, answers: dict[int, list[Document]], excluded: Excluded) -> None:
    """Every table holds what the plain rule gives."""
    found = newest(answers, excluded)
    items = expected_items(found)
    orders = warehouse.rows("select order_id, order_status, last_updated_at, run_date from core.core_sp_api_order")
    assert len(orders) == len(found)
    assert set(orders) == expected_orders(found)
    rows = warehouse.rows(
        "select order_id, order_item_id, asin, marketplace_id, observed_date, local_date, revenue_state, units_ordered,"
        " units, revenue from mart.fct_order_item"
    )
    assert len(rows) == len(items)
    assert {row[:2]: row[2:] for row in rows} == items
    days = warehouse.rows(
        "select asin, marketplace_id, observed_date, local_date, sum(orders), sum(order_items), sum(units),"
        " sum(priced_units), coalesce(sum(revenue), 0) from mart.fct_sales_daily group by all"
    )
    assert {row[:4]: row[4:] for row in days} == expected_days(items)


def random_day(random: Random) -> list[Document]:
    """Some orders, each in one or two states; updates of a few moments only, so that some days have the same ones."""
    density = random.choice((0.0, 0.2, 0.6, 1.0))
    found = {}
    for number in range(24):
        purchased_at = START + timedelta(hours=5 * number)
        for _ in range(2):
            if random.random() < density:
                updated_at = START + timedelta(days=6, hours=12 * random.randrange(6))
                document = random_document(random, number, random.choice(FIVE), purchased_at, updated_at)
                found[number, updated_at] = document
    return list(found.values())


@pytest.mark.parametrize("examples", [2, MANY])
def test_any_order_grouping_and_repetition(staged: Any, window: Any, examples: int) -> None:
    play_examples(Orders(staged, window), examples, (2, 4))


def test_five_states_loaded_in_every_order(staged: Any, window: Any) -> None:
    """120 orders, each with another status on five days; each gets them loaded in another order. After every load the
    tables hold what is known by then, and in the end the last state of each."""
    tables = Orders(staged, window)
    tables.clear()
    answers: dict[int, list[Document]] = {number: [] for number in EVERY_ORDER}
    of_five = days_by_order()
    assert len(of_five) == 120
    random = Random(20261101)
    for number, days in enumerate(sorted(of_five.values())):
        purchased_at = START + timedelta(days=days[0], hours=random.randrange(24))
        for status, updated_on in zip(FIVE, days, strict=True):
            last = "CANCELLED" if number % 5 == 0 else "SHIPPED"
            updated_at = START + timedelta(days=updated_on, hours=23, minutes=30)
            document = random_document(
                random, number, last if updated_on == days[-1] else status, purchased_at, updated_at
            )
            answers[updated_on].append(document)
    for number in EVERY_ORDER:
        tables.answer(number, answers[number])
        tables.restate((number, number + 1), set())
        tables.check()
    assert {document.status for _, document in newest(answers, {}).values()} == {"SHIPPED", "CANCELLED"}
    assert len(tables.warehouse.rows("select 1 from core.core_sp_api_order")) == 120


def days_by_order() -> dict[tuple[int, ...], tuple[int, ...]]:
    """For each order of loading five days, five of the days that EVERY_ORDER loads in it, from the first on."""
    loaded_at = {number: place for place, number in enumerate(EVERY_ORDER)}
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    for days in combinations(sorted(EVERY_ORDER), 5):
        places = [loaded_at[number] for number in days]
        found.setdefault(tuple(sorted(places).index(place) for place in places), days)
    return found


def test_a_day_writes_only_the_orders_that_it_has(staged: Any, window: Any) -> None:
    tables = Orders(staged, window)
    tables.clear()
    random = Random(7)
    early = [random_document(random, n, "SHIPPED", START, START + timedelta(hours=6)) for n in (1, 2)]
    tables.answer(0, early)
    tables.restate((0, 1), set())
    staged.execute("create or replace table mart.kept as select rowid as place, order_id from mart.fct_order_item")
    late = random_document(random, 1, "CANCELLED", START, START + timedelta(days=1))
    tables.answer(1, [late])
    tables.restate((1, 2), set())
    # A row that is written again gets another rowid.
    again = staged.rows(
        "select distinct order_id from mart.fct_order_item where rowid not in (select place from mart.kept)"
    )
    assert again == [(late.order_id,)]
    tables.check()
    staged.execute("drop table mart.kept")
