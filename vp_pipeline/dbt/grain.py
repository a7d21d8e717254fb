"""The grain of a mart, read from the dbt project's own tests."""

from pathlib import Path

import orjson

from vp_pipeline.failures import PermanentError


def grain_of(manifest: Path, model: str) -> tuple[str, ...]:
    """The columns of a model's grain: those of its `unique_combination` test. `manifest`: dbt's manifest.json.

    Raises:
        PermanentError: there is no such model, or it has no such test.
    """
    nodes = orjson.loads(manifest.read_bytes())["nodes"].values()
    for node in nodes:
        test = node.get("test_metadata") or {}
        attached = str(node.get("attached_node") or "").rsplit(".", 1)[-1]
        if attached == model and test.get("name") == "unique_combination":
            return tuple(test["kwargs"]["columns"])
    raise PermanentError(
        f"The dbt project has no model {model} with a unique_combination test, which names the columns of its grain. "
        "Set VP_EXPORT_MART to a mart that has one."
    )
