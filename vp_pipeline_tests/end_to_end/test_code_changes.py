"""Everything published was made by the code that is there now: edited models between days, by the command, on a copy.

Here: the whole pipeline with edited code; `SEEDS=20 make edits` draws more. Not here: the edits (`edits.py`), what
counts as a change (`dbt/test_fingerprints.py`), and the plan (`planning/test_plan.py`).
"""

import json
import os
import random
import re
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.sandbox.services.server import Services
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.end_to_end.edits import (
    FACT,
    PRICES,
    Edits,
    edit_changes,
    edit_prices,
    incremental_models,
    kill_somewhere,
)
from vp_pipeline_tests.project_copy import ProjectCopy, project_copy

pytestmark = pytest.mark.slow
DAYS = tuple(map(str, GreenDays.DAYS))
DEALS = "mart_deals"
BUILD = "select build_id from publication.build"


@pytest.fixture
def project(tmp_path: Path) -> ProjectCopy:
    """A project that has run no day, of a euro and a yen marketplace."""
    return project_copy(tmp_path / "edited", VP_KEEPA_ASINS="3:B0SBXTWO06,5:B0SBXJPN10")


@pytest.fixture
def published_project(green_days: GreenDays, tmp_path: Path) -> ProjectCopy:
    """A project that has published the first day."""
    green_days.copy(1, tmp_path / "edited")
    return project_copy(tmp_path / "edited", VP_KEEPA_ASINS=GreenDays.PRODUCTS)


