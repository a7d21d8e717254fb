"""Consumers read publications: nothing opens the warehouse on their behalf, so a run that writes it is in nobody's way.

Each command is either a consumer's or an operator's; a new one has to be put into one of the two lists.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import typer.main
from typer.testing import CliRunner

from vp_pipeline.cli.main import app
from vp_pipeline.failures import TransientError
from vp_pipeline.published import read, tables
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse import duckdb as warehouse
from vp_pipeline_tests.cli.test_manners import commands
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings

DAY = date(2026, 3, 10)
# What a consumer types.
CONSUMERS = (
    ("metrics",),
    ("metrics", "in_stock_rate", "deal_count", "--by", "product__current_brand"),
    ("published", "list"),
)
OPERATORS = {
    *(
        "run",
        "consume",
        "days",
        "plan",
        "diff",
        "sandbox",
        "maintain",
        "rebuild silver",
        "deploy snowflake",
        "deploy airbyte",
    ),
    *("quarantine list", "quarantine show", "quarantine retry", "published rollback", "doctor", "config"),
}
# Serves until it is stopped; its pages go through `publishing/reader.py` alone (`vp_pipeline_tests/dashboard`).
SERVES = {"dashboard"}
# Opens the file as a run does while it writes.
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_each_command_is_a_consumers_or_an_operators() -> None:
    group = typer.main.get_command(app)
    leaves = {" ".join(path) for path in commands(group) if path and not _is_group(path)}
    consumers = {name for name in leaves if any(" ".join(typed).startswith(name) for typed in CONSUMERS)}
    assert leaves - consumers == OPERATORS | SERVES
    assert consumers == {"metrics", "published list"}


def _is_group(path: tuple[str, ...]) -> bool:
    command = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    return hasattr(command, "commands")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A day is published, and another process holds the warehouse."""
    settings = pipeline_settings(tmp_path_factory.mktemp("data"), keepa_asins="3:B0SBXDEU09,5:B0SBXJPN10")
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance)
        report = pipeline.run(DAY)
        assert report.succeeded, report.reasons
        with _held(settings.warehouse_path):
            yield pipeline


class _held:
    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "held\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


@pytest.mark.slow
def test_the_warehouse_is_really_held(published: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "_LOCK_WAIT_SECONDS", 0)
    with pytest.raises(TransientError, match="held by another process"):
        published.query("select 1")


@pytest.mark.slow
@pytest.mark.parametrize("typed", CONSUMERS, ids=" ".join)
def test_a_consumers_command_works_while_the_warehouse_is_written(published: Pipeline, typed: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*typed, "--json"], env={"VP_DATA_DIR": str(published.settings.data_dir)})
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)


@pytest.mark.slow
def test_pandas_reads_every_table_meanwhile(published: Pipeline) -> None:
    there = tables(settings=published.settings)
    assert {"mart_product_daily", "mon_day"} <= set(there["table"])
    for name, rows in zip(there["table"], there["rows"], strict=True):
        assert len(read(name, settings=published.settings)) == rows, name
    (day,) = read("mon_day", settings=published.settings).to_dict("records")
    assert (day["is_loaded"], day["is_in_marts"], day["is_validated"], day["excluded_answers"]) == (True, True, True, 0)


@pytest.mark.slow
def test_the_notebook_runs_from_its_first_cell_to_its_last(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Jupyter would, cell by cell in one namespace. A notebook is JSON: no package is needed to run plain Python."""
    monkeypatch.setenv("VP_DATA_DIR", str(published.settings.data_dir))
    cells = json.loads((PROJECT_ROOT / "docs" / "published_tables.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    shown = [_run(source, names) for source in sources]
    assert len(shown) == 8
    assert all(len(each) for each in shown), "each cell shows something"
    assert shown[-1] == tables(settings=published.settings)["build"].iloc[0]
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code"), "clear all outputs"


def _run(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; the value of its last line, which Jupyter shows."""
    *body, last = ast.parse(source).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.mark.slow
def test_deliveries_read_what_is_published(published: Pipeline) -> None:
    assert published.materialize("key:delivery/*", DAY).success
