"""Everything published was made by the code that is there now: edited models between days, by the command, on a copy.

Here: the whole pipeline with edited code. Not here: what counts as a change (`dbt/test_fingerprints.py`), and the plan
(`planning/test_plan.py`).
"""

import json
import random
import re
import time
from pathlib import Path

import duckdb
import pytest

from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.project_copy import ProjectCopy, project_copy

pytestmark = pytest.mark.slow
PRODUCTS = "3:B0SBXTWO06,5:B0SBXJPN10"
DAYS = ("2026-03-10", "2026-03-11", "2026-03-12", "2026-03-13")
FACT = "fct_price_history_daily"


@pytest.fixture
def project(tmp_path: Path) -> ProjectCopy:
    return project_copy(tmp_path / "edited", VP_KEEPA_ASINS=PRODUCTS)


def query(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published(project: ProjectCopy, sql: str) -> list[tuple[object, ...]]:
    return query(project.data / "published.duckdb", sql)


def incremental_models(project: ProjectCopy) -> list[str]:
    files = (project.root / "dbt_project" / "models").rglob("*.sql")
    return sorted(file.stem for file in files if "materialized='incremental'" in file.read_text(encoding="utf-8"))


def written(project: ProjectCopy) -> dict[str, object]:
    """Everything that code of the project has written: silver, the warehouse, the publication."""
    lake = project.data / "lake"
    files = [*lake.rglob("silver/**/*"), *lake.rglob("quarantine/**/*"), project.data / "published.duckdb"]
    schemas = ("raw", "core", "mart", "monitoring")
    tables = contents(project.data / "warehouse.duckdb", schemas)
    return {str(file): file.read_bytes() for file in files if file.is_file()} | dict(tables)


def edit_changes(project: ProjectCopy, more: int) -> None:
    project.edit(
        project.model(FACT), lambda sql: sql.replace("    daily.changes\n", f"    daily.changes + {more} as changes\n")
    )


def add_column(project: ProjectCopy, model: str, value: int) -> None:
    """A column whose value tells which version of the code made a row; a second call gives it another value."""
    path = project.model(model)
    if "as edited_by" in (project.root / path).read_text(encoding="utf-8"):
        project.edit(path, lambda sql: re.sub(r"\d+ as edited_by", f"{value} as edited_by", sql))
    else:
        project.wrap(model, f"select *, {value} as edited_by from (", ") as edited")


def drop_column(project: ProjectCopy, model: str) -> None:
    def change(sql: str) -> str:
        return re.sub(r"select \*, \d+ as edited_by from \(\n(.*)\n\) as edited", r"\1", sql, flags=re.DOTALL)

    project.edit(project.model(model), change)


def assert_as_built_from_nothing(project: ProjectCopy, folder: Path, days: list[str]) -> None:
    fresh = project.beside(folder)
    for day in sorted(days):
        fresh.vp("run", "--date", day)
    layers = {"warehouse.duckdb": ("core", "mart", "monitoring"), "published.duckdb": ("mart", "monitoring")}
    for file, schemas in layers.items():
        ours, theirs = contents(project.data / file, schemas), contents(fresh.data / file, schemas)
        assert ours.keys() == theirs.keys()
        for table in ours:
            assert ours[table] == theirs[table], f"{file} {table}"


def test_an_edited_expression_is_in_every_row_and_its_revert_too(project: ProjectCopy) -> None:
    project.vp("run", "--date", DAYS[0])
    before = published(project, f"select count(*), max(changes) from mart.{FACT}")
    assert project.vp("plan").startswith("Nothing differs")
    edit_changes(project, 7777)
    plan = project.vp("plan", "--json", code=2)
    models = {model["name"]: model for model in json.loads(plan)["models"]}
    assert models[FACT]["reasons"] == ["SQL"]
    assert models["mart_deals"]["because_of"] == [FACT]
    assert f"Restated {len(models)} models: {FACT} (SQL)" in project.vp("run", "--date", DAYS[1])
    assert published(project, f"select count(*) from mart.{FACT} where changes < 7777") == [(0,)]
    project.edit(project.model(FACT), lambda sql: sql.replace(" + 7777 as changes", ""))
    project.vp("run", "--date", DAYS[1], "--resync")
    after = published(project, f"select count(*), max(changes) from mart.{FACT}")
    assert after[0][0] >= before[0][0]  # type: ignore[operator]
    assert after[0][1] < 7777  # type: ignore[operator]
    assert project.vp("plan").startswith("Nothing differs")


def test_what_changes_no_row_restates_nothing(project: ProjectCopy) -> None:
    project.vp("run", "--date", DAYS[0])
    project.edit(project.model(FACT), lambda sql: sql.replace("select\n", "select  -- a comment\n\n", 1))
    project.edit("dbt_project/macros/to_major_units.sql", lambda sql: f"{{# a comment #}}\n{sql}")
    properties = "dbt_project/models/marts/facts/_facts__models.yml"
    project.edit(properties, lambda text: text.replace("The landed price", "The very landed price", 1))
    assert project.vp("plan").startswith("Nothing differs")
    assert "Restated" not in project.vp("run", "--date", DAYS[1])


def test_where_it_is_refused_nothing_is_touched(project: ProjectCopy) -> None:
    project.vp("run", "--date", DAYS[0])
    edit_changes(project, 1)
    project.environment["VP_ON_CODE_CHANGE"] = "refuse"
    before = written(project)
    printed = " ".join(project.vp("run", "--date", DAYS[1], code=1).split())
    assert f"VP_ON_CODE_CHANGE is `refuse`: {FACT} (SQL)." in printed
    assert re.search(r"`vp plan --apply` does it: \d+ models, [\d,]+ rows, about [\d.]+ s", printed)
    assert written(project) == before
    for layer in ("raw", "mart"):  # started on their own, as from the UI
        printed = project.vp("run", "--date", DAYS[0], "--select", f"group:{layer}", code=1)
        assert "VP_ON_CODE_CHANGE is" in printed
        assert written(project) == before
    # What the API gave is not lost, and is built once a person has allowed it.
    assert list((project.data / "lake").rglob(f"bronze/**/_manifests/run_date={DAYS[1]}.json"))
    assert "Restated" in project.vp("plan", "--apply")
    project.vp("run", "--date", DAYS[1])
    assert published(project, f"select count(*) from mart.{FACT} where changes < 1") == [(0,)]


def test_columns_come_to_and_go_from_every_incremental_model(project: ProjectCopy, tmp_path: Path) -> None:
    project.vp("run", "--date", DAYS[0])
    models = incremental_models(project)
    assert len(models) >= 25
    for model in models:
        add_column(project, model, 1)
    project.vp("run", "--date", DAYS[1])
    for model in models:
        drop_column(project, model)
    add_column(project, FACT, 2)
    project.vp("run", "--date", DAYS[2])
    assert published(project, f"select distinct edited_by from mart.{FACT}") == [(2,)]
    assert_as_built_from_nothing(project, tmp_path / "fresh", list(DAYS[:3]))


def test_any_edits_between_any_days_with_kills_end_as_built_from_nothing(project: ProjectCopy, tmp_path: Path) -> None:
    chance = random.Random(20261125)
    models = incremental_models(project)
    left = chance.sample(models, len(models))
    days = list(DAYS)
    chance.shuffle(days)
    value = 0
    for day in days:
        hit, left = left[:7], left[7:]
        for model in hit:
            value += 1
            add_column(project, model, value)
        separator = chance.choice("-_:")
        rewrite(project, "macros/product_key.sql", r"(?<= )'[-_:]'(?= )", f"'{separator}'")
        share = chance.choice((0.05, 0.15, 0.2))
        rewrite(project, "dbt_project.yml", r"(deal_below_average_share): [\d.]+", rf"\1: {share}")
        rewrite(project, "seeds/seed_marketplaces.csv", r"amazon\d*\.de", f"amazon{chance.randint(1, 3)}.de")
        kill_in_the_models(project, day, chance)
        project.vp("run", "--date", day)
    assert not left
    assert_as_built_from_nothing(project, tmp_path / "fresh", list(DAYS))


def rewrite(project: ProjectCopy, path: str, pattern: str, by: str) -> None:
    """Replaces what matches, also where that changes nothing: what is drawn may be what is there."""
    file = project.root / "dbt_project" / path
    before = file.read_text(encoding="utf-8")
    assert re.search(pattern, before), path
    file.write_text(re.sub(pattern, by, before), encoding="utf-8")


def kill_in_the_models(project: ProjectCopy, day: str, chance: random.Random) -> None:
    """Starts the day and kills it while dbt builds."""
    with project.start("run", "--date", day) as command:
        assert command.stdout is not None
        for line in command.stdout:
            if line.strip().startswith("dbt …"):
                time.sleep(chance.uniform(0.5, 6))
                break
        command.kill()
        command.stdout.read()
