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
# The outputs of profiles.yml. There is no fallback: an environment without one cannot run.
TARGETS = {"local": "local", "production": "snowflake"}
# What dbt says of a failure that another try may mend: a lock of DuckDB's, a connection of Snowflake's.
PASSING = ("Could not set lock", "Conflicting lock", "250001", "390114", "Failed to connect to DB", "Read timed out")
# dbt takes variables that begin so as they are, without parsing the project again when one changes.
_TAG_VARIABLE = "DBT_ENV_CUSTOM_ENV_VP_RUN"
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
    os.environ.update(_environment(settings))
    return InstalledDbt(
        project_dir=os.fspath(DBT_PROJECT_DIR),
        profiles_dir=os.fspath(DBT_PROJECT_DIR),
        dbt_executable=os.fspath(Path(sys.executable).with_name("dbt")),
        target=TARGETS[settings.env],
    )


def tag_run(run_id: str) -> None:
    """Names the run in the query tag of what dbt does next (`macros/query_tag.sql`)."""
    os.environ[_TAG_VARIABLE] = run_id


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


def _environment(settings: Settings) -> dict[str, str]:
    """What profiles.yml reads. `.env` reaches dbt this way too."""
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
        "PRIVATE_KEY_PASSPHRASE": passphrase.get_secret_value() if passphrase else None,
        "PASSWORD": password.get_secret_value() if password else None,
        "HOST": settings.snowflake_host,
        "PORT": settings.snowflake_port,
        "PROTOCOL": settings.snowflake_protocol,
    }
    return {f"VP_SNOWFLAKE_{name}": str(value) for name, value in found.items() if value is not None}


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

    # For the graph every target gives the same manifest, and the local one needs no secret.
    os.environ[WAREHOUSE_VARIABLE] = str(settings.warehouse_path)
    scratch = manifest.parent / "parse"
    where = [f"--project-dir={DBT_PROJECT_DIR}", f"--profiles-dir={DBT_PROJECT_DIR}", f"--target={TARGETS['local']}"]
    result = dbtRunner().invoke(["--quiet", "parse", *where, f"--target-path={scratch}", f"--log-path={scratch}"])
    if not result.success:
        raise PermanentError(
            f"dbt cannot parse {DBT_PROJECT_DIR}: {result.exception}. Run `dbt parse` there to see where."
        )
    (scratch / "manifest.json").replace(manifest)
    os.utime(manifest)
