"""The list of how each incremental model listens to the models that it reads (`docs/dbt_edges.txt`)."""

import json
from pathlib import Path

from vp_pipeline.dbt.edges import models, text
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.sources.registry import NAMES

LIST = PROJECT_ROOT / "docs" / "dbt_edges.txt"


def files() -> dict[Path, str]:
    """The file and the text that it should hold."""
    settings = load_settings({}, chosen_sources=NAMES)  # every source, also one that is off until it is configured
    manifest = json.loads(manifest_path(settings).read_text(encoding="utf-8"))
    return {LIST: text(models(manifest))}
