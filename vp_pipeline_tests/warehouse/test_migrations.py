"""Migrations: from every earlier version to the present one, also when one is killed; a newer warehouse is refused."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.connection import Connection, Result
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.migrations import MIGRATIONS, migrate, version

VERSIONS = range(len(MIGRATIONS) + 1)


def schema(connection: Connection) -> list[Any]:
    """Every column of the project's own tables."""
    found: list[Any] = connection.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns "
        "where table_name like '\\_%' escape '\\' order by 1, 2, ordinal_position"
    ).fetchall()
    return found


def at_version(number: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    migrate(connection, MIGRATIONS[:number])
    assert version(connection) == number
    return connection


class Killed(Exception):
    """The process ends at a statement."""


class Interrupted:
    """A connection whose process is killed before its statement `at`, counted from 1."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, at: int) -> None:
        self.connection, self.left = connection, at

    def execute(self, query: str, parameters: Any = (), /) -> Result:
        self.left -= 1
        if self.left == 0:
            raise Killed
        return self.connection.execute(query, parameters)


def of_today() -> list[Any]:
    connection = duckdb.connect()
    migrate(connection)
    return schema(connection)


@pytest.mark.parametrize("number", VERSIONS)
def test_every_version_becomes_the_present_one(number: int) -> None:
    connection = at_version(number)
    assert migrate(connection) == [migration.what for migration in MIGRATIONS[number:]]
    assert schema(connection) == of_today()
    assert migrate(connection) == []
    assert version(connection) == len(MIGRATIONS)


@pytest.mark.parametrize("ddl_commits", [False, True])
@pytest.mark.parametrize("number", VERSIONS[:-1])
def test_a_kill_at_any_statement_is_finished_by_the_next_start(number: int, ddl_commits: bool) -> None:
    kills = 0
    while True:
        connection = at_version(number)
        before = schema(connection)
        try:
            migrate(Interrupted(connection, kills + 1), ddl_commits=ddl_commits)
            break
        except Killed:
            kills += 1
        if not ddl_commits:
            taken = version(connection)
            assert schema(connection) == schema(at_version(taken)), "half of a migration is there"
            assert taken > number or schema(connection) == before
        migrate(connection, ddl_commits=ddl_commits)
        assert schema(connection) == of_today()
        assert connection.execute("select version from raw._schema_version order by 1").fetchall() == [
            (each + 1,) for each in range(len(MIGRATIONS))
        ]
    assert kills >= 4


def v0_1_0(connection: duckdb.DuckDBPyConnection) -> None:
    """The ledger as v0.1.0 has it: no version, one day excluded and one pending validation."""
    for statement in MIGRATIONS[0].steps:
        connection.execute(str(statement))
    connection.execute(
        "insert into raw._days values ('keepa', 'product', date '2026-03-10', false, true, 'red', 'r', now())"
    )
    connection.execute(
        "insert into raw._days values ('keepa', 'product', date '2026-03-11', true, false, null, '', now())"
    )
    connection.execute("insert into raw._builds values ('b', 'r', now(), now(), 'green', '2026-03-09')")


def test_what_v0_1_0_recorded_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(warehouse.path)) as connection:
        v0_1_0(connection)
    with warehouse.connect(read_only=True) as reader:  # before anyone has written
        assert version(reader) == 0
        assert ledger.last_build(reader) is not None
        assert model_code.built_with(reader) == {}
    assert not caplog.messages
    with warehouse.connect() as writer:
        assert {str(each.day): why for each, why in ledger.excluded(writer).items()} == {"2026-03-10": "red"}
        assert list(map(str, ledger.pending_days(writer))) == ["2026-03-11"]
        assert list(map(str, ledger.days_of_marts(writer))) == ["2026-03-09"]
    (message,) = caplog.messages
    assert "Tables of the warehouse were upgraded to version" in message
    with warehouse.connect() as writer:
        assert version(writer) == len(MIGRATIONS)
    assert len(caplog.messages) == 1


def test_a_new_warehouse_is_not_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb").connect() as connection:
        assert version(connection) == len(MIGRATIONS)
    assert not caplog.messages


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_warehouse_is_refused_and_not_changed(tmp_path: Path, read_only: bool) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    with warehouse.connect() as connection:
        connection.execute("insert into raw._schema_version values (99, 'later', now())")
        connection.execute("alter table raw._days rename column is_included to is_something_else")
        before = schema(connection)
    refused = pytest.raises(PermanentError, match=r"version 99 of the project's tables .* up to \d+: a newer version")
    with refused, warehouse.connect(read_only=read_only):
        pass
    with duckdb.connect(str(warehouse.path)) as connection:
        assert schema(connection) == before


def test_where_ddl_commits_no_transaction_is_begun() -> None:
    sent: list[str] = []

    class Recorded(Interrupted):
        def execute(self, query: str, parameters: Any = (), /) -> Result:
            sent.append(query)
            return super().execute(query, parameters)

    migrate(Recorded(duckdb.connect(), at=-1), ddl_commits=True)
    assert sent
    assert not {"begin", "commit"} & set(sent)
