"""Models by subject: one tag selects the same ones in dbt and in Dagster, and no model is without a subject."""

import dagster as dg
import pytest
from dbt.contracts.graph.manifest import Manifest

from vp_pipeline.build import build_definitions
from vp_pipeline.settings import load_settings
from vp_pipeline_tests.dbt_project.conftest import EVERY_SOURCE, Warehouse

SUBJECTS = (
    "buy_box",
    "calendar",
    "marketplace",
    "monitoring",
    "offer",
    "order",
    "price",
    "product",
    "rank",
    "review",
    "sales",
    "weather",
)


def test_every_model_has_subjects_and_no_other_tags(manifest: Manifest) -> None:
    tagged = {n.name: set(n.tags) for n in manifest.nodes.values() if n.resource_type in ("model", "seed")}
    assert [name for name, tags in tagged.items() if not tags] == []
    assert set().union(*tagged.values()) == set(SUBJECTS)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_tag_selects_the_same_models_in_dbt_and_in_dagster(warehouse: Warehouse, subject: str) -> None:
    listed = warehouse.dbt("ls", "--select", f"tag:{subject}", "--resource-types", "model", "seed", "--output", "name")
    graph = build_definitions(load_settings({}, chosen_sources=EVERY_SOURCE)).resolve_asset_graph()
    selected = dg.AssetSelection.from_string(f"tag:{subject}").resolve(graph)
    assert selected
    assert sorted(key.path[-1] for key in selected) == sorted(listed.result)
