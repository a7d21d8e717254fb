"""Answers cut to the last days: together they make the tables that whole answers make, in any order of loading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from vp_pipeline.sources.earlier import Doubt, Earlier, EarlierAnswer
from vp_pipeline.sources.keepa.questions import amounts
from vp_pipeline_tests.dbt_project.three_products import PRODUCTS, Row, Rows, random_rows

DAYS = 6
START = date(2026, 11, 2)
# Which answer a row was confirmed by differs with what was requested; every value is the same.
PROVENANCE = {"snapshot_at", "run_date"}
NO_HISTORIES = {"product", "product_state", "stats"}
Product = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """The answer of a product on a day. `begins_at`: of the moments that it was requested for; None: all time."""

    at: datetime
    begins_at: datetime | None
    is_included: bool


def answers_of(random: Random) -> dict[int, dict[Product, Answer]]:
    """By day: some products were lost, one is excluded now and then, and each day requests what its answers before, and
    the doubts about them, make it request."""
    included: dict[Product, list[EarlierAnswer]] = {product: [] for product in PRODUCTS}
    doubts: dict[str, Doubt] = {}
    found: dict[int, dict[Product, Answer]] = {}
    for number in range(DAYS):
        day = START + timedelta(days=number)
        earlier = Earlier({_name(product): answers for product, answers in included.items()}, {**doubts})
        requested = amounts(map(_name, PRODUCTS), day, earlier, full_every=50, overlap=random.choice((1, 2)))
        found[number] = {}
        out = random.choice((None, None, *PRODUCTS))
        for product in PRODUCTS:
            if random.random() < 0.2:
                continue
            days = requested[_name(product)].days
            at = datetime.combine(day + timedelta(days=1), datetime.min.time())
            at += timedelta(seconds=random.randrange(80_000))
            begins = None if days is None else at - timedelta(days=days)
            found[number][product] = Answer(at, begins, product != out)
            if product == out:
                doubts[_name(product)] = Doubt(day, "its answer is excluded")
            else:
                included[product].insert(0, EarlierAnswer(day, days))
    return found


def _name(product: Product) -> str:
    return f"{product[1]}:{product[0]}"


def rows_of(answers: Mapping[Product, Answer], *, whole: bool) -> Rows:
    """RAW rows of a day; `whole`: as if everything had been requested."""
    rows: Rows = {name: [] for name in NO_HISTORIES}
    for name, known in random_rows().items():
        histories: dict[tuple[Any, ...], list[Row]] = {}
        for row in known:
            category = row.get("category_id") if name == "rank" else None
            histories.setdefault((row["asin"], row["domain_id"], row.get("series"), category), []).append(row)
        rows[name] = [
            {**row, "snapshot_at": answer.at}
            for (asin, domain, *_), history in histories.items()
            if (answer := answers.get((asin, domain)))
            for row in cut([r for r in history if r["observed_at"] <= answer.at], None if whole else answer.begins_at)
        ]
    for (asin, domain), answer in answers.items():
        of_product = {"asin": asin, "domain_id": domain, "snapshot_at": answer.at}
        rows["product"].append({**of_product, "product_type": 0, "title": f"As of {answer.at:%d}", "category_id": 7})
        rows["product_state"].append({**of_product, "currency": "USD", "offers": answer.at.day})
        figures = (("current", 1_500, None), ("avg365", 1_700, None), ("min", 1_000, datetime(2026, 8, 2)))
        rows["stats"] += [
            {**of_product, "stat": stat, "series": "NEW", "value": value, "value_at": at} for stat, value, at in figures
        ]
    return rows


def cut(history: list[Row], begins_at: datetime | None) -> list[Row]:
    """The points of a history (in order) since a moment, and the one in force at it."""
    if begins_at is None:
        return history
    before = [row for row in history if row["observed_at"] <= begins_at]
    return before[-1:] + [row for row in history if row["observed_at"] > begins_at]


def made(warehouse: Any) -> dict[str, list[tuple[object, ...]]]:
    """Every table from CORE on, without what differs with the requests."""
    columns = warehouse.rows(
        "select table_schema || '.' || table_name, list(column_name order by ordinal_position)"
        " from information_schema.columns where table_schema in ('core', 'mart', 'monitoring')"
        " and not starts_with(table_name, '_') group by all"
    )
    found = {}
    for table, names in columns:
        left_out = PROVENANCE if table.endswith("_change") else set()
        chosen = ", ".join(name for name in names if name not in left_out)
        found[table] = warehouse.rows(f"select {chosen} from {table} order by all")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (1, 2, 3))])
def test_answers_of_some_days_end_as_whole_answers(warehouse: Any, window: Any, seed: int) -> None:
    random = Random(seed)
    answers = answers_of(random)
    requested = [answer.begins_at is None for of_day in answers.values() for answer in of_day.values()]
    assert requested.count(False) > 4
    assert any(not answer.is_included for of_day in answers.values() for answer in of_day.values())
    order = [*range(DAYS), random.randrange(DAYS)]
    random.shuffle(order)
    warehouse.must("seed")
    for group in (order[:2], order[2:5], order[5:]):
        for number in group:
            load(warehouse, number, answers, whole=False)
        first, last = START + timedelta(days=min(group)), START + timedelta(days=max(group))
        warehouse.must("run", *window(first, last + timedelta(days=1)))
    found = made(warehouse)
    for number in range(DAYS):
        load(warehouse, number, answers, whole=True)
    warehouse.must("run", "--full-refresh")
    expected = made(warehouse)
    assert len(expected["mart.feat_product_daily"]) > 200
    begins = warehouse.rows("select count(*) from mart.fct_price_stats where history_begins_at > first_observed_at")
    assert begins == [(0,)]
    for name, rows in expected.items():
        assert found[name] == rows, name


def load(warehouse: Any, number: int, answers: Mapping[int, Mapping[Product, Answer]], *, whole: bool) -> None:
    day = START + timedelta(days=number)
    for name, rows in rows_of(answers[number], whole=whole).items():
        warehouse.load(name, day, rows)
    warehouse.execute(f"delete from raw._excluded_answers where run_date = '{day}'")
    for (asin, domain), answer in answers[number].items():
        if not answer.is_included:
            warehouse.execute(
                "insert into raw._excluded_answers (source, stream, entity, run_date, reason) "
                f"values ('keepa', 'product', '{domain}-{asin}', '{day}', 'a test failed')"
            )
