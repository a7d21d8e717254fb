"""The dbt project as a resource: where it is, its manifest, and one invocation.

Here: running dbt and reading what it left. Not here: which models there are (`dbt_project/`) and what Dagster makes of
the results (`assets/dbt.py`).
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
# Words of DuckDB, Snowflake and dbt for SQL that cannot be run on any data.
_SIGNS_OF_A_BUG = ("compilation error", "parser error", "binder error", "catalog error", "syntax error")
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


def build_arguments(days: Iterable[date], exclude: Iterable[str] = ()) -> list[str]:
    """The arguments of a build over the half-open window that holds `days`, without the tests in `exclude`.

    The window travels as dbt's event-time flags and not as vars: every change of `--vars` makes dbt parse the whole
    project again. Unit tests are about the code and not about the data: `make test` runs them.
    """
    start, end = window_of(list(days))
    window = ["--event-time-start", start.isoformat(), "--event-time-end", end.isoformat()]
    excluded = [argument for test in sorted(exclude) for argument in ("--exclude", test)]
    return ["build", *window, "--exclude-resource-type", "unit_test", *excluded]


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


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test. `status` is dbt's; `code` the SQL that it ran, where it came to that."""

    unique_id: str
    status: str
    message: str
    code: str | None

    @property
    def name(self) -> str:
        """`fct_price_stats`: the model's or test's own name, or what comes closest to it."""
        return self.unique_id.split(".")[2]

    @property
    def failed(self) -> bool:
        return self.status in ("error", "fail", "runtime error")

    @property
    def is_bug(self) -> bool:
        """It could not even be asked of the warehouse: no data is to blame, and none can mend it."""
        return self.status != "fail" and any(sign in self.message.lower() for sign in _SIGNS_OF_A_BUG)


def clear_results(target: Path) -> None:
    """Forgets the last invocation: one that dies early must not be taken for it."""
    (target / "run_results.json").unlink(missing_ok=True)


def results(target: Path) -> list[NodeResult]:
    """What the invocation that left its artefacts in `target` did; empty: it did not come to that."""
    written = target / "run_results.json"
    if not written.exists():
        return []
    return [
        NodeResult(
            result["unique_id"],
            result["status"],
            " ".join((result.get("message") or result["status"]).split()),
            result.get("compiled_code"),
        )
        for result in orjson.loads(written.read_bytes())["results"]
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
