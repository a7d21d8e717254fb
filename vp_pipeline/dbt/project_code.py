"""The code of the project's models as it is now.

Here: reading the parsed project. Not here: what counts as code (`fingerprints.py`), and what the warehouse was built
with (`warehouse/model_code.py`).
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import orjson
import yaml

from vp_pipeline.dbt.fingerprints import ModelCode, model_code, project_vars
from vp_pipeline.dbt.project import DBT_PROJECT_DIR, manifest_path
from vp_pipeline.settings import Settings


def project_code(manifest: Path) -> Mapping[str, ModelCode]:
    """The code of every model and seed of the project that `manifest` was parsed from, by name, parents first."""
    return _read(manifest, manifest.stat().st_mtime_ns)


def project_fingerprints(settings: Settings) -> Mapping[str, str]:
    """The fingerprint of each model and seed with everything upstream, of the project for an environment's target."""
    return {name: code.whole for name, code in project_code(manifest_path(settings)).items()}


@lru_cache(maxsize=2)
def _read(manifest: Path, changed: int) -> Mapping[str, ModelCode]:
    """`changed` is part of the key: a project that was parsed again is read again."""
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))
    return model_code(orjson.loads(manifest.read_bytes()), project_vars(project))
