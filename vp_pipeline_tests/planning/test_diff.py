"""`vp diff` on a copy of the project: what it finds of edited models, and that it touches and leaves nothing.

Here: the command on a built and published day. Not here: one table (`test_diff_tables.py`), the copy of the warehouse
(`test_diff_duckdb.py`), and the text (`test_diff_markdown.py`).
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.project_copy import ProjectCopy, project_copy

pytestmark = pytest.mark.slow
DATES, DEALS, FACT = "dim_date", "mart_deals", "fct_price_history_daily"
SELLERS, STOCK_OUTS = "fct_buy_box_seller_daily", "mart_stock_outs"


@pytest.fixture(scope="module")
def published(green_days: GreenDays, tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A project of which a day is published."""
    folder = tmp_path_factory.mktemp("diff")
    green_days.copy(1, folder)
    return project_copy(folder, VP_KEEPA_ASINS=GreenDays.PRODUCTS)


@pytest.fixture
def project(published: ProjectCopy) -> Iterator[ProjectCopy]:
    """The same with its code as it was, and a check that no test has changed or left anything in its data."""
    models = published.root / "dbt_project" / "models"
    code = {file: file.read_bytes() for file in models.rglob("*.*")}
    data = contents(published.data)
    yield published
    assert contents(published.data) == data
    for file, content in code.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found(project: ProjectCopy, *arguments: str) -> Any:
    return json.loads(markdown(project, "--json", *arguments))


def markdown(project: ProjectCopy, *arguments: str) -> str:
    """What is printed, without what is reported meanwhile (which goes to stderr)."""
    return "".join(line for line in project.vp("diff", *arguments).splitlines(keepends=True) if " …" not in line[-4:])


def tables(diff: Any) -> dict[str, Any]:
    return {table["table"]: table for table in diff["tables"]}


def query(project: ProjectCopy, sql: str) -> list[Any]:
    with duckdb.connect(str(project.data / "published.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_nothing_differs_also_where_a_comment_does(project: ProjectCopy) -> None:
    assert markdown(project).startswith("**Nothing differs**")
    project.edit(project.model(DEALS), lambda sql: f"-- A comment.\n{sql}")
    diff = found(project)
    assert (diff["differs"], diff["models"], diff["tables"]) == (False, [], [])


def test_an_edited_fact_and_everything_below_it(project: ProjectCopy) -> None:
    project.edit(
        project.model(FACT), lambda sql: sql.replace("    daily.changes\n", "    daily.changes + 7 as changes\n")
    )
    diff = found(project)
    assert diff["differs"]
    assert {"name": FACT, "why": "SQL"} in diff["models"]
    assert {"name": DEALS, "why": f"reads {FACT}"} in diff["models"]
    ((rows,),) = query(project, f"select count(*) from mart.{FACT}")
    fact = tables(diff)[f"mart.{FACT}"]
    assert (fact["rows_before"], fact["rows_after"], fact["changed"]) == (rows, rows, rows)
    (changes,) = fact["columns"]
    assert (changes["column"], changes["rows"]) == ("changes", rows)
    assert all(int(each["after"]) == int(each["before"]) + 7 for each in changes["examples"])
    assert tables(diff)[f"mart.{DEALS}"]["status"] == "same"
    assert diff["metrics"] == []
    assert "average_price" in diff["unchanged_metrics"]
    assert found(project) == diff


def test_rows_columns_tables_and_metrics(project: ProjectCopy) -> None:
    of_one = "filter (where domain_id = 3)"
    counts = f"select count(*), count(*) {of_one}, sum(won_minutes), sum(won_minutes) {of_one} from mart.{SELLERS}"
    ((rows, kept, minutes, minutes_kept),) = query(project, counts)
    assert 0 < kept < rows
    project.wrap(SELLERS, "select * from (", ") as edited where domain_id = 3")
    project.wrap(STOCK_OUTS, "select * exclude (is_open), 1 as edited_by from (", ") as edited")
    project.edit(project.model(DATES), lambda sql: f"{{{{ config(alias='calendar') }}}}\n{sql}")
    diff = found(project)
    assert {model["name"] for model in diff["models"]} == {DATES, SELLERS, STOCK_OUTS}
    filtered = tables(diff)[f"mart.{SELLERS}"]
    assert (filtered["added"]["count"], filtered["removed"]["count"], filtered["changed"]) == (0, rows - kept, 0)
    assert len(filtered["removed"]["examples"]) == 3
    reshaped = tables(diff)[f"mart.{STOCK_OUTS}"]
    assert reshaped["new_columns"] == [["edited_by", "INTEGER"]]
    assert reshaped["dropped_columns"] == [["is_open", "BOOLEAN"]]
    assert reshaped["changed"] == 0
    assert tables(diff)["mart.calendar"]["status"] == "new"
    assert tables(diff)[f"mart.{DATES}"]["status"] == "dropped"
    (metric,) = diff["metrics"]
    assert (metric["metric"], metric["before"], metric["after"]) == ("seller_buy_box_minutes", minutes, minutes_kept)
    selected = found(project, "--select", SELLERS)
    assert list(tables(selected)) == [f"mart.{SELLERS}"]
    assert set(selected["left_out"]) == {DATES, STOCK_OUTS}


@pytest.mark.exhaustive
def test_a_selection_of_unchanged_models_makes_the_same_rows(project: ProjectCopy) -> None:
    diff = found(project, "--select", "path:models/marts/facts stg_keepa_product")
    assert len(diff["tables"]) > 10
    assert {table["status"] for table in diff["tables"]} == {"same"}
    assert not diff["differs"]
    assert "selects no model" in project.vp("diff", "--select", "nonesuch", code=1)


def test_a_model_that_cannot_be_built_is_named(project: ProjectCopy) -> None:
    project.wrap(DEALS, "select nonesuch from (", ") as edited")
    printed = project.vp("diff", code=1)
    assert "dbt cannot build the changed models" in printed
    assert DEALS in printed


@pytest.mark.parametrize("sent", [pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive), signal.SIGKILL])
def test_an_interrupted_or_killed_diff_leaves_nothing_for_longer_than_the_next(
    project: ProjectCopy, sent: signal.Signals
) -> None:
    project.wrap(DEALS, "select *, 1 as edited_by from (", ") as edited")
    scratch = project.data / ".diff"
    with project.start("diff") as command:
        while not (scratch / "dbt").exists():  # dbt is about to start
            assert command.poll() is None
            time.sleep(0.01)
        command.send_signal(sent)
        assert command.stdout is not None
        command.stdout.read()
    if sent is signal.SIGKILL:
        assert scratch.exists()
        assert found(project)["differs"]
    assert not scratch.exists()
