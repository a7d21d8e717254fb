"""The project as a whole: what every model must declare, and one build of everything."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from vp_pipeline.dbt.project import DBT_PROJECT_DIR

ASIN = "A000000001"
SNAPSHOT = datetime(2026, 11, 21, 6, 30, 59)
RUN_DATE = date(2026, 11, 20)


def models(manifest: Manifest) -> list[ModelNode]:
    return [node for node in manifest.nodes.values() if isinstance(node, ModelNode)]


def test_every_model_is_described_and_tested(manifest: Manifest) -> None:
    key_tested = {
        node.attached_node
        for node in manifest.nodes.values()
        if node.resource_type == "test" and node.test_metadata.name == "unique_combination"
    }
    for model in models(manifest):
        assert len(model.description) > 30, model.name
        assert model.config.meta["grain"].startswith("one row per "), model.name
        assert model.config.meta["owner"] == "data-platform@veracitypro.example", model.name
        assert model.unique_id in key_tested, f"{model.name}: its key has no test"
        assert all(column.description for column in model.columns.values()), model.name


def test_schemas_are_exactly_the_layers(manifest: Manifest) -> None:
    assert {model.schema for model in models(manifest)} <= {"stg", "core", "mart", "monitoring"}
    prefixes = {"stg": "stg_", "core": "core_", "mart": ("dim_", "fct_", "mart_", "feat_"), "monitoring": "mon_"}
    for model in models(manifest):
        assert model.name.startswith(prefixes[model.schema]), model.name


def test_a_model_is_described_in_the_yaml_of_its_own_folder(manifest: Manifest) -> None:
    for model in models(manifest):
        folder, described = Path(model.original_file_path).parent, Path(model.patch_path.split("://")[1])
        assert described.parent == folder, model.name
        assert re.fullmatch(rf"_(\w+_)?{folder.name}__models\.yml", described.name), model.name


def test_sources_name_their_assets(manifest: Manifest) -> None:
    for source in manifest.sources.values():
        assert source.meta["dagster"]["asset_key"] == ["raw", source.name]
        assert source.config.meta["dagster"]["asset_key"] == ["raw", source.name]
        assert source.relation_name.endswith(f'"raw"."{source.name}"')


def histories() -> dict[tuple[str, int], list[tuple[datetime, int]]]:
    """Random step functions: quiet days, gaps, points at 00:00 sharp, one after the snapshot."""
    random = Random(20261120)
    start = datetime(2026, 11, 12)
    made = {}
    for number in range(12):
        minutes = random.sample(range(9 * 1440), random.choice((1, 2, 8, 40)))
        minutes += [1440 * random.randrange(9)] if number % 3 == 0 else []
        points = [
            (start + timedelta(minutes=minute), random.choice((-1, random.randrange(1, 5_000))))
            for minute in sorted(set(minutes))
        ]
        made[(("NEW", "USED")[number % 2], number // 2)] = points
    made[("NEW", 0)].append((SNAPSHOT.replace(second=0) + timedelta(days=1), 77))
    return made


def by_the_minute(points: list[tuple[datetime, int]]) -> dict[date, tuple[Any, ...]]:
    """The daily rows of one history by looking at every minute of it: slow, and plainly right."""
    ends_at = max(SNAPSHOT.replace(second=0), points[-1][0])
    values = dict(points)
    days: dict[date, dict[str, Any]] = {}
    current: int | None = None
    moment = points[0][0]
    while moment <= ends_at:
        day = moment.date()
        if moment in values or moment < ends_at:
            opening = values[moment] if current is None else current
            row = days.setdefault(day, {"open": opening, "seen": [opening], "minutes": [], "changes": 0})
            if moment in values:
                current = values[moment]
                row["seen"].append(current)
                row["changes"] += 1
            if moment < ends_at:
                row["minutes"].append(current)
            row["close"] = current
        moment += timedelta(minutes=1)

    def known(value: int) -> int | None:
        return None if value == -1 else value

    rows = {}
    for day, row in days.items():
        seen = [v for v in row["seen"] if v != -1]
        priced = [v for v in row["minutes"] if v != -1]
        average = sum(priced) / len(priced) if priced else None
        extremes = (max(seen, default=None), min(seen, default=None))
        counts = (len(priced), len(row["minutes"]), row["changes"])
        rows[day] = (known(row["open"]), *extremes, known(row["close"]), average, *counts)
    return rows


@pytest.fixture(scope="module")
def built(module_warehouse: Any) -> Any:
    """A warehouse with the random histories as prices and as ranks, and the whole project built on it."""
    prices, ranks, products = [], [], []
    for (series, number), points in histories().items():
        domain = 5 if number == 1 else 1
        product = {"asin": f"A00000000{number}", "domain_id": domain, "snapshot_at": SNAPSHOT}
        if series == "NEW":
            products.append({**product, "product_type": 0, "sales_rank_category_id": 99})
        for observed_at, value in points:
            point = {**product, "observed_at": observed_at}
            currency = "JPY" if domain == 5 else "USD"
            prices.append({**point, "series": series, "price": value, "landed_price": value, "currency": currency})
            category = {"series": "SALES", "category_id": 0} if series == "NEW" else {}
            ranks.append({**point, "series": "CATEGORY", "category_id": 7, **category, "sales_rank": value})
    module_warehouse.load("product", RUN_DATE, products)
    module_warehouse.load("price", RUN_DATE, prices)
    module_warehouse.load("rank", RUN_DATE, ranks)
    first = {"observed_at": datetime(2020, 1, 1), "category_id": 99}
    named = [{key: each[key] for key in ("asin", "domain_id", "snapshot_at")} | first for each in products]
    module_warehouse.load("rank_reference", RUN_DATE, named)
    module_warehouse.must("build")
    return module_warehouse


def test_documented_columns_are_the_built_ones(built: Any, manifest: Manifest) -> None:
    for model in models(manifest):
        columns = [row[0] for row in built.rows(f"describe {model.schema}.{model.name}")]
        assert list(model.columns) == columns, model.name


def test_daily_prices_are_right_to_the_minute(built: Any) -> None:
    rows = built.rows(
        "select series, asin, observed_date, open_price_minor, high_price_minor, low_price_minor,"
        " close_price_minor, average_price_minor, in_stock_minutes, observed_minutes, changes"
        " from mart.fct_price_history_daily"
    )
    assert {row[:3]: row[3:] for row in rows} == {
        (series, f"A00000000{number}", day): row
        for (series, number), points in histories().items()
        for day, row in by_the_minute(points).items()
    }


def test_daily_ranks_are_right_to_the_minute(built: Any) -> None:
    rows = built.rows(
        "select case series when 'SALES' then 'NEW' else 'USED' end, asin, observed_date, open_rank, high_rank,"
        " low_rank, close_rank, average_rank, ranked_minutes, observed_minutes, changes, ranked_category_id"
        " from mart.fct_rank_history_daily"
    )
    assert {row[-1] for row in rows if row[2] <= SNAPSHOT.date()} == {7, 99}
    assert {row[:3]: row[3:-1] for row in rows} == {
        (series, f"A00000000{number}", day): row
        for (series, number), points in histories().items()
        for day, row in by_the_minute(points).items()
    }


def test_a_new_window_parses_nothing_again(tmp_path: Any, manifest: Manifest, window: Any, built: Any) -> None:
    plain = type(built)(tmp_path)  # without a manifest: dbt reads the one that the run before saved
    plain.must("parse")
    for number in (1, 2):
        first = RUN_DATE + timedelta(days=number)
        plain.must("run", "--select", "stg_keepa_price", *window(first, first + timedelta(days=1)))
        assert "UnableToPartialParse" not in plain.events
        assert "PartialParsingSkipParsing" in plain.events


@pytest.mark.parametrize(
    ("change", "test"),
    [
        ("delete from {} where observed_date = (select min(observed_date) + 1 from {})", "has_every_day_once"),
        ("insert into {} select * from {} limit 1", "key_is_unique"),
        ("update {} set open_price_minor = 0, low_price_minor = 0 where changes = 0", "opens_where_it_closed"),
        ("update {} set low_price_minor = high_price_minor + 1", "amounts_agree"),
        ("update {} set series = null", "is_complete"),
    ],
)
def test_each_test_of_the_facts_can_fail(built: Any, change: str, test: str) -> None:
    fact = "mart.fct_price_history_daily"
    built.execute(f"create or replace table mart.kept as select * from {fact}", change.replace("{}", fact))
    try:
        assert not built.dbt("test", "--select", f"fct_price_history_daily_{test}").success
    finally:
        built.execute(f"create or replace table {fact} as select * from mart.kept", "drop table mart.kept")
    built.must("test", "--select", f"fct_price_history_daily_{test}")


def test_parsing_for_production_needs_no_variable() -> None:
    """Nor a credential: whoever checks a change has none."""
    profile = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())["vp_pipeline"]["outputs"]["snowflake"]
    variables = re.findall(r"env_var\(([^)]*)\)", str(profile))
    assert len(variables) > 10
    assert [each for each in variables if "," not in each] == []
