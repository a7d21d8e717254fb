"""Published marts in Snowflake's schema PUBLISHED, as they are read.

Here: the record of each publication, and queries. Not here: how the schema is made (`snowflake.py`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from vp_pipeline.failures import TransientError
from vp_pipeline.publishing.publication import FORMAT, Publication, read_moments
from vp_pipeline.warehouse.connection import Connection, column_names
from vp_pipeline.warehouse.snowflake import SnowflakeSession, SnowflakeWarehouse

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector.cursor import ResultMetadata

PUBLISHED = "published"
# SQL: whether a schema, in the place of the braces, is one of the publications'.
OURS = f"(lower({{0}}) = '{PUBLISHED}' or startswith(lower({{0}}), '{PUBLISHED}_'))"


@dataclass(frozen=True)
class SnowflakePublishedSchema:
    """The schema PUBLISHED; see `Store`."""

    warehouse: SnowflakeWarehouse

    @property
    def address(self) -> str:
        return f"{self.warehouse.database}.{PUBLISHED}"

    @property
    def schema(self) -> str:
        return PUBLISHED

    def json_text(self, values: Mapping[str, str]) -> str:
        return json_text(values)

    @contextmanager
    def open(self) -> Iterator["_OpenSchema | None"]:
        with self.warehouse.connect(read_only=True) as connection:
            found = _current(connection)
            yield _OpenSchema(connection, found) if found else None


@dataclass(frozen=True)
class Kept:
    """A schema that holds a publication."""

    schema: str
    publication: Publication
    is_rolled_back: bool


def json_text(values: Mapping[str, str]) -> str:
    """SQL of a JSON object's text; `values`: SQL by name."""
    return "to_json(object_construct(" + ", ".join(f"'{name}', {value}" for name, value in values.items()) + "))"


def _current(connection: Connection) -> Publication | None:
    return next((each.publication for each in read_kept(connection, [PUBLISHED])), None)


def read_kept(connection: Connection, schemas: Sequence[str] | None = None) -> list[Kept]:
    """The publications in these schemas, or in all, as their records have them."""
    found = connection.execute(
        "select lower(table_schema) from information_schema.tables where lower(table_name) = '_publication' "
        f"and {OURS.format('table_schema')} order by 1"
    ).fetchall()
    there = [schema for (schema,) in found if schemas is None or schema in schemas]
    return [kept for schema in there for kept in _read_records(connection, schema)]


def _read_records(connection: Connection, schema: str) -> Iterator[Kept]:
    found = connection.execute(f"select * from {schema}._publication")
    names = column_names(found)
    for row in found.fetchall():
        record = FORMAT.read(dict(zip(names, row, strict=True)), f"{schema}._publication")
        is_rolled_back = bool(record.pop("is_rolled_back"))
        days = tuple(map(date.fromisoformat, filter(None, record.pop("days").split(","))))
        rows, moments = json.loads(record.pop("row_counts")), read_moments(record.pop("moments"))
        yield Kept(schema, Publication(**record, rows=rows, days=days, moments=moments), is_rolled_back)


@dataclass(frozen=True)
class _OpenSchema:
    connection: SnowflakeSession
    publication: Publication

    def query(self, sql: str, parameters: Sequence[object] = ()) -> "pa.Table":
        cursor = self.connection.execute(sql, parameters)
        rows = _with_scales(cursor.fetch_arrow_all(force_return_table=True), cursor.description)
        after = _current(self.connection)
        if after is None or after.build_id != self.publication.build_id:
            raise TransientError("Another build was published while this one was read. Read it again.")
        # Snowflake returns names that were not quoted in capitals.
        return rows.rename_columns([name.lower() for name in rows.column_names])


def _with_scales(rows: "pa.Table", description: "Sequence[ResultMetadata]") -> "pa.Table":
    """The connector makes integers of decimals in a result without a row; its description has their places."""
    import pyarrow as pa

    for number, column in enumerate(description):
        if not rows.num_rows and column.scale and pa.types.is_integer(rows.schema.field(number).type):
            decimals = rows.column(number).cast(pa.decimal128(38, column.scale))
            rows = rows.set_column(number, rows.schema.field(number).name, decimals)
    return rows
