"""The example questions of docs/questions: each runs on the published tables as they are documented, on DuckDB; and is
Snowflake's SQL."""

import json
import re
from pathlib import Path

import duckdb
import pytest
import sqlglot

from vp_pipeline.dbt.project import COLUMNS_FILE
from vp_pipeline.settings import PROJECT_ROOT

QUESTIONS = sorted((PROJECT_ROOT / "docs" / "questions").glob("*.sql"))


@pytest.fixture(scope="module")
def empty() -> duckdb.DuckDBPyConnection:
    """The published tables, with no row."""
    connection = duckdb.connect()
    for model, columns in json.loads(COLUMNS_FILE.read_text()).items():
        schema = "monitoring" if model.startswith("mon_") else "mart"
        if not model.startswith(("core_", "stg_")):
            connection.execute(f"create schema if not exists {schema}")
            listed = ", ".join(f'"{name}" {column["type"]}' for name, column in columns.items())
            connection.execute(f"create table {schema}.{model} ({listed})")
    return connection


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_it_has_the_columns_that_it_names(question: Path, empty: duckdb.DuckDBPyConnection) -> None:
    sql = question.read_text()
    first, second, *_ = sql.splitlines()
    assert re.fullmatch(r"-- .*\?", first)
    columns = [name for name, *_ in empty.execute(sql).description or ()]
    assert second == f"-- Columns: {', '.join(columns)}"
    assert sqlglot.parse_one(sql, dialect="snowflake").find(sqlglot.exp.Select)


def test_there_are_fifteen() -> None:
    assert len(QUESTIONS) == 15
