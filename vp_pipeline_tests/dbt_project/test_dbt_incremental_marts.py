"""Facts and marts, incrementally: after any order and repetition of loads they hold what a rebuild holds."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from vp_pipeline_tests.dbt_project.three_products import FIRST, PRODUCTS, Rows, random_rows

DAYS = 4
START = date(2026, 11, 5)


def answers(seed: int, number: int) -> Rows:
    """RAW rows of a run_date: products absent, histories cut, points lost, other descriptions and figures."""
    random = Random(seed)
    snapshots = {}
    for product in PRODUCTS:
        if random.random() < 0.75:
            hours = 24 * (number + 1 + random.choice((0, 0, 0, -2, 2))) + random.choice((0, 7))
            snapshots[product] = datetime.combine(START, datetime.min.time()) + timedelta(hours=hours)
    rows: Rows = {}
    for name, known in random_rows().items():
        cut = datetime.combine(FIRST, datetime.min.time()) + timedelta(days=random.choice((0, 0, 80)))
        rows[name] = [
            {**row, "snapshot_at": snapshot}
            for row in known
            if (snapshot := snapshots.get((row["asin"], row["domain_id"])))
            and cut <= row["observed_at"] <= snapshot
            and random.random() < 0.97
        ]
    rows["product"] = [
        {
            "asin": asin,
            "domain_id": domain,
            "snapshot_at": snapshot,
            "product_type": 0,
            "title": random.choice(("Kettle", "Kettle, blue")),
            "sales_rank_category_id": random.choice((7, 7, 8)),
            "category_id": random.choice((7, 9)),
            "category_path": "Home",
            "tracking_since": datetime(2026, 8, 1) if random.random() < 0.8 else None,
        }
        for (asin, domain), snapshot in snapshots.items()
    ]
    rows["product_state"] = [
        {
            "asin": asin,
            "domain_id": domain,
            "snapshot_at": snapshot,
            "currency": "USD",
            "fba_fee": random.choice((None, 386, 409)),
            "offers": random.choice((2, 3)),
        }
        for (asin, domain), snapshot in snapshots.items()
    ]
    rows["variation"] = [
        {"asin": asin, "domain_id": domain, "snapshot_at": snapshot, "variation_asin": other, "position": 1}
        for (asin, domain), snapshot in snapshots.items()
        for other in ("V000000001", "V000000002")
        if random.random() < 0.7
    ]
    rows["coupon"] = [
        {
            "asin": asin,
            "domain_id": domain,
            "snapshot_at": snapshot,
            "observed_at": datetime.combine(START, datetime.min.time()) - timedelta(days=days),
            "one_time": random.choice((None, 0, -5, 200)),
            "subscribe_and_save": 0,
        }
        for (asin, domain), snapshot in snapshots.items()
        for days in (1, 2, 3)
        if random.random() < 0.7
    ]
    rows["stats"] = [
        {
            "asin": asin,
            "domain_id": domain,
            "stat": stat,
            "series": series,
            "snapshot_at": snapshot,
            "value": random.choice((-1, 1_500, 2_000)),
        }
        for (asin, domain), snapshot in snapshots.items()
        for stat in ("current", "avg30")
        for series in ("NEW", "USED")
        if random.random() < 0.7
    ]
    return rows


def load(warehouse: Any, number: int, rows: Rows) -> None:
    for name, of_table in rows.items():
        warehouse.load(name, START + timedelta(days=number), of_table)


def exclude(warehouse: Any, number: int, product: tuple[str, int] | None) -> None:
    """Makes the answer of one product, or of none, the excluded one of a day."""
    day = START + timedelta(days=number)
    warehouse.execute(f"delete from raw._excluded_answers where run_date = '{day}'")
    if product:
        asin, domain = product
        warehouse.execute(
            "insert into raw._excluded_answers (source, stream, entity, run_date, reason) "
            f"values ('keepa', 'product', '{domain}-{asin}', '{day}', 'a test failed')"
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_any_order_and_repetition_ends_as_a_rebuild(warehouse: Any, window: Any, seed: int) -> None:
    random = Random(seed)
    warehouse.must("seed")
    order = [*range(DAYS), *random.sample(range(DAYS), 2)]
    random.shuffle(order)
    for step, number in enumerate(order):
        load(warehouse, number, answers(1_000 * seed + step, number))
        exclude(warehouse, number, random.choice((None, *PRODUCTS)))
        first = START + timedelta(days=number)
        flags = window(first, first + timedelta(days=1))
        if step == 2:  # a run that ended half-way
            warehouse.must("run", "--select", "core", *flags)
        warehouse.must("run", *flags)
    found = made(warehouse)
    warehouse.must("run", "--full-refresh")
    rebuilt = made(warehouse)
    assert len(rebuilt["mart.feat_product_daily"]) > 200
    for name, rows in rebuilt.items():
        assert found[name] == rows, name


def made(warehouse: Any) -> dict[str, list[tuple[object, ...]]]:
    # Not read-only: dbt keeps the file open in this process.
    tables = warehouse.rows(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('core', 'mart', 'monitoring') and not starts_with(table_name, '_')"
    )
    return {f"{s}.{t}": warehouse.rows(f'select * from "{s}"."{t}" order by all') for s, t in tables}


BY_DAY = ("fct_price_history_daily", "fct_rank_history_daily", "fct_buy_box_daily", "mart_product_daily")
BY_PRODUCT = ("mart_deals", "mart_rank_movers", "mart_stock_outs", "fct_price_stats")


def test_a_day_writes_only_what_it_touches(warehouse: Any, window: Any) -> None:
    """Of the product that was synced, the rows since the snapshot before; of the other, none."""
    one, other = PRODUCTS[0], PRODUCTS[1]
    warehouse.must("seed")
    before = datetime(2026, 11, 6)
    run_day(warehouse, window, before, (one, other))
    for mart in (*BY_DAY, *BY_PRODUCT):
        warehouse.execute(f"create table mart.kept_{mart} as select rowid as place, asin from mart.{mart}")
    run_day(warehouse, window, before + timedelta(days=1), (one,))
    for mart in (*BY_DAY, *BY_PRODUCT):
        # A row that is written again gets another rowid.
        of_day = f" and observed_date >= '{before.date()}'" if mart in BY_DAY else ""
        query = "select distinct asin from mart.{0} where rowid {1} (select place from mart.kept_{0})"
        assert warehouse.rows(query.format(mart, "not in")) == [(one[0],)], mart
        missed = query.format(mart, "in") + f" and asin = '{one[0]}'{of_day}"
        assert warehouse.rows(missed) == [], mart
        if mart in BY_DAY:
            again = query.format(mart, "not in") + f" and observed_date < '{before.date()}'"
            assert warehouse.rows(again) == [], mart


def run_day(warehouse: Any, window: Any, end: datetime, products: tuple[tuple[str, int], ...]) -> None:
    day = end.date() - timedelta(days=1)
    for name, rows in random_rows().items():
        known = [
            {**row, "snapshot_at": end}
            for row in rows
            if (row["asin"], row["domain_id"]) in products and row["observed_at"] < end
        ]
        warehouse.load(name, day, known)
    warehouse.load(
        "product",
        day,
        [{"asin": asin, "domain_id": domain, "snapshot_at": end, "product_type": 0} for asin, domain in products],
    )
    warehouse.must("run", *window(day, day + timedelta(days=1)))
