"""Loading a day into RAW, the same way on every engine.

Here: the interface of a warehouse (`Warehouse`) and of what an engine implements (`Engine`); the transaction of a load,
its counts, and how tables follow their contracts. Not here: how an engine reads a file and names its types
(`duckdb.py`, `snowflake.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

from vp_pipeline.failures import PermanentError, remedies
from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.contract import RAW_COLUMNS, Column, Table
from vp_pipeline.warehouse import ledger, loads
from vp_pipeline.warehouse.connection import Connection, transaction

Tag = Mapping[str, str]
Files = TypeVar("Files")
# Snowflake reports every whole and decimal number as NUMBER, with its digits in columns of their own.
_REPORTED_TYPE = (
    "case when data_type = 'NUMBER' then 'number(' || numeric_precision || ',' || numeric_scale || ')' "
    "else lower(data_type) end"
)


@dataclass(frozen=True)
class Load:
    """A loaded partition. `unchanged`: the same rows were already there, so nothing was written."""

    rows: int
    unchanged: bool


class Warehouse(Protocol):
    """The warehouse of an environment."""

    @property
    def row_as_json(self) -> str:
        """SQL of a row of the query `failing` as JSON text."""
        ...

    def connect(self, *, read_only: bool = False, tag: Tag | None = None) -> AbstractContextManager[Any]:
        """A connection that is closed at the end of the block. `tag`: shown in the engine's own query history.

        For writing, the project's own tables are brought to the present version first (`migrations.py`). For reading,
        they are as the last writer left them.

        Raises:
            TransientError: the warehouse is held by another process, or does not respond.
            PermanentError: it cannot be opened, or is of a newer version than this code.
        """
        ...

    def load_day(
        self,
        connection: Any,
        lake: Lake,
        partitions: Mapping[Table, SilverManifest],
        now: datetime | None = None,
    ) -> dict[Table, Load]:
        """See `load_day` of this module."""
        ...

    def create_tables(self, connection: Any, tables: Iterable[Table]) -> None:
        """See `create_tables` of this module."""
        ...

    def row_counts(self, relations: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Rows of each (schema, name) that exists."""
        ...


class Engine(Protocol[Files]):
    """What differs between warehouses."""

    def column(self, column: Column) -> str:
        """A column as `create table` and `alter table` take it."""
        ...

    def reported_type(self, column: Column) -> str:
        """The type as `information_schema` reports it, in lower case; a number of Snowflake with its digits."""
        ...

    def verified_files(self, lake: Lake, manifest: SilverManifest, remedy: str) -> Files:
        """The manifest's files, once they match it. Raises DamagedDataError: one does not."""
        ...

    def insert(self, connection: Any, table: Table, files: Files, day: date, loaded_at: datetime) -> None:
        """Adds the files' rows, with RAW's own columns, to the table."""
        ...


def load_day(
    engine: Engine[Files],
    connection: Connection,
    lake: Lake,
    partitions: Mapping[Table, SilverManifest],
    now: datetime | None = None,
) -> dict[Table, Load]:
    """Makes a day of a stream's tables equal to the manifests' files, all of them in one transaction.

    For each table: deletes the day, reads exactly the files that the manifest lists, and compares the rows with it.
    Any difference rolls back every table, and the previous version of the whole day stays: a day in RAW is whole.

    Raises:
        DamagedDataError: a file differs from the manifest.
        PermanentError: the manifests are of different syncs or decoders, a table differs from its contract, or the
            loaded rows differ from a manifest's.
    """
    if len({(manifest.bronze, manifest.decoder) for manifest in partitions.values()}) > 1:
        (source, day) = next((m.source, m.run_date) for m in partitions.values())
        raise PermanentError(
            f"The silver tables of {source} for {day} were decoded from different syncs, or by different code (a run "
            f"was stopped between them). Decode the day again: {remedies.decode_again(day)}."
        )
    loaded_at = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    _prepare(engine, connection, partitions)  # before the transaction: on Snowflake DDL would commit it
    with transaction(connection):
        done = {
            table: _load(engine, connection, lake, table, manifest, loaded_at) for table, manifest in partitions.items()
        }
        changed = {(t.source, t.stream, partitions[t].run_date) for t, load in done.items() if not load.unchanged}
        for source, stream, day in sorted(changed):
            ledger.day_loaded(connection, (source, stream), day)
    return done


