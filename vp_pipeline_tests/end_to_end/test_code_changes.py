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

from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.end_to_end.edits import Edits, incremental_models, kill_somewhere
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


def assert_as_built_from_nothing(project: ProjectCopy, folder: Path) -> None:
    fresh = project.beside(folder)
    fresh.vp("run", "--from", min(DAYS), "--to", max(DAYS))
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
        printed = project.vp("run", "--date", DAYS[0], "--select", f"key:{layer}/*", code=1)
        assert "VP_ON_CODE_CHANGE is" in printed
        assert written(project) == before
    # What the API gave is not lost, and is built once a person has allowed it.
    assert list((project.data / "lake").rglob(f"bronze/**/_manifests/run_date={DAYS[1]}.json"))
    assert "Restated" in project.vp("plan", "--apply")
    assert f": {DAYS[1]}\n" in project.vp("run", "--failed")
    assert published(project, f"select count(*) from mart.{FACT} where changes < 1") == [(0,)]
    assert published(project, "select count(*) from publication.days") == [(2,)]


@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS", "1"))))
def test_any_edits_between_any_days_with_kills_end_as_built_from_nothing(
    project: ProjectCopy, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    first, *days = chance.sample(DAYS, len(DAYS))
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
    assert_as_built_from_nothing(project, tmp_path / "fresh")
