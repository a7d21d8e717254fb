"""One dbt command, in this process or in another, as Dagster sees it.

Here: which arguments and variables a command gets. Not here: dbt itself (`in_process.py`, `executable.py`), its results
(`results.py`), and what Dagster records of them (`assets/dbt/`).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslator
from packaging.version import Version

from vp_pipeline.dagster_internals.dbt_invocation import (
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
)
from vp_pipeline.dbt.environment import RESTATE_VARIABLE, RUN_VARIABLE, dbt_environment
from vp_pipeline.dbt.executable import DbtProcess
from vp_pipeline.dbt.in_process import DbtThread, InProcessInvocation
from vp_pipeline.dbt.project import DBT_PROJECT_DIR, parsed_project, project_arguments, target_dir
from vp_pipeline.partitions import window_of
from vp_pipeline.settings import Settings


@dataclass(frozen=True)
class InstalledDbt:
    """dbt as this interpreter has it, run in this process, on the target of an environment.

    It is no `DbtCliResource`: that costs `dbt --version` for each resource (1.5 s), a process that imports dbt for each
    command (3 s), and dbt's adapter set up for metadata queries that we do not make (1 s); and its fields show in
    the UI, where the password must not be. dagster-dbt makes Dagster's events of a command all the same
    (`dagster_internals/dbt_invocation.py`).
    """

    settings: Settings

    @property
    def manifest(self) -> Path:
        """The project as it was parsed for the target; `manifest_path` makes it."""
        return target_dir(self.settings) / "manifest.json"

    def cli(
        self,
        args: Sequence[str],
        *,
        context: dg.AssetExecutionContext,
        target_path: Path,
        restate: Mapping[str, str] | None = None,
    ) -> InProcessInvocation:
        """Starts a dbt command on the models and tests that `context` selects; its artefacts go to `target_path`.
        `restate`: models to build as a whole, with the fingerprint to record for each."""
        arguments, selects, excludes = extract_runtime_selection_from_args(args)
        selection = get_updated_cli_invocation_params_for_context(
            context=context,
            manifest={},
            dagster_dbt_translator=DagsterDbtTranslator(),
            runtime_selects=selects,
            runtime_excludes=excludes,
        )
        target_path.mkdir(parents=True, exist_ok=True)
        indirect = ["--indirect-selection", selection.indirect_selection] if selection.indirect_selection else []
        command = [*arguments, *indirect, *selection.selection_args]
        return InProcessInvocation(
            process=self.start(command, target_path, context.run_id, restate or {}),  # type: ignore[arg-type] # it has what is used
            manifest=selection.manifest,
            dagster_dbt_translator=selection.dagster_dbt_translator,
            project_dir=DBT_PROJECT_DIR,
            target_path=target_path,
            raise_on_error=False,
            cli_version=Version(metadata.version("dbt-core")),
            project=selection.dbt_project,
            context=context,
        )

    def start(
        self, command: Sequence[str], target_path: Path, run_id: str, restate: Mapping[str, str] | None = None
    ) -> DbtThread | DbtProcess:
        """Starts a command, in this process or as VP_DBT_EXECUTABLE. The credentials are in the environment while it
        runs, and only then."""
        arguments, project = [*command, *project_arguments(self.settings)], parsed_project(self.manifest)
        environment = {
            **dbt_environment(self.settings, connects=True),
            RUN_VARIABLE: run_id,
            RESTATE_VARIABLE: json.dumps(dict(restate or {})),
        }
        if self.settings.dbt_executable:
            return DbtProcess(self.settings.dbt_executable, arguments, target_path, project, environment)
        return DbtThread(arguments, target_path, project, environment)


def build_dbt(settings: Settings) -> InstalledDbt:
    """dbt for an environment; its executable need not be on the PATH."""
    return InstalledDbt(settings)


def build_arguments(days: Iterable[date], exclude: Collection[str] = ()) -> list[str]:
    """The arguments of a build over the half-open window that holds `days`, without the tests in `exclude`.

    The window travels as dbt's event-time flags and not as vars: every change of `--vars` makes dbt parse the whole
    project again. Unit tests are about the code and not about the data: `make test` runs them.
    """
    start, end = window_of(list(days))
    window = ["--event-time-start", start.isoformat(), "--event-time-end", end.isoformat()]
    excluded = ["--exclude", " ".join(sorted(exclude))] if exclude else []
    return ["build", *window, "--exclude-resource-type", "unit_test", *excluded]
