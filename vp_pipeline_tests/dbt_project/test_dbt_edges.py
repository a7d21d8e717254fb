"""Every ref between incremental models declares how the child listens: no edge can be lost, or change, unnoticed.

Here: the edges of the parsed project, the checker itself, and the list for review. Not here: what is restated along an
edge (`test_dbt_incremental_marts.py`, `test_dbt_daily_tables.py`).
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from vp_pipeline.dbt.edges import Declaration, Model, models, problems, text
from vp_pipeline.dbt.environment import SOURCES_VARIABLE
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.dbt_project.conftest import EVERY_SOURCE, PROJECT

# How a model reads another one and declares how it listens: both macros take the parent first, then no brackets.
DECLARED = re.compile(r"(?:tracked_ref|changed_rows)\(\s*'(\w+)'([^()]*)\)")


def _edges_in_the_text() -> list[tuple[str, str]]:
    """(child, parent) of every declaration in the SQL of the models."""
    files = sorted((PROJECT / "models").rglob("*.sql"))
    found = {(file.stem, match[1]) for file in files for match in DECLARED.finditer(file.read_text(encoding="utf-8"))}
    return sorted(found)


EDGES = _edges_in_the_text()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Model]:
    written = manifest_path(pipeline_settings(tmp_path_factory.mktemp("data"), chosen_sources=EVERY_SOURCE))
    return MappingProxyType(models(json.loads(written.read_text(encoding="utf-8"))))


def test_every_ref_between_incremental_models_declares_how_it_listens(project: Mapping[str, Model]) -> None:
    assert problems(project) == []


def test_the_edges_are_those_in_the_text(project: Mapping[str, Model]) -> None:
    assert sorted((model.name, parent) for model in project.values() for parent in model.listens_to) == EDGES
    assert len(EDGES) == 49


def _without(project: Mapping[str, Model], child: str, parent: str) -> dict[str, Model]:
    """The project with a plain ref in place of the one that declares how `child` listens to `parent`."""
    rest = {name: declared for name, declared in project[child].listens_to.items() if name != parent}
    return {**project, child: replace(project[child], listens_to=rest)}


@pytest.mark.parametrize(("child", "parent"), EDGES)
def test_an_edge_that_is_deleted_is_noticed(project: Mapping[str, Model], child: str, parent: str) -> None:
    changed = _without(project, child, parent)
    assert text(changed) != text(project)
    if project[parent].strategy is not None:
        added = [problem for problem in problems(changed) if problem not in problems(project)]
        assert [problem.split(",")[0] for problem in added] == [f"{child} reads {parent}"]


def test_edges_that_are_deleted_from_the_text_are_noticed(project: Mapping[str, Model], tmp_path: Path) -> None:
    """With plain refs everywhere the project still parses, and each edge is reported."""
    plain = parse(tmp_path, lambda sql: DECLARED.sub(r"(ref('\1') | string)", sql)).result
    assert isinstance(plain, Manifest)
    wanted = {f"{child} reads {parent}" for child, parent in EDGES if project[parent].strategy is not None}
    assert {
        problem.split(",")[0] for problem in problems(models(plain.writable_manifest().to_dict(omit_none=False)))
    } == wanted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "mart_stock_outs does not declare how it listens to core_keepa_product"),
        (", listens='sometimes'", "mart_stock_outs does not declare how it listens to core_keepa_product"),
        (", listens='none'", "mart_stock_outs declares that it does not listen to core_keepa_product, but not why"),
    ],
)
def test_dbt_refuses_a_ref_that_leaves_it_open(tmp_path: Path, arguments: str, message: str) -> None:
    wanted = f"tracked_ref('core_keepa_product'{arguments})"
    result = parse(
        tmp_path, lambda sql: re.sub(r"tracked_ref\('core_keepa_product'[^()]*\)", wanted, sql), "mart_stock_outs"
    )
    assert not result.success
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("strategy", "of_parent", "declared", "problem"),
    [
        ("changed_days", "newest_snapshot", Declaration(frozenset({"none"})), "gives no reason"),
        ("changed_days", "newest_snapshot", Declaration(frozenset({"none", "values"}), (), "why"), "declares also"),
        ("changed_days", "newest_snapshot", Declaration(frozenset({"window"})), "for parents that record nothing"),
        ("changed_days", "newest_snapshot", Declaration(frozenset({"sometimes"})), "sometimes is nothing that"),
        ("changed_days", "changed_days", Declaration(frozenset({"every_row"})), "every_row is nothing that"),
        (
            "changed_days",
            "changed_entities",
            Declaration(frozenset({"columns"}), ("brand",)),
            "columns is nothing that",
        ),
        ("changed_days", None, Declaration(frozenset({"values"})), "values is nothing that"),
        ("changed_days", "merge", Declaration(frozenset({"values"})), "values is nothing that"),
        ("merge", "newest_snapshot", Declaration(frozenset({"values"})), "restates nothing"),
        (None, "newest_snapshot", Declaration(frozenset({"values"})), "is not incremental"),
    ],
)
def test_a_declaration_that_cannot_be_kept_is_a_problem(
    strategy: str | None, of_parent: str | None, declared: Declaration, problem: str
) -> None:
    parent = Model("parent", of_parent, frozenset())
    child = Model("child", strategy, frozenset({"parent"}), {"parent": declared})
    (found,) = problems({"parent": parent, "child": child})
    assert problem in found


def test_listening_to_a_model_that_is_not_read_is_a_problem() -> None:
    child = Model("child", "changed_days", frozenset(), {"parent": Declaration(frozenset({"values"}))})
    (found,) = problems({"child": child, "parent": Model("parent", "newest_snapshot", frozenset())})
    assert "does not read it" in found


def test_declarations_of_one_parent_add_up(project: Mapping[str, Model]) -> None:
    """`values` from the daily histories, the columns for what dim_product shows of it."""
    declared = project["mart_product_daily"].listens_to["core_keepa_product"]
    assert declared == Declaration(frozenset({"values", "columns"}), ("brand", "title"))


def parse(folder: Path, change: Any, only: str = "*") -> Any:
    """dbt's parse of a copy of the project with `change` made to the SQL of its models."""
    copy = folder / "dbt_project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    for file in (copy / "models").rglob(f"{only}.sql"):
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    paths = ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VP_WAREHOUSE_PATH", str(folder / "warehouse.duckdb"))
        environment.setenv(SOURCES_VARIABLE, ",".join(EVERY_SOURCE))
        where = ["--project-dir", str(copy), "--profiles-dir", str(copy), *paths]
        return dbtRunner().invoke(["--quiet", "--log-level-file", "none", "parse", *where])
