"""What Dagster shows of the models' columns: the ones that are built, described, and derived from the right ones."""

import json
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest

from vp_pipeline.dbt.column_lineage import lineage
from vp_pipeline.dbt.project import COLUMNS_FILE


def test_described_columns_are_the_recorded_ones(manifest: Manifest) -> None:
    recorded = json.loads(COLUMNS_FILE.read_text(encoding="utf-8"))
    models = {node.name: list(node.columns) for node in manifest.nodes.values() if node.resource_type == "model"}
    assert {name: list(columns) for name, columns in recorded.items()} == models


def test_a_price_is_followed_to_its_source() -> None:
    recorded: dict[str, Any] = json.loads(COLUMNS_FILE.read_text(encoding="utf-8"))
    layer_of = {"raw": None}
    column, path = ["mart.fct_price_history_daily", "close_price_minor"], []
    while layer_of.get(column[0].split(".")[0], "model"):
        path.append(column[0])
        origins = recorded[column[0].split(".")[1]][column[1]]["from"]
        column = next(origin for origin in origins if "price" in origin[1])
    assert column == ["raw.keepa_price", "landed_price"]
    assert path == [
        "mart.fct_price_history_daily",
        "core.core_keepa_price_daily",
        "core.core_keepa_price_change",
        "stg.stg_keepa_price",
    ]


@pytest.mark.parametrize(
    ("sql", "origins"),
    [
        ("select a + b as c from s.t", {"c": [["s.t", "a"], ["s.t", "b"]]}),
        ("with x as (select a as y from s.t) select max(y) as z from x where y > 1", {"z": [["s.t", "a"]]}),
        ("select a as c from s.t union all select b from s.t", {"c": [["s.t", "a"], ["s.t", "b"]]}),
        ("select sum(a) over (partition by b) as c from s.t", {"c": [["s.t", "a"]]}),
        ("select 1 as one from s.t", {"one": []}),
    ],
)
def test_values_are_followed_and_conditions_are_not(sql: str, origins: dict[str, list[list[str]]]) -> None:
    assert lineage(sql, {"s.t": {"a": "bigint", "b": "bigint"}}) == origins
