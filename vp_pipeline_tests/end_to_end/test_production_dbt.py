"""dbt on Snowflake's stand-in: a first build and the next day's increment, with every test, equal to DuckDB's."""

import os
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.planning.diff import BuiltModel, code_diff
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.end_to_end.test_production import UP_TO_RAW, reasons
from vp_pipeline_tests.stand_ins.production import SECRETS, Production, production
from vp_pipeline_tests.stand_ins.snowflake import PASSWORD

pytestmark = pytest.mark.slow

DAYS = (date(2026, 2, 9), date(2026, 2, 10))
DBT = "key:stg/* or key:core/* or key:mart/* or key:monitoring/* or key:published/* or key:delivery/*"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Production, Pipeline]]:
    """Two days, one after the other, in production and locally."""
    with (
        production(tmp_path_factory.mktemp("production"), products=2) as made,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        data = tmp_path_factory.mktemp("local")
        local = Pipeline(pipeline_settings(data, keepa_asins=tuple(made.products)), instance)
        for day in DAYS:
            for selection in (UP_TO_RAW, DBT):
                result = made.materialize(selection, day)
                assert result.success, reasons(result)
                assert local.materialize(selection, day).success
        yield made, local


def plain(value: Any) -> Any:
    """A value as both engines mean it: Snowflake has one type for whole and decimal numbers."""
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        return round(float(value), 6)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())  # what the emulator adds days to comes back as a moment
    return value


# A summary is of its own run: its times and ids differ. DuckDB does not report the rows that a statement wrote.
OF_A_RUN = (
    *("run_id", "airbyte_job_id", "seconds", "median_seconds", "slowdown", "rows_written"),
    *("started_at", "finished_at", "newest_finished_at"),
)


def test_every_table_is_that_of_duckdb(played: tuple[Production, Pipeline]) -> None:
    made, local = played
    tables = local.query(
        "select table_schema, table_name from information_schema.tables where table_schema in "
        "('core', 'mart', 'monitoring') and table_name not like '\\_%' escape '\\' order by all"
    )
    assert len(tables) > 20
    views = tuple(
        f"{schema}.{name}"
        for schema, name in local.query("select schema_name, view_name from duckdb_views() where not internal")
    )
    differing = {}
    for schema, table in tables:
        described = local.query(
            f"select column_name from information_schema.columns where table_schema = '{schema}' "
            f"and table_name = '{table}' and column_name not like '%loaded_at' and column_name not in {OF_A_RUN} "
            "order by ordinal_position"
        )
        listed = ", ".join(str(name) for (name,) in described)
        # The emulator's information_schema.tables has no views, so the accounts there do not count them.
        counted = {"mon_model_run": "model", "mon_rows_by_day": "asset", "mon_freshness": "asset"}.get(str(table))
        of_tables = f" where layer || '.' || {counted} not in {views}" if counted else ""
        asked = f"select {listed} from {schema}.{table}{of_tables}"
        expected, found = (
            sorted((tuple(map(plain, row)) for row in query(asked)), key=repr)
            for query in (local.query, made.snowflake.query)
        )
        if found != expected:
            differing[f"{schema}.{table}"] = next(
                (pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), (len(found), len(expected))
            )
    assert not differing


def test_the_second_day_was_an_increment(played: tuple[Production, Pipeline]) -> None:
    made, _ = played
    assert any(
        "delete from" in statement and "2026-02-10" in statement and "core_keepa_price_change" in statement.lower()
        for statement in made.snowflake.statements
    )


def test_every_model_is_tagged_with_its_run_and_days(played: tuple[Production, Pipeline]) -> None:
    made, _ = played
    tags = [s for s in made.snowflake.statements if s.lower().lstrip().startswith("alter session set query_tag")]
    runs = {run.run_id for run in made.instance.get_runs()}
    of_table = [tag for tag in tags if '"asset": "fct_price_history_daily"' in tag]
    assert of_table
    assert all(any(run in tag for run in runs) and "2026-02-" in tag for tag in of_table)


def test_dbts_artefacts_hold_no_secret(played: tuple[Production, Pipeline]) -> None:
    made, _ = played
    folders = (made.settings.data_dir, manifest_path(made.settings).parent)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert {"manifest.json", "run_results.json", "dbt.log"} <= {path.name for path in files}
    kept = b"".join(path.read_bytes() for path in files)
    stored = "".join(str(record) for run in made.instance.get_runs() for record in made.instance.all_logs(run.run_id))
    for secret in SECRETS:
        assert secret.encode() not in kept
        assert secret not in stored
    assert PASSWORD not in os.environ.values()  # it was there while a command ran


def test_a_diff_builds_on_clones_and_leaves_nothing(played: tuple[Production, Pipeline]) -> None:
    """Last, because it takes rows from what is published."""
    made, _ = played
    made.snowflake.query("update raw._models set code = 'another' where model = 'mart_product_daily'")
    made.snowflake.query("delete from published.mart_product_daily where domain_id = 1")
    ((gone, left),) = made.snowflake.query(
        "select (select count(*) from mart.mart_product_daily), (select count(*) from published.mart_product_daily)"
    )
    assert gone > left
    made.snowflake.statements.clear()
    diff = code_diff(made.settings, build_environment(made.settings).build_diff(print), None, print)
    assert diff.models == (BuiltModel("mart_product_daily", "built by another version"),)
    assert diff.unpublished == ("mart.mart_product_daily",)
    (table,) = diff.tables
    assert (table.added.count, table.removed.count, table.changed) == (gone - left, 0, 0)
    assert table.key
    writing = ("create", "insert", "delete", "update", "merge", "drop", "truncate", "alter table")
    written = [s for s in made.snowflake.statements if s.lower().lstrip().startswith(writing)]
    assert any("create or replace" in s.lower() and "mart_product_daily" in s.lower() for s in written)
    assert [s for s in written if "_diff." not in s.lower() and "raw._lease" not in s] == []
    schemas = made.snowflake.query("select lower(schema_name) from veracitypro_diff.information_schema.schemata")
    assert not {name for (name,) in schemas} & {"raw", "stg", "core", "mart", "monitoring"}
