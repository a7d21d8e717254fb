"""SALES ranks are filed under the category of their time: whatever the reference is today, and whenever it arrives."""

from datetime import date, datetime, timedelta
from typing import Any

START = datetime(2026, 10, 1)
PRODUCT = {"asin": "A000000001", "domain_id": 1}
DAYS, SWITCH = 40, 26  # ranked in 7 for the first 26 days, then in 8
CHECK = "fct_rank_history_daily_sales_is_its_category"


def load(warehouse: Any, number: int, *references: tuple[int, int]) -> None:
    """A response, `number` days after the first, with the ranks of each day and the references (day, category)."""
    snapshot = START + timedelta(days=DAYS + number)
    point = {**PRODUCT, "snapshot_at": snapshot}
    ranks = []
    for day in range(DAYS):
        at = {**point, "observed_at": START + timedelta(days=day)}
        of = {7: 1_000 + day, 8: 140 - day}
        ranks += [{**at, "series": "CATEGORY", "category_id": c, "sales_rank": rank} for c, rank in of.items()]
        ranks.append({**at, "series": "SALES", "category_id": 0, "sales_rank": of[7 if day < SWITCH else 8]})
    run_date = date(2026, 11, 10) + timedelta(days=number)
    warehouse.load("product", run_date, [{**point, "product_type": 0, "sales_rank_category_id": 8}])
    warehouse.load("rank", run_date, ranks)
    named = [{**point, "observed_at": START + timedelta(days=day), "category_id": c} for day, c in references]
    warehouse.load("rank_reference", run_date, named)


def categories(warehouse: Any) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = warehouse.rows(
        "select ranked_category_id, is_one_category, count(*) from mart.fct_rank_history_daily"
        " where series = 'SALES' group by all order by min(observed_date)"
    )
    return found


def test_ranks_are_filed_under_the_category_of_their_day(warehouse: Any, window: Any) -> None:
    load(warehouse, 0, (0, 7))
    warehouse.must("seed")
    warehouse.must("run", "--select", "+fct_rank_history_daily")
    assert categories(warehouse) == [(7, True, DAYS)]
    # The change is in a later response only: the days since then are filed anew, and the check passes again.
    load(warehouse, 1, (0, 7), (SWITCH, 8))
    warehouse.must("run", "--select", "+fct_rank_history_daily", *window(date(2026, 11, 11), date(2026, 11, 12)))
    assert categories(warehouse) == [(7, True, SWITCH), (8, False, 1), (8, True, DAYS - SWITCH)]
    warehouse.must("test", "--select", CHECK)
    # As it was before: today's category on every day.
    warehouse.execute("update mart.fct_rank_history_daily set ranked_category_id = 8 where series = 'SALES'")
    results = warehouse.dbt("test", "--select", CHECK).result.results
    assert [(str(r.status), r.failures) for r in results if r.node.name == CHECK] == [("warn", SWITCH)]
