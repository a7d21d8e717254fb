"""The dbt project as a resource: where it is, its manifest, and one invocation.

Here: running dbt and reading what it left. Not here: which models there are (`dbt_project/`) and what Dagster makes of
the results (`assets/dbt.py`).
"""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast

import orjson
from dagster_dbt import DbtCliResource
from filelock import FileLock
from packaging.version import Version

from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import window_of
from vp_pipeline.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from dbt.adapters.base.impl import BaseAdapter

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
WAREHOUSE_VARIABLE = "VP_WAREHOUSE_PATH"
# What a manifest is made from; when one of these is newer, it is made again.
_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests")


class InstalledDbt(DbtCliResource):
    """dbt as this interpreter has it, without two costs of an invocation that buy us nothing.

    Stock dagster-dbt starts `dbt --version` for each resource (1.5 s), and sets up dbt's adapter in this process for
    metadata queries that we do not make (1 s). Neither has a public switch; test_dbt_resource.py guards both.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> "BaseAdapter":
        return cast("BaseAdapter", None)  # "no adapter" is a value that its callers know


def dbt_resource(settings: Settings) -> InstalledDbt:
    """dbt for an environment; its executable need not be on the PATH."""
    os.environ[WAREHOUSE_VARIABLE] = str(settings.warehouse_path)
    return InstalledDbt(
        project_dir=os.fspath(DBT_PROJECT_DIR),
        profiles_dir=os.fspath(DBT_PROJECT_DIR),
        dbt_executable=os.fspath(Path(sys.executable).with_name("dbt")),
        target=settings.env,
    )


def build_arguments(days: Iterable[date]) -> list[str]:
    """The arguments of a build over the half-open window that holds `days`.

    The window travels as dbt's event-time flags and not as vars: every change of `--vars` makes dbt parse the whole
    project again. Unit tests are about the code and not about the data: `make test` runs them.
    """
    start, end = window_of(list(days))
    window = ["--event-time-start", start.isoformat(), "--event-time-end", end.isoformat()]
    return ["build", *window, "--exclude-resource-type", "unit_test"]


def manifest_path(settings: Settings) -> Path:
    """The manifest of the dbt project, made anew when a file of the project is newer.

    Raises:
        PermanentError: dbt cannot parse the project.
    """
    manifest = DBT_PROJECT_DIR / "target" / "manifest.json"
    if _is_fresh(manifest):
        return manifest
    manifest.parent.mkdir(exist_ok=True)
    with FileLock(manifest.parent / "manifest.lock"):
        if not _is_fresh(manifest):
            _parse(settings, manifest)
    return manifest


def grain_of(manifest: Path, model: str) -> tuple[str, ...]:
    """The columns of a model's grain: those of its `unique_combination` test.

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
        f"The dbt project has no model {model} with a unique_combination test, which says what a row of it is. "
        "Set VP_EXPORT_MART to a mart that has one."
    )


def failures(target: Path) -> list[str]:
    """What went wrong in the invocation that left its artefacts in `target`: a line a model or test."""
    results = target / "run_results.json"
    if not results.exists():
        return []
    return [
        f"{result['unique_id'].split('.', 2)[2]}: {' '.join((result.get('message') or result['status']).split())}"
        for result in orjson.loads(results.read_bytes())["results"]
        if result["status"] in ("error", "fail", "runtime error")
    ]


def _is_fresh(manifest: Path) -> bool:
    if not manifest.exists():
        return False
    made = manifest.stat().st_mtime
    files = (
        file
        for name in _INPUTS
        for path in [DBT_PROJECT_DIR / name]
        for file in (path, *path.rglob("*"))  # folders too: theirs is newer when a file was removed
    )
    return all(file.stat().st_mtime <= made for file in files if file.exists())


def _parse(settings: Settings, manifest: Path) -> None:
    from dbt.cli.main import dbtRunner

    os.environ[WAREHOUSE_VARIABLE] = str(settings.warehouse_path)
    scratch = manifest.parent / "parse"
    where = [f"--project-dir={DBT_PROJECT_DIR}", f"--profiles-dir={DBT_PROJECT_DIR}", f"--target={settings.env}"]
    result = dbtRunner().invoke(["--quiet", "parse", *where, f"--target-path={scratch}", f"--log-path={scratch}"])
    if not result.success:
        raise PermanentError(
            f"dbt cannot parse {DBT_PROJECT_DIR}: {result.exception}. Run `dbt parse` there to see where."
        )
    (scratch / "manifest.json").replace(manifest)
    os.utime(manifest)
