"""What a published table is in PostgreSQL: its types, key, indexes and comments, and its rows as COPY reads them.

Here: from the columns of a publication and the dbt project to statements. Not here: the connection, and the swap
(`postgres.py`).
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from vp_pipeline.dbt.grain import grains

_TYPES: tuple[tuple[str, str], ...] = (
    ("is_boolean", "boolean"),
    ("is_int8", "smallint"),
    ("is_int16", "smallint"),
    ("is_uint8", "smallint"),
    ("is_int32", "integer"),
    ("is_uint16", "integer"),
    ("is_int64", "bigint"),
    ("is_uint32", "bigint"),
    ("is_uint64", "numeric(20, 0)"),
    ("is_float32", "real"),
    ("is_float64", "double precision"),
    ("is_date", "date"),
    ("is_time", "time"),
    ("is_string", "text"),
    ("is_large_string", "text"),
)
# PostgreSQL cuts a longer name, and then two may be one.
_NAME_LIMIT = 63


@dataclass(frozen=True)
class Model:
    """What the dbt project says of a table: its `key` (none: it has no grain), and what it and its columns mean."""

    key: tuple[str, ...] = ()
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def models(manifest: Path) -> Mapping[str, Model]:
    """Every model by its name. `manifest`: dbt's manifest.json."""
    keys = grains(manifest)
    nodes = orjson.loads(manifest.read_bytes())["nodes"].values()
    return {
        node["name"]: Model(
            keys.get(node["name"], ()),
            _plain(node.get("description")),
            {name.lower(): _plain(column.get("description")) for name, column in node["columns"].items()},
        )
        for node in nodes
        if node["resource_type"] == "model"
    }


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def create(relation: str, rows: pa.Table) -> str:
    """The statement that creates an empty table."""
    columns = ", ".join(f"{quoted(column.name)} {sql_type(column.type)}" for column in rows.schema)
    return f"create table {relation} ({columns})"


def sql_type(kind: pa.DataType) -> str:
    """PostgreSQL's type of Arrow's. Moments without a zone are UTC, as everywhere; what is nested is JSON."""
    if pa.types.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp without time zone"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    return next((name for test, name in _TYPES if getattr(pa.types, test)(kind)), "jsonb")


def csv(rows: pa.Table) -> io.BytesIO:
    """The rows as COPY reads them (`csv`): null is empty, and an empty text is in quotes."""
    columns = [_as_text(rows.column(name)) for name in rows.column_names]
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pyarrow.csv.write_csv(pa.table(columns, names=rows.column_names), out, options)
    out.seek(0)
    return out


def after_load(relation: str, table: str, rows: pa.Table, model: Model) -> Iterator[str]:
    """The statements on a loaded table: its key, an index of each other day, comments, and statistics."""
    key = [name for name in model.key if name in rows.column_names]
    if key and len(key) == len(model.key):
        columns = ", ".join(map(quoted, key))
        if any(rows.column(name).null_count for name in key):  # a primary key takes none
            yield f"create unique index {_index(table, 'key')} on {relation} ({columns})"
        else:
            yield f"alter table {relation} add constraint {_index(table, 'key')} primary key ({columns})"
    for column in rows.schema:
        if pa.types.is_date(column.type) and column.name not in key[:1]:
            yield f"create index {_index(table, column.name)} on {relation} ({quoted(column.name)})"
    if model.description:
        yield f"comment on table {relation} is {text(model.description)}"
    for name, description in model.columns.items():
        if description and name in rows.column_names:
            yield f"comment on column {relation}.{quoted(name)} is {text(description)}"
    yield f"analyze {relation}"


def _index(table: str, what: str) -> str:
    name = f"{table}_{what}"
    return quoted(name if len(name) <= _NAME_LIMIT else f"{name[:54]}_{hash_of(name)}")


def hash_of(name: str) -> str:
    """Eight characters that are the same for a name in every process."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _as_text(column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    if sql_type(column.type) == "jsonb":
        values = (None if value is None else json.dumps(value, default=str) for value in column.to_pylist())
        return pa.chunked_array([pa.array(list(values), pa.string())])
    return pc.cast(column, pa.string())


def _plain(description: object) -> str:
    return " ".join(str(description or "").split())
