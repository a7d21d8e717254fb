"""Metadata for people, as Dagster displays it: previews, counts, links, column schemas and lineage."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import dagster as dg

from vp_pipeline import documents
from vp_pipeline.dbt.project import COLUMNS_FILE
from vp_pipeline.sources.contract import Column, Table
from vp_pipeline.warehouse.connection import Connection, column_names

if TYPE_CHECKING:
    import pyarrow as pa

PREVIEW_ROWS = 5
# The first rows of a table, in the metadata of its materialization.
PREVIEW = "preview"
# Why a model was built as a whole, in the metadata of its materialization.
RESTATED = "restated_because"
# Why an asset could not be built, in the metadata of an observation of it.
NOT_BUILT = "not_built_because"
LINEAGE = "dagster/column_lineage"
_CELL = 60
_NO_ROWS = "*No rows.*"
# What Markdown would read as its own, or as HTML.
_MARKUP = re.compile(r"([\\`*<|\[])")


def preview(rows: "pa.Table") -> str:
    """The first rows as a Markdown table."""
    if rows.num_rows == 0:
        return _NO_ROWS
    return markdown_table(rows.column_names, [row.values() for row in rows.slice(0, PREVIEW_ROWS).to_pylist()])


def markdown_table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows under their columns' names, long texts shortened."""
    head = [_cell(name) for name in names]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def model_preview(connection: Connection, model: dg.AssetKey, grain: Sequence[str]) -> dg.MarkdownMetadataValue:
    """The first rows of a table that dbt has built, the newest days first. `grain`: its columns."""
    types = {name: column["type"] for name, column in _columns_of_models().get(model.path[-1], {}).items()}
    newest = [f"{name} desc" for name in grain if types.get(name, "").startswith(("date", "timestamp"))]
    order = ", ".join([*newest, *grain]) or "1"
    found = connection.execute(f"select * from {'.'.join(model.path)} order by {order} limit {PREVIEW_ROWS}")
    rows = found.fetchall()
    return dg.MarkdownMetadataValue(markdown_table(column_names(found), rows) if rows else _NO_ROWS)


def counted(reasons: Iterable[str]) -> str:
    """How often each reason occurs, most frequent first, as a Markdown table."""
    rows = "\n".join(f"| {count:,} | {_cell(reason)} |" for reason, count in Counter(reasons).most_common(20))
    return f"| rows | reason |\n|---:|---|\n{rows}"


def derived_from(keys: Iterable[dg.AssetKey], day: date) -> dg.MarkdownMetadataValue:
    """Links to the day's partition of assets, as the Dagster UI opens them."""
    return dg.MetadataValue.md(
        ", ".join(
            f"[{'/'.join(key.path)}](/assets/{'/'.join(key.path)}?view=partitions&partition={day})" for key in keys
        )
    )


def column_schema(table: Table) -> dg.TableSchema:
    """The columns of a table's contract."""
    return dg.TableSchema(columns=[_column(column) for column in table.columns])


def model_columns(props: Mapping[str, Any]) -> dict[str, object]:
    """A dbt model's columns and what they are derived from. `props`: its node in the manifest."""
    columns = _columns_of_models().get(props["name"])
    if columns is None:
        return {}
    described = {name: column["description"] for name, column in props["columns"].items()}
    return {
        "dagster/column_schema": dg.TableSchema(
            [dg.TableColumn(name, column["type"], described.get(name)) for name, column in columns.items()]
        ),
        LINEAGE: dg.TableColumnLineage(
            {
                name: [
                    dg.TableColumnDep(dg.AssetKey(relation.split(".")), origin)
                    for relation, origin in column["from"]
                    if "._" not in relation  # tables that the pipeline records its runs in are not assets
                ]
                for name, column in columns.items()
            }
        ),
    }


@lru_cache(maxsize=1)
def _columns_of_models() -> dict[str, dict[str, Any]]:
    """As `vp_pipeline/dbt/column_lineage.py` wrote them."""
    found: dict[str, dict[str, Any]] = documents.read(COLUMNS_FILE, "`make generate` writes it again.") or {}
    return found


def _column(column: Column) -> dg.TableColumn:
    unit = f" Unit: {column.unit}." if column.unit else ""
    return dg.TableColumn(
        column.name,
        column.type.name,
        description=column.description + unit,
        constraints=dg.TableColumnConstraints(nullable=column.nullable),
    )


def _cell(value: object) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return _MARKUP.sub(r"\\\1", text if len(text) <= _CELL else text[: _CELL - 1] + "…")
