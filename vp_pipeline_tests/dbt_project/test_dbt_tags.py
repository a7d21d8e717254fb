"""Models by subject: one tag selects the same ones in dbt and in Dagster, and no model is without a subject."""

import json

import dagster as dg
import pytest

from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.definitions import defs
from vp_pipeline.settings import load_settings
from vp_pipeline_tests.dbt_project.conftest import Warehouse

SUBJECTS = (
    "buy_box",
    "calendar",
    "marketplace",
    "monitoring",
    "offer",
    "price",
    "product",
    "rank",
    "review",
    "sales",
)
OF_OTHER_SOURCES = ("order", "weather")


def test_every_model_has_subjects_and_no_other_tags() -> None:
    nodes = json.loads(manifest_path(load_settings({})).read_bytes())["nodes"].values()
    tagged = {node["name"]: set(node["tags"]) for node in nodes if node["resource_type"] in ("model", "seed")}
    assert [name for name, tags in tagged.items() if not tags] == []
    assert set().union(*tagged.values()) == {*SUBJECTS, *OF_OTHER_SOURCES}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_tag_selects_the_same_models_in_dbt_and_in_dagster(warehouse: Warehouse, subject: str) -> None:
    listed = warehouse.dbt("ls", "--select", f"tag:{subject}", "--resource-types", "model", "seed", "--output", "name")
    graph = defs.resolve_asset_graph()
    selected = dg.AssetSelection.from_string(f"tag:{subject}").resolve(graph)
    assert selected
    assert sorted(key.path[-1] for key in selected) == sorted(listed.result)