def query(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def published(project: ProjectCopy, sql: str) -> list[tuple[object, ...]]:
    return query(project.data / "published.duckdb", sql)


def written(project: ProjectCopy) -> dict[str, object]:
    """Everything that code of the project has written: silver, the warehouse, the publication."""
    lake = project.data / "lake"
    files = [*lake.rglob("silver/**/*"), *lake.rglob("quarantine/**/*"), project.data / "published.duckdb"]
    schemas = ("raw", "core", "mart", "monitoring")
    tables = contents(project.data / "warehouse.duckdb", schemas)
    return {str(file): file.read_bytes() for file in files if file.is_file()} | dict(tables)


def built_from_nothing(project: ProjectCopy, folder: Path, first: str, last: str) -> Path:
    """The data of these days, made by the code of the project as it is now."""
    fresh = project.beside(folder)
    fresh.vp("run", "--from", first, "--to", last)
    return fresh.data


def assert_same_tables(found: Path, expected: Path) -> None:
    layers = {"warehouse.duckdb": ("core", "mart", "monitoring"), "published.duckdb": ("mart", "monitoring")}
    for file, schemas in layers.items():
        ours, theirs = contents(found / file, schemas), contents(expected / file, schemas)
        assert ours.keys() == theirs.keys()
        for table in ours:
            assert ours[table] == theirs[table], f"{file} {table}"


def test_edited_expressions_are_in_every_row_and_their_reverts_too(
    published_project: ProjectCopy, green_days: GreenDays, tmp_path: Path
) -> None:
    """One in a mart, and one that the rows of most marts are made from."""
    project = published_project
    code = {name: (project.root / project.model(name)).read_bytes() for name in (FACT, PRICES)}
    assert project.vp("plan").startswith("Nothing differs")
    edit_changes(project, 7777)
    edit_prices(project, 7777)
    plan = project.vp("plan", "--json", code=2)
    models = {model["name"]: model for model in json.loads(plan)["models"]}
    assert (models[PRICES]["reasons"], models[PRICES]["because_of"]) == (["SQL"], [])
    assert (models[FACT]["reasons"], models[FACT]["because_of"]) == (["SQL"], [PRICES])
    assert (models[DEALS]["reasons"], models[DEALS]["because_of"]) == ([], [FACT])
    printed = " ".join(project.vp("run", "--date", DAYS[1]).split())
    assert f"Restated {len(models)} models: {PRICES}, {FACT} (SQL), and {len(models) - 2} below them" in printed
    assert published(project, f"select count(*) from mart.{FACT} where changes < 7777 or close_price < 77") == [(0,)]
    assert_same_tables(project.data, built_from_nothing(project, tmp_path / "fresh", DAYS[0], DAYS[1]))

    for name, text in code.items():
        (project.root / project.model(name)).write_bytes(text)
    project.vp("run", "--date", DAYS[1], "--resync")
    assert_same_tables(project.data, green_days.after(2) / "data")
    assert project.vp("plan").startswith("Nothing differs")


@pytest.mark.exhaustive
def test_where_it_is_refused_nothing_is_touched(published_project: ProjectCopy) -> None:
    project = published_project
    edit_changes(project, 1)
    project.environment["VP_ON_CODE_CHANGE"] = "refuse"
    before = written(project)
    printed = " ".join(project.vp("run", "--date", DAYS[1], code=1).split())
    assert f"VP_ON_CODE_CHANGE is `refuse`: {FACT} (SQL)." in printed
    assert re.search(r"`vp plan --apply` does it: \d+ models, [\d,]+ rows, about [\d.]+ s", printed)
    assert written(project) == before
    for layer in ("raw", "mart"):  # started on their own, as from the UI
        printed = project.vp("run", "--date", DAYS[0], "--select", f"key:{layer}/*", code=1)
        assert "VP_ON_CODE_CHANGE is" in printed
        assert written(project) == before
    # What the API gave is not lost, and is built once a person has allowed it.
    assert list((project.data / "lake").rglob(f"bronze/**/_manifests/run_date={DAYS[1]}.json"))
    assert "Restated" in project.vp("plan", "--apply")
    assert f": {DAYS[1]}\n" in project.vp("run", "--failed")
    assert published(project, f"select count(*) from mart.{FACT} where changes < 1") == [(0,)]
    assert published(project, "select count(*) from publication.days") == [(2,)]


def test_only_rows_that_come_out_different_travel_on(published_project: ProjectCopy) -> None:
    project = published_project
    ((product, series, days), *others) = published(
        project, f"select product_key, series, history_days from mart.{DEALS} order by all"
    )
    assert others
    with Services() as services:
        project.environment.update(services.variables())
        one = f"case when flagged.product_key = '{product}' and flagged.series = '{series}' then 1 else 0 end"
        project.edit(
            project.model(DEALS),
            lambda sql: sql.replace("flagged.history_days as bigint)", f"flagged.history_days + {one} as bigint)"),
        )
        assert f"Restated 1 models: {DEALS} (SQL)" in project.vp("run", "--date", DAYS[0])
        *first, last = services.export.batches  # the first export is whole: nothing was posted before
        assert sum(len(batch["rows"]) for batch in first) == 1 + len(others)
        (row,) = last["rows"]
        sent = (row["product_key"], row["series"], row["history_days"], row["_operation"])
        assert sent == (product, series, int(str(days)) + 1, "upsert")
        (change,) = published(project, f"select mart, key, operation from changes where build_id = ({BUILD})")
        key = {"product_key": product, "series": series}
        assert (change[0], json.loads(str(change[1])), change[2]) == (DEALS, key, "update")
        assert len(services.power_bi.refreshes) == 1

        # Other code that makes the same rows: restated, and there is nothing to send.
        before = services.export.requests, len(services.power_bi.refreshes), published(project, BUILD)
        project.wrap(DEALS, "select * from (", ") as edited")
        assert f"Restated 1 models: {DEALS} (SQL)" in project.vp("run", "--date", DAYS[0])
        assert (services.export.requests, len(services.power_bi.refreshes), published(project, BUILD)) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("seed", "number"),
    [
        (0, 3),
        *(pytest.param(n, len(DAYS), marks=pytest.mark.exhaustive) for n in range(int(os.environ.get("SEEDS", "1")))),
    ],
)
def test_any_edits_between_any_days_with_kills_end_as_built_from_nothing(
    project: ProjectCopy, tmp_path: Path, seed: int, number: int
) -> None:
    """Between some days in any order each kind of edit is made once, and every incremental model gets a column."""
    chance = random.Random(seed)
    first, *days = chance.sample(DAYS[:number], number)
    edits = Edits(project, chance, rounds=len(days))
    project.vp("run", "--date", first)
    for day in days:
        edits.of_nothing()
        assert project.vp("plan").startswith("Nothing differs")
        edits.of_rows()
        if chance.random() < 0.6:
            kill_somewhere(project, chance, day)
        # A filter takes a product away from consumers, which a person has to allow.
        project.vp("run", "--date", day, "--waive", "keeps_all")
    assert edits.hit == {*incremental_models(project)}
    edits.of_nothing()
    assert "Restated" not in project.vp("run", "--date", days[-1])
    assert_same_tables(project.data, built_from_nothing(project, tmp_path / "fresh", DAYS[0], DAYS[number - 1]))
