"""The dbt project as a resource: where it is, its manifest, and one invocation.

Here: running dbt and reading what it left. Not here: which models there are (`dbt_project/`) and what Dagster makes of
the results (`assets/dbt.py`).
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import orjson
from dagster_dbt import DagsterDbtTranslator
from dagster_dbt.asset_utils import (
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
)
from filelock import FileLock
from packaging.version import Version

from vp_pipeline.dbt.in_process import DbtThread, InProcessInvocation, alone
from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import window_of
from vp_pipeline.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
WAREHOUSE_VARIABLE = "VP_WAREHOUSE_PATH"
# The outputs of profiles.yml. There is no fallback: an environment without one cannot run.
TARGETS = {"local": "local", "production": "snowflake"}
# What dbt says of a failure that another try may mend: a lock of DuckDB's, a connection of Snowflake's.
PASSING = ("Could not set lock", "Conflicting lock", "250001", "390114", "Failed to connect to DB", "Read timed out")
# Names the run in the query tag of each statement (`macros/query_tag.sql`). dbt takes variables that begin so as they
# are, without parsing the project again when one changes.
_TAG_VARIABLE = "DBT_ENV_CUSTOM_ENV_VP_RUN"
# The columns of the models, their types and lineage (`vp_pipeline/dbt/column_lineage.py` makes it).
COLUMNS_FILE = DBT_PROJECT_DIR / "columns.json"
# What the metrics mean (`vp_pipeline/publishing/metrics.py`); it lies beside the manifest and is as fresh.
SEMANTIC_MANIFEST = "semantic_manifest.json"
# Words of DuckDB, Snowflake and dbt for SQL that cannot be run on any data.
_SIGNS_OF_A_BUG = ("compilation error", "parser error", "binder error", "catalog error", "syntax error")
# What a manifest is made from; when one of these is newer, it is made again.
_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "snapshots", "tests")


@dataclass(frozen=True)
class InstalledDbt:
    """dbt as this interpreter has it, run in this process, on the target of an environment.

    It is no `DbtCliResource`: that costs `dbt --version` for each resource (1.5 s), a process that imports dbt for each
    command (3 s), and dbt's adapter set up for metadata queries that we do not make (1 s); and what it knows shows in
    the UI, where the password is not to be. What a command does is told to Dagster by dagster-dbt all the same;
    test_dbt_resource.py guards what is used of it.
    """

    settings: Settings

    @property
    def manifest(self) -> Path:
        """The project as it was parsed for the target; `manifest_path` makes it."""
        return _target_dir(self.settings) / "manifest.json"

    def cli(
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
        how = ["--indirect-selection", of.indirect_selection] if of.indirect_selection else []
        command = [*arguments, *how, *of.selection_args]
        return InProcessInvocation(
            process=self.start(command, target_path, context.run_id),  # type: ignore[arg-type] # it has what is used
            manifest=of.manifest,
            dagster_dbt_translator=of.dagster_dbt_translator,
            project_dir=DBT_PROJECT_DIR,
            target_path=target_path,
            raise_on_error=raise_on_error,
            cli_version=Version(metadata.version("dbt-core")),
            project=of.dbt_project,
            context=context,
        )

    def start(self, command: Sequence[str], target_path: Path, run_id: str) -> DbtThread:
        """Starts a command. What signs in is in the environment while it runs, and only then."""
        return DbtThread(
            [*command, *_where(self.settings)],
            target_path,
            partial(_parsed, _target_dir(self.settings)),
            {**_environment(self.settings, secrets=True), _TAG_VARIABLE: run_id},
        )


def build_dbt(settings: Settings) -> InstalledDbt:
    """dbt for an environment; its executable need not be on the PATH."""
    return InstalledDbt(settings)


def build_arguments(days: Iterable[date], exclude: Collection[str] = ()) -> list[str]:
    """The arguments of a build over the half-open window that holds `days`, without the tests in `exclude`.

    The window travels as dbt's event-time flags and not as vars: every change of `--vars` makes dbt parse the whole
    project again. Unit tests are about the code and not about the data: `make test` runs them.
    """
    excluded = ["--exclude", " ".join(sorted(exclude))] if exclude else []
    return ["build", *_window(days), "--exclude-resource-type", "unit_test", *excluded]


def manifest_path(settings: Settings) -> Path:
    """The manifest of the dbt project for the target of the settings, made anew when a file of the project is newer.

    Nothing is connected to, and no secret is told to dbt.

    Raises:
        PermanentError: dbt cannot parse the project.
    """
    manifest = _target_dir(settings) / "manifest.json"
    if _is_fresh(manifest):
        return manifest
    manifest.parent.mkdir(parents=True, exist_ok=True)
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


def _environment(settings: Settings, *, secrets: bool) -> dict[str, str]:
    """What profiles.yml reads. `.env` reaches dbt this way too. Without `secrets`: enough to parse, not to sign in."""
    if settings.env == "local":
        return {WAREHOUSE_VARIABLE: str(settings.warehouse_path)}
    passphrase, password = settings.snowflake_private_key_passphrase, settings.snowflake_password
    found = {
        "ACCOUNT": settings.snowflake_account,
        "USER": settings.snowflake_user,
        "ROLE": settings.snowflake_role,
        "WAREHOUSE": settings.snowflake_warehouse,
        "WAREHOUSE_LARGE": settings.snowflake_warehouse_large or settings.snowflake_warehouse,
        "DATABASE": settings.snowflake_database,
        "THREADS": settings.snowflake_threads,
        "TIMEOUT_SECONDS": settings.snowflake_timeout_seconds,
        "PRIVATE_KEY_PATH": settings.snowflake_private_key_path,
        "PRIVATE_KEY_PASSPHRASE": passphrase.get_secret_value() if passphrase and secrets else None,
        "PASSWORD": password.get_secret_value() if password and secrets else None,
        "HOST": settings.snowflake_host,
        "PORT": settings.snowflake_port,
        "PROTOCOL": settings.snowflake_protocol,
    }
    return {f"VP_SNOWFLAKE_{name}": str(value) for name, value in found.items() if value is not None}


def _target_dir(settings: Settings) -> Path:
    """Where the parsed project lies: a manifest names relations as its target does, and is of no use to another. On
    Snowflake the names of the database and of the large models' warehouse are in it too."""
    folder = DBT_PROJECT_DIR / "target" / TARGETS[settings.env]
    if settings.env == "local":
        return folder
    large = settings.snowflake_warehouse_large or settings.snowflake_warehouse
    return folder / f"{settings.snowflake_database}.{large}"


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

    scratch = manifest.parent / "parse"
    into = [f"--target-path={scratch}", f"--log-path={scratch}"]
    with alone(_environment(settings, secrets=False)):
        result = dbtRunner().invoke(["--quiet", "parse", *_where(settings), *into])
    if not result.success:
        raise PermanentError(
            f"dbt cannot parse {DBT_PROJECT_DIR}: {result.exception}. Run `dbt parse` there to see where."
        )
    (scratch / SEMANTIC_MANIFEST).replace(manifest.with_name(SEMANTIC_MANIFEST))
    (scratch / "manifest.json").replace(manifest)
    os.utime(manifest)


def _where(settings: Settings) -> list[str]:
    project = [f"--project-dir={DBT_PROJECT_DIR}", f"--profiles-dir={DBT_PROJECT_DIR}"]
    return [*project, f"--target={TARGETS[settings.env]}"]


def _parsed(target_dir: Path) -> "Manifest":
    """The project as `manifest_path` had it parsed: a command in this process parses nothing."""
    made = (target_dir / "manifest.json").stat().st_mtime_ns
    return _read_parse(target_dir / "parse" / "partial_parse.msgpack", made)


@lru_cache(maxsize=1)
def _read_parse(path: Path, made: int) -> "Manifest":
    """`made` is part of the key: a project that was parsed anew is read anew."""
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(path.read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest
