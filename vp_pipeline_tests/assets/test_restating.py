"""What one build restates: what differs and is selected, once, and only where that is allowed."""

from pathlib import Path

import pytest

from vp_pipeline.assets.dbt.restating import REQUESTED, Restating
from vp_pipeline.dbt.fingerprints import ModelCode, fingerprint
from vp_pipeline.failures import PermanentError
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse


def code(name: str, sql: str, *parents: ModelCode) -> ModelCode:
    parts = {"sql": {"": sql}}
    own = fingerprint(parts)
    return ModelCode(
        name, parts, own, fingerprint([own, [parent.whole for parent in parents]]), tuple(p.name for p in parents)
    )


A = code("a", "one")
B = code("b", "one", A)
CHANGED_A = code("a", "two")
CHANGED = {"a": CHANGED_A, "b": code("b", "one", CHANGED_A)}
BEFORE = {"a": A, "b": B}


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """Models a and b, built as a whole with the code before."""
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with warehouse.connect() as connection:
        ledger.begin(connection, "build", "run")
        ledger.finish(connection, "build", "green")
        model_code.explain(connection, BEFORE.values())
    for each in BEFORE.values():
        built(warehouse, each)
    return warehouse


def built(warehouse: DuckDBWarehouse, model: ModelCode) -> None:
    """As dbt records it."""
    with warehouse.connect() as connection:
        connection.execute("delete from raw._models where model = ?", [model.name])
        values = [model.name, f"mart.{model.name}", model.whole]
        connection.execute("insert into raw._models values (?, ?, ?, now())", values)
        connection.execute("create schema if not exists mart")
        connection.execute(f"create or replace table mart.{model.name} as select 1 as n")


def admit(warehouse: DuckDBWarehouse, restating: Restating) -> None:
    with warehouse.connect() as connection:
        restating.admit(connection)


def test_what_differs_is_restated_once(warehouse: DuckDBWarehouse) -> None:
    restating = Restating(CHANGED, set(CHANGED))
    admit(warehouse, restating)
    assert restating.next_attempt(warehouse) == {name: each.whole for name, each in CHANGED.items()}
    assert restating.reported == {"a": "SQL", "b": "reads a"}
    assert restating.summary == "2 models: a (SQL)"
    built(warehouse, CHANGED["a"])  # and then a test failed
    assert list(restating.next_attempt(warehouse)) == ["b"]
    built(warehouse, CHANGED["b"])
    assert restating.next_attempt(warehouse) == {}


def test_where_nothing_differs_only_what_is_requested_is_restated(warehouse: DuckDBWarehouse) -> None:
    assert Restating(BEFORE, set(BEFORE)).next_attempt(warehouse) == {}
    restating = Restating(BEFORE, {"b"}, requested={"b"})
    admit(warehouse, restating)
    assert restating.next_attempt(warehouse) == {"b": B.whole}
    assert restating.reported == {"b": REQUESTED}
    assert restating.next_attempt(warehouse) == {}


def test_the_first_build_is_not_reported(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "empty.duckdb")
    restating = Restating(BEFORE, set(BEFORE))
    with warehouse.connect() as connection:
        restating.admit(connection)
    assert set(restating.next_attempt(warehouse)) == set(BEFORE)
    assert restating.reported == {}


def test_some_models_cannot_be_restated_on_parents_that_differ(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(PermanentError, match=r"b reads a, whose code has changed .* select a\+, or all models"):
        admit(warehouse, Restating(CHANGED, {"b"}))
    partial = Restating(CHANGED, {"a"})
    admit(warehouse, partial)
    assert list(partial.next_attempt(warehouse)) == ["a"]


def test_a_model_that_is_gone_is_dropped_by_a_build_of_all_models(warehouse: DuckDBWarehouse) -> None:
    left = {"a": A}
    assert Restating(left, set()).next_attempt(warehouse) == {}
    with warehouse.connect() as connection:
        assert "b" in model_code.built_with(connection)
        restating = Restating(left, {"a"})
    restating.next_attempt(warehouse)
    with warehouse.connect() as connection:
        assert list(model_code.built_with(connection)) == ["a"]
        assert connection.execute("select table_name from duckdb_tables() where schema_name = 'mart'").fetchall() == [
            ("a",)
        ]
        assert model_code.made_by_other_code(connection, {"a": A.whole}) == []
        assert model_code.made_by_other_code(connection, {"a": "other", "new": "1"}) == ["a", "new"]
