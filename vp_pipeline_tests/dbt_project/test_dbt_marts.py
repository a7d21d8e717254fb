"""The marts against plain Python: versions of products, stock-outs by the minute, features that know no future."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest

from vp_pipeline_tests.dbt_project.conftest import Warehouse
from vp_pipeline_tests.dbt_project.three_products import CUTS, FIRST, SNAPSHOT, STOCK, build, random_rows


@pytest.fixture(scope="module")
def built(three_products: Path, tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Warehouse:
    folder = tmp_path_factory.mktemp("built")
    shutil.copy(three_products, folder)
    return Warehouse(folder, manifest)


def features(warehouse: Any, end: date) -> list[tuple[Any, ...]]:
    return warehouse.rows(f"select * from mart.feat_product_daily where observed_date < '{end}' order by all")


@pytest.mark.parametrize("number", CUTS)
def test_features_know_nothing_from_after_their_day(built: Any, warehouse: Any, number: int) -> None:
    end = FIRST + timedelta(days=number)
    midnight = datetime.combine(end, datetime.min.time())
    selected = ("--select", "+feat_product_daily", "--exclude-resource-type", "test")
    then = features(build(warehouse, midnight, *selected), end)
    assert {row[3] for row in then} >= {end - timedelta(days=1)}
    assert then == features(built, end)


def test_features_have_values(built: Any) -> None:
    """Guards the test above: columns that are null everywhere would be equal too."""
    names = [row[0] for row in built.rows("describe mart.feat_product_daily")]
    counts = built.rows(f"select {', '.join(f'count({name})' for name in names)} from mart.feat_product_daily")[0]
    assert [name for name, count in zip(names, counts, strict=True) if not count] == []


def stock_outs_by_the_minute() -> set[tuple[Any, ...]]:
    """Every stock-out by looking at each minute: (asin, domain, series, started, ended, minutes, before, after)."""
    histories: dict[tuple[str, int, str], dict[datetime, int]] = {}
    for row in random_rows()["price"]:
        if row["series"] in STOCK:
            history = histories.setdefault((row["asin"], row["domain_id"], row["series"]), {})
            history[row["observed_at"]] = row["landed_price"]
    found = set()
    end = SNAPSHOT.replace(second=0)
    for key, history in histories.items():
        moment, price, started, before = min(history), -1, None, None
        while moment < end:
            last, price = price, history.get(moment, price)
            if price == -1 and last != -1:
                started, before = moment, last
            elif price != -1 and started is not None:
                minutes = int((moment - started).total_seconds()) // 60
                found.add((*key, started, moment, minutes, before, price))
                started = None
            moment += timedelta(minutes=1)
        if started is not None:
            minutes = int((end - started).total_seconds()) // 60
            found.add((*key, started, None, minutes, before, None))
    return found


def test_stock_outs_are_right_to_the_minute(built: Any) -> None:
    rows = built.rows(
        "select asin, domain_id, series, started_at, ended_at, minutes, price_before_minor, price_after_minor"
        " from mart.mart_stock_outs"
    )
    assert len(rows) == len(set(rows)) > 40
    assert any(row[4] is None for row in rows)
    assert set(rows) == stock_outs_by_the_minute()


def test_new_reviews_add_up(built: Any) -> None:
    """Over days that know both counts, what the days added is the last count less the first."""
    rows = built.rows(
        "select product_key, open_review_count, close_review_count, new_reviews from mart.fct_review_history_daily"
        " where new_reviews is not null order by product_key, observed_date"
    )
    assert all(new == close - opened for _, opened, close, new in rows)
    assert any(new < 0 for *_, new in rows)


def versions(answers: dict[tuple[int, date], str | None]) -> list[tuple[Any, ...]]:
    """The versions in `answers` ((snapshot, run_date) → title), by the rule, in Python."""
    newest = {snapshot: title for (snapshot, _), title in sorted(answers.items(), key=lambda item: item[0])}
    found: list[list[Any]] = []
    for snapshot, title in sorted(newest.items()):
        if not found or found[-1][2] != title:
            if found:
                found[-1][1] = moment(snapshot)
            found.append([moment(snapshot), None, title])
    return [(number, *version) for number, version in enumerate(found, 1)]


def moment(snapshot: int) -> datetime:
    return datetime(2026, 11, 1) + timedelta(hours=12 * snapshot)


@pytest.mark.parametrize("seed", range(2))
def test_versions_in_any_order_grouping_and_repetition(warehouse: Any, window: Any, seed: int) -> None:
    random = Random(seed)
    warehouse.must("seed", "--select", "seed_marketplaces")
    answers = {
        (random.randrange(8), FIRST + timedelta(days=number)): random.choice(("Kettle", "Kettle, blue", None))
        for number in range(8)
        for _ in range(2)
    }
    days = sorted({day for _, day in answers})
    random.shuffle(days)
    groups = [days[:3], days[3:], random.sample(days, 2)]  # the last are loaded again
    for group in groups:
        for day in group:
            rows = [
                {"asin": "A000000001", "domain_id": 1, "snapshot_at": moment(snapshot), "title": title}
                for (snapshot, filed), title in answers.items()
                if filed == day
            ]
            warehouse.load("product", day, rows)
        flags = window(min(group), max(group) + timedelta(days=1))
        warehouse.must("run", "--select", "+dim_product", "dim_product_history", *flags)
    query = "select version_number, valid_from, valid_to, title from mart.dim_product_history order by version_number"
    assert warehouse.rows(query) == versions(answers)
    current = "select title from mart.dim_product_history where is_current"
    assert warehouse.rows(current) == warehouse.rows("select title from mart.dim_product")


def test_exposures_read_marts_only(manifest: Manifest) -> None:
    exposures = list(manifest.exposures.values())
    assert {exposure.name for exposure in exposures} == {"change_exports", "pandas", "power_bi"}
    for exposure in exposures:
        assert exposure.depends_on.nodes
        assert all(manifest.nodes[node].schema == "mart" for node in exposure.depends_on.nodes)
