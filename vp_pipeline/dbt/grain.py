"""The grain of the models, read from the dbt project's own tests."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from vp_pipeline.failures import PermanentError


def grain_of(manifest: Path, model: str) -> tuple[str, ...]:
    """The columns of a model's grain. `manifest`: dbt's manifest.json.

    Raises:
        PermanentError: there is no such model, or it has no `unique_combination` test.
    """
    found = grains(manifest).get(model)
    if found is None:
        raise PermanentError(
            f"The dbt project has no model {model} with a unique_combination test, which names the columns of its "
            "grain. Set VP_EXPORT_MART to a mart that has one."
        )
    return found


def exportable(manifest: Path) -> list[str]:
    """The marts whose changed rows can be exported: those with a grain, in order of name."""
    nodes = orjson.loads(manifest.read_bytes())["nodes"].values()
    marts = {node["name"] for node in nodes if node["resource_type"] == "model" and node["schema"] == "mart"}
    return sorted(marts & grains(manifest).keys())


def grains(manifest: Path) -> Mapping[str, tuple[str, ...]]:
    """The columns of each model's grain: those of its (first) `unique_combination` test."""
    found: dict[str, tuple[str, ...]] = {}
    for node in orjson.loads(manifest.read_bytes())["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_combination":
            attached = str(node.get("attached_node") or "").rsplit(".", 1)[-1]
            found.setdefault(attached, tuple(test["kwargs"]["columns"]))
    return found