def create_tables(engine: Engine[Files], connection: Connection, tables: Iterable[Table]) -> None:
    """Creates the tables of RAW that are not there: models read those of every source, also before its first load. To
    be called outside a transaction.

    Raises:
        PermanentError: the engine refuses it.
    """
    names = connection.execute(
        "select lower(table_name) from information_schema.tables where lower(table_schema) = 'raw'"
    ).fetchall()
    existing = {name for (name,) in names}
    _prepare(engine, connection, [table for table in tables if table.raw_name not in existing])


def row_counts(connection: Connection, relations: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Rows of each (schema, name) that exists; names in lower case."""
    existing = set(
        connection.execute("select lower(table_schema), lower(table_name) from information_schema.tables").fetchall()
    )
    wanted = [relation for relation in relations if relation in existing]
    if not wanted:
        return {}
    query = " union all ".join(f"select '{schema}', '{name}', count(*) from {schema}.{name}" for schema, name in wanted)
    return {(schema, name): int(rows) for schema, name, rows in connection.execute(query).fetchall()}


def _load(
    engine: Engine[Files],
    connection: Connection,
    lake: Lake,
    table: Table,
    manifest: SilverManifest,
    loaded_at: datetime,
) -> Load:
    day, name = manifest.run_date, f"raw.{table.raw_name}"
    remedy = f"Decode the day again: {remedies.decode_again(day)}."
    files = engine.verified_files(lake, manifest, remedy)
    before = loads.loaded(connection, table, day)
    if before and before.content == manifest.content and _count(connection, table, day) == manifest.rows:
        if before.decoder != manifest.decoder:
            loads.record(connection, table, manifest)
            ledger.recheck_excluded(connection, (table.source, table.stream), day)
        return Load(manifest.rows, unchanged=True)
    connection.execute(f"delete from {name} where _run_date = cast(? as date)", [day.isoformat()])
    engine.insert(connection, table, files, day, loaded_at)
    count = _count(connection, table, day)
    if count != manifest.rows:
        raise PermanentError(
            f"{name} took {count} rows for {day} where the manifest has {manifest.rows}. The load was rolled back and "
            f"every table of the day is as before. {remedy}"
        )
    loads.record(connection, table, manifest)
    return Load(count, unchanged=False)


def _count(connection: Connection, table: Table, day: date) -> int:
    found = connection.execute(
        f"select count(*) from raw.{table.raw_name} where _run_date = cast(? as date)", [day.isoformat()]
    ).fetchone()
    return int(found[0])


def _prepare(engine: Engine[Files], connection: Connection, tables: Iterable[Table]) -> None:
    for table in tables:
        columns = (*table.columns, *RAW_COLUMNS)
        definition = ", ".join(engine.column(column) for column in columns)
        connection.execute(f"create table if not exists raw.{table.raw_name} ({definition})")
        found = connection.execute(
            f"select lower(column_name), {_REPORTED_TYPE}, is_nullable from information_schema.columns "
            "where lower(table_schema) = 'raw' and lower(table_name) = ? order by ordinal_position",
            [table.raw_name],
        ).fetchall()
        required = {name for name, _, nullable in found if nullable == "NO"}
        for statement in _evolution(engine, table, {name: kind for name, kind, _ in found}, required):
            connection.execute(statement)


def _evolution(
    engine: Engine[Files], table: Table, existing: Mapping[str, str], required: AbstractSet[str]
) -> list[str]:
    """The statements that make a table follow its contract: new nullable columns, and columns that are nullable now.

    `existing`: column → type; `required`: those that are not nullable.

    Raises:
        PermanentError: more than that is needed; the message has the statements, for a person to decide on.
    """
    name = f"raw.{table.raw_name}"
    wanted = {column.name: column for column in (*table.columns, *RAW_COLUMNS)}
    missing = [column for key, column in wanted.items() if key not in existing]
    statements = [f"alter table {name} add column {engine.column(column)}" for column in missing]
    statements += [
        f"alter table {name} alter column {key} drop not null"
        for key, column in wanted.items()
        if key in required and column.nullable
    ]
    differing = [c.name for c in missing if not c.nullable]
    for key, column in wanted.items():
        if key in existing and existing[key] != engine.reported_type(column):
            differing.append(key)
            statements.append(f"alter table {name} alter column {key} set data type {column.type.sql}")
    for key in existing:
        if key not in wanted:
            differing.append(key)
            statements.append(f"alter table {name} drop column {key}")
    if differing:
        raise PermanentError(
            f"{name} has other columns than its contract ({', '.join(sorted(differing))}). It was created by another "
            f"version. Apply `{'; '.join(statements)}`, or `drop table {name}`, and run the days again; their silver "
            "is still there."
        )
    return statements
