"""The command `vp`. `vp --help` lists what it can do.

Here: which commands there are, each a module beside this one or in a folder here. Commands import Dagster and the
pipeline within their functions: `vp --help` and a mistyped option do not wait for it.
"""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from vp_pipeline.cli import deploy, published, quarantine
from vp_pipeline.cli.code_changes import rebuild
from vp_pipeline.cli.code_changes.diff import diff
from vp_pipeline.cli.code_changes.plan import plan
from vp_pipeline.cli.config import config
from vp_pipeline.cli.dashboard import dashboard
from vp_pipeline.cli.days import days
from vp_pipeline.cli.doctor.command import doctor
from vp_pipeline.cli.local_runs.consume import consume
from vp_pipeline.cli.metrics import metrics
from vp_pipeline.cli.retention import maintain
from vp_pipeline.cli.run import run
from vp_pipeline.cli.sandbox import sandbox
from vp_pipeline.cli.terminal import print_failure, print_warnings
from vp_pipeline.cli.terminal.options import Command, Group, print_version
from vp_pipeline.failures import PermanentError, PipelineError, StartError, file_failure

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (run, consume, days, plan, diff, metrics, dashboard, doctor, config, sandbox, maintain):
    app.command(cls=Command)(command)
app.add_typer(rebuild.app, name="rebuild")
app.add_typer(deploy.app, name="deploy")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(published.app, name="published")


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """VeracityPro pipeline: Amazon-marketplace data from Airbyte to trusted marts."""


def main() -> None:
    """The entry point: a mistake that a person can make is reported in a sentence, never as a traceback."""
    print_warnings()
    try:
        app()
    except PipelineError as error:
        _fail(error)
    except Exception as error:
        failure = _named(error)
        if failure is None:
            raise
        _fail(failure)


def _named(error: Exception) -> PipelineError | None:
    """What the operating system, or the database of Dagster's records, refused; None: it is a bug."""
    if isinstance(error, OSError):
        return file_failure(error)
    sqlalchemy: Any = sys.modules.get("sqlalchemy.exc")
    if sqlalchemy is not None and isinstance(error, sqlalchemy.DatabaseError):
        return PermanentError(
            f"Dagster's records cannot be read or written: {error.orig}. They are in DAGSTER_HOME (default: .dagster "
            "in the project). Make room, restore them from a backup, or move the folder away: the runs so far are not "
            "listed any more then, and nothing else changes."
        )
    return None


def _fail(error: PipelineError) -> None:
    hint = "`vp doctor` lists all that is wrong, each with what fixes it." if isinstance(error, StartError) else None
    print_failure(Console(stderr=True, highlight=False), "vp", [str(error)], hint)
    sys.exit(1)
