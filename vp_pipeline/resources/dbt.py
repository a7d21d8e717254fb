"""The dbt project as a resource: where it is, its manifest, and one invocation.

Here: running dbt and reading what it left. Not here: which models there are (`dbt_project/`) and what Dagster makes of
the results (`assets/dbt.py`).
"""

import os
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import orjson
from dagster_dbt import DagsterDbtTranslator, DbtCliResource
from dagster_dbt.asset_utils import (
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
)
from filelock import FileLock
from packaging.version import Version

from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import window_of
from vp_pipeline.resources.dbt_in_process import DbtThread, InProcessInvocation
from vp_pipeline.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
WAREHOUSE_VARIABLE = "VP_WAREHOUSE_PATH"
# Words of DuckDB, Snowflake and dbt for SQL that cannot be run on any data.
_SIGNS_OF_A_BUG = ("compilation error", "parser error", "binder error", "catalog error", "syntax error")
# What a manifest is made from; when one of these is newer, it is made again.
_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests")


class InstalledDbt(DbtCliResource):
    """dbt as this interpreter has it, run in this process, without the costs of stock dagster-dbt that buy us nothing.

    Those are `dbt --version` for each resource (1.5 s), a process that imports dbt for each command (3 s), and dbt's
    adapter set up for metadata queries that we do not make (1 s). None has a public switch; test_dbt_resource.py guards
    what we use in their place.
    """

    warehouse_path: str

    @cached_property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))

    def cli(  # type: ignore[override]
        self, args: Sequence[str], *, context: dg.AssetExecutionContext, target_path: Path, raise_on_error: bool = False
    ) -> InProcessInvocation:
        """Starts a dbt command on the models and tests that `context` selects; its artefacts go to `target_path`."""
        arguments, selects, excludes = extract_runtime_selection_from_args(args)
        of = get_updated_cli_invocation_params_for_context(
            context=context,
            manifest={},
            dagster_dbt_translator=DagsterDbtTranslator(),
            runtime_selects=selects,
            runtime_excludes=excludes,
        )
        target_path.mkdir(parents=True, exist_ok=True)
        where = ["--project-dir", self.project_dir, "--profiles-dir", self.profiles_dir or "", "--target", self.target]
        how = ["--indirect-selection", of.indirect_selection] if of.indirect_selection else []
        whole = [*arguments, *map(str, where), *how, *of.selection_args]
        thread = DbtThread(whole, target_path, _parsed, {WAREHOUSE_VARIABLE: self.warehouse_path})
        return InProcessInvocation(
            process=thread,  # type: ignore[arg-type] # it has what is used of one
            manifest=of.manifest,
            dagster_dbt_translator=of.dagster_dbt_translator,
            project_dir=Path(self.project_dir),
            target_path=target_path,
            raise_on_error=raise_on_error,
            cli_version=self._cli_version,
            project=of.dbt_project,
            context=context,
        )


def dbt_resource(settings: Settings) -> InstalledDbt:
    """dbt for an environment; its executable need not be on the PATH."""
    return InstalledDbt(
        project_dir=os.fspath(DBT_PROJECT_DIR),
        profiles_dir=os.fspath(DBT_PROJECT_DIR),
        dbt_executable=os.fspath(Path(sys.executable).with_name("dbt")),
        target=settings.env,
        warehouse_path=os.fspath(settings.warehouse_path),
    )


def build_arguments(days: Iterable[date], exclude: Collection[str] = ()) -> list[str]:
    """The arguments of a build over the half-open window that holds `days`, without the tests in `exclude`.

    The window travels as dbt's event-time flags and not as vars: every change of `--vars` makes dbt parse the whole
    project again. Unit tests are about the code and not about the data: `make test` runs them.
    """
    excluded = ["--exclude", " ".join(sorted(exclude))] if exclude else []
    return ["build", *_window(days), "--exclude-resource-type", "unit_test", *excluded]


def test_arguments(days: Iterable[date]) -> list[str]:
    """The arguments of all tests of data, over the same window, without building anything."""
    return ["build", *_window(days), "--resource-type", "test"]


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


def _window(days: Iterable[date]) -> list[str]:
    start, end = window_of(list(days))
    return ["--event-time-start", start.isoformat(), "--event-time-end", end.isoformat()]


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


def _parsed() -> "Manifest":
    """The project as `manifest_path` had it parsed: a command in this process parses nothing."""
    target = DBT_PROJECT_DIR / "target"
    return _read_parse(target / "parse" / "partial_parse.msgpack", (target / "manifest.json").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read_parse(path: Path, made: int) -> "Manifest":
    """`made` is part of the key: a project that was parsed anew is read anew."""
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(path.read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest
