"""Metadata that people look at: previews, counts and column schemas as Dagster shows them."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import dagster as dg

from vp_pipeline.sources.contract import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa

PREVIEW_ROWS = 5
_CELL = 60


def preview(rows: "pa.Table") -> str:
    """The first rows as a Markdown table."""
    if rows.num_rows == 0:
        return "*No rows.*"
    return markdown_table(rows.column_names, [row.values() for row in rows.slice(0, PREVIEW_ROWS).to_pylist()])


def markdown_table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows under their columns' names, long texts shortened."""
    head = [_cell(name) for name in names]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def counted(reasons: Iterable[str]) -> str:
    """How often each reason occurs, most frequent first, as a Markdown table."""
    rows = "\n".join(f"| {count:,} | {_cell(reason)} |" for reason, count in Counter(reasons).most_common(20))
    return f"| rows | reason |\n|---:|---|\n{rows}"


def column_schema(table: Table) -> dg.TableSchema:
    """A table's contract as Dagster shows it."""
    return dg.TableSchema(columns=[_column(column) for column in table.columns])


def _column(column: Column) -> dg.TableColumn:
    unit = f" Unit: {column.unit}." if column.unit else ""
    return dg.TableColumn(
        column.name,
        column.type.value,
        description=column.description + unit,
        constraints=dg.TableColumnConstraints(nullable=column.nullable),
    )


def _cell(value: object) -> str:
    text = "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
