"""A diff on Snowflake: the copy is a database of clones, which copy no byte, beside the one that is published.

    <database>_diff    made by `vp deploy snowflake`, empty between two diffs; transient, so nothing of it is kept

dbt builds in the schemas of its layers, so the copy has the same schemas in another database. Its tables are clones of
their own, as those of a publication: the role needs no more than to read them, and owns the clones. Its views read the
tables that they were made for until they are built again.

A diff holds the lease from its first clone to its end: it sees the warehouse between two runs, two diffs do not meet,
and a run that starts meanwhile waits. Here: statements and sessions. Not here: what is built and compared (`diff.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from vp_pipeline.failures import PermanentError
from vp_pipeline.planning.diff_duckdb import scratch_folder
from vp_pipeline.planning.diff_engine import AFTER, BEFORE, Copy, Side, Sides, shapes_of
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.publishing.snowflake_reader import PUBLISHED, SnowflakePublishedSchema
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.lease import Lease, Report
from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse

SCHEMAS = ("raw", "stg", "core", "mart", "monitoring")
# Schema, name, and whether it is a view.
Relation = tuple[str, str, bool]


@dataclass(frozen=True)
class SnowflakeDiff:
    """See `Engine`. `lease`: the one of the runs. `report`: is called with for whom the diff waits."""

    settings: Settings
    warehouse: SnowflakeWarehouse
    lease: Lease
    report: Report

    @property
    def marts(self) -> PublishedMarts:
        return PublishedMarts(SnowflakePublishedSchema(self.warehouse))

    @contextmanager
    def copy(self) -> Iterator[Copy]:
        database = scratch_database(self.warehouse.database)
        with scratch_folder(self.settings) as folder, self.lease.hold(Holder("vp diff"), self.report):
            with self.warehouse.connect(read_only=True, tag=_TAG) as connection:
                _require_database(connection, database)
            try:
                with self.warehouse.connect(read_only=True, tag=_TAG) as connection:
                    for statement in copy_statements(self.warehouse.database, _relations(connection)):
                        connection.execute(statement)
                yield Copy(
                    folder.model_copy(update={"snowflake_database": database}),
                    replace(self.warehouse, database=database),
                )
            finally:
                # A session of its own: the one before may be what failed.
                with self.warehouse.session(_TAG) as connection:
                    for statement in drop_statements(self.warehouse.database):
                        connection.execute(statement)

    @contextmanager
    def sides(self, copy: Copy | None) -> Iterator[Sides]:
        before = self.warehouse.database
        after = scratch_database(before) if copy else before
        current = self.marts.current()
        assert current is not None  # `code_diff` has looked
        with self.warehouse.connect(read_only=True, tag=_TAG) as connection:

            def relation(side: Side, table: str) -> str:
                return f"{before}.{PUBLISHED}.{table.split('.')[1]}" if side == BEFORE else f"{after}.{table}"

            shapes = {BEFORE: _published_shapes(connection, before, current), AFTER: _shapes(connection, after)}
            yield Sides(connection, relation, shapes, "select count(*), hash_agg(*) from {}", "", PermanentError)


_TAG = {"run": "diff", "asset": "diff"}


def scratch_database(database: str) -> str:
    """The database of the copy, in the case of the other one: dbt compares names as they are written."""
    return f"{database}_DIFF" if database.isupper() else f"{database}_diff"


def copy_statements(database: str, relations: Sequence[Relation]) -> list[str]:
    """Makes the copy of these relations. A transient table has no permanent clone."""
    copy = scratch_database(database)
    return [
        *drop_statements(database),  # a diff that was killed left it
        *(f"create transient schema {copy}.{schema}" for schema in SCHEMAS),
        *(
            f"create view {copy}.{schema}.{name} as select * from {database}.{schema}.{name}"
            if is_view
            else f"create transient table {copy}.{schema}.{name} clone {database}.{schema}.{name}"
            for schema, name, is_view in relations
        ),
    ]


def drop_statements(database: str) -> list[str]:
    """Removes the copy; the database itself stays, empty."""
    return [f"drop schema if exists {scratch_database(database)}.{schema}" for schema in SCHEMAS]


def _require_database(connection: Connection, database: str) -> None:
    found = connection.execute(
        "select 1 from information_schema.databases where lower(database_name) = ?", [database.lower()]
    ).fetchone()
    if not found:
        raise PermanentError(f"There is no database {database} for the clones: `vp deploy snowflake --apply` makes it.")


def _relations(connection: Connection) -> list[Relation]:
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    found = connection.execute(
        "select lower(table_schema), lower(table_name), false from information_schema.tables "
        f"where lower(table_schema) in ({schemas}) and table_type <> 'VIEW' union all "
        "select lower(table_schema), lower(table_name), true from information_schema.views "
        f"where lower(table_schema) in ({schemas}) order by 1, 2"
    ).fetchall()
    return [(schema, name, bool(is_view)) for schema, name, is_view in found]


def _shapes(connection: Connection, database: str) -> dict[str, dict[str, str]]:
    tables = f"{database}.information_schema.tables"
    found = connection.execute(
        "select lower(c.table_schema) || '.' || lower(c.table_name), lower(c.column_name), lower(c.data_type) "
        f"from {database}.information_schema.columns as c inner join {tables} as t "
        "on c.table_schema = t.table_schema and c.table_name = t.table_name "
        "where t.table_type <> 'VIEW' order by 1, c.ordinal_position"
    ).fetchall()
    return {table: dict(shape) for table, shape in shapes_of(found).items()}


def _published_shapes(connection: Connection, database: str, current: Publication) -> dict[str, dict[str, str]]:
    """By the names that the tables have in their layers: the schema of a publication is one for all."""
    shapes = _shapes(connection, database)
    wanted = {table: f"{PUBLISHED}.{table.split('.')[1]}" for table in current.rows}
    return {table: shapes[there] for table, there in wanted.items() if there in shapes}
