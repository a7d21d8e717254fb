"""dbt on Snowflake's stand-in: a first build and the next day's increment, with every test, equal to DuckDB's."""

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.planning.diff import BuiltModel, code_diff
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.contents import differing_tables
from vp_pipeline_tests.end_to_end.edits import FACT, PRICES, edit_changes, edit_prices
from vp_pipeline_tests.end_to_end.test_command_line import words
from vp_pipeline_tests.end_to_end.test_production import UP_TO_RAW, reasons
from vp_pipeline_tests.project_copy import project_copy
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


def test_every_table_is_that_of_duckdb(played: tuple[Production, Pipeline]) -> None:
    made, local = played
    assert differing_tables(made.snowflake.query, local.query) == {}


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


WRITING = ("create", "insert", "delete", "update", "merge", "drop", "truncate", "alter table", "alter schema", "copy")


def written(made: Production) -> list[str]:
    """The statements that have changed something, in order, in lower case and on one line; not those of the lease."""
    sent = (re.sub(r"/\*.*?\*/", "", statement, flags=re.DOTALL) for statement in made.snowflake.statements)
    lines = (" ".join(statement.lower().split()) for statement in sent)
    return [line for line in lines if line.startswith(WRITING) and "raw._lease" not in line]


# Each model as a whole, then its code, parents first; and one swap, of clones, after all of them.
RECORD = "insert into veracitypro.raw._models (model, relation, code, built_at) select"
RESTATED = (
    f"create or replace transient table veracitypro.core.{PRICES} as (",
    f"{RECORD} '{PRICES}'",
    f"create or replace transient table veracitypro.mart.{FACT} as (",
    f"{RECORD} '{FACT}'",
    f"create transient table PUBLICATION.{FACT} clone mart.{FACT}",
    "alter schema published swap with PUBLICATION",
)


def in_order(statements: list[str], beginnings: tuple[str, ...]) -> bool:
    """Whether each beginning has one statement, in this order."""
    named = [re.sub(r"\bpublished_\w+", "PUBLICATION", statement) for statement in statements]
    found = [[n for n, statement in enumerate(named) if statement.startswith(each)] for each in beginnings]
    places = [places[0] for places in found if len(places) == 1]
    return len(places) == len(beginnings) and places == sorted(places)


def prices(made: Production, schema: str) -> list[tuple[Any, ...]]:
    columns = "asin, domain_id, series, observed_date, changes, low_price_minor, close_price_minor"
    return sorted(map(tuple, made.snowflake.query(f"select {columns} from {schema}.{FACT}")), key=repr)


@pytest.mark.exhaustive
def test_edited_models_wait_for_a_person_and_are_in_every_row_then(
    played: tuple[Production, Pipeline], tmp_path: Path
) -> None:
    """An expression of a mart, and one upstream of it, by the command of a copy with production's settings."""
    made, _ = played
    project = project_copy(tmp_path, **made.variables)
    assert "Nothing differs" in project.vp("plan")
    before = prices(made, "mart")
    assert prices(made, "published") == before
    code = {name: (project.root / project.model(name)).read_bytes() for name in (FACT, PRICES)}
    edit_changes(project, 7777)
    edit_prices(project, 7777)

    made.snowflake.statements.clear()
    refused = words(project.vp("run", "--date", str(DAYS[-1]), code=1))
    assert f"VP_ON_CODE_CHANGE is `refuse`: {PRICES} (SQL), {FACT} (SQL)." in refused
    assert re.search(r"`vp plan --apply` does it: \d+ models, [\d,]+ rows, about [\d.]+ s", refused)
    assert written(made) == []
    assert prices(made, "mart") == prices(made, "published") == before

    printed = words(project.vp("plan", "--apply"))
    assert re.search(rf"Restated \d+ models: {PRICES}, {FACT} \(SQL\), and \d+ below them", printed)
    restated = [(*row[:4], row[4] + 7777, *(v if v is None else v + 7777 for v in row[5:])) for row in before]
    assert prices(made, "mart") == prices(made, "published") == sorted(restated, key=repr)
    assert in_order(written(made), RESTATED)

    for name, text in code.items():
        (project.root / project.model(name)).write_bytes(text)
    assert FACT in project.vp("plan", "--apply")
    assert prices(made, "mart") == prices(made, "published") == before
    assert "Nothing differs" in project.vp("plan")


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
