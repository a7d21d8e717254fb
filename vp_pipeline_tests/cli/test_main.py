"""The command as a whole: what it offers, and what it costs to start."""

import subprocess
import sys

from typer.testing import CliRunner

from vp_pipeline.cli.main import app

# Seconds of imports that a person who asks for help, or mistypes an option, does not wait for.
_HEAVY = ("boto3", "dagster", "dbt", "duckdb", "pandas", "pyarrow")


def test_every_command_is_in_the_help() -> None:
    of_runs = ("run", "consume", "plan", "diff", "rebuild", "quarantine", "published")
    shown = CliRunner().invoke(app, ["--help"]).output
    for command in (*of_runs, "metrics", "sandbox", "maintain", "deploy", "doctor", "config", "dashboard"):
        assert f" {command} " in shown


def test_the_command_starts_without_dagster() -> None:
    script = f"import sys, vp_pipeline.cli.main; print(sorted(set({_HEAVY!r}) & set(sys.modules)))"
    started = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert started.stdout == "[]\n"
