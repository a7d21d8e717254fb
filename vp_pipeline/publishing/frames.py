"""Rows of a publication as pandas.

Here: choosing rows, and pandas' types. Not here: whose publication (`vp_pipeline/published.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow as pa

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.reader import PublishedMarts

# Every type has a null of its own: a count stays an integer where one is missing.
_PANDAS_TYPES = {
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


@dataclass(frozen=True)
class Days:
    """The half-open range [start, end) of days, UTC; None: open. `column`: what is compared with it; None: the table's
    only column of dates."""

    start: date | str | None = None
    end: date | str | None = None
    column: str | None = None


def read_frame(
    marts: PublishedMarts, table: str, days: Days, columns: Sequence[str] | None, where: Mapping[str, object]
) -> pd.DataFrame:
    """Rows of a published table; see `vp_pipeline.published.read`.

    Raises:
        PermanentError: nothing was published yet, there is no such table or column, or `days.column` is to be named.
        TransientError: another build was published meanwhile.
    """
    with marts.open() as found:
        relation = marts.relation(found.publication, table)
        schema = found.query(f"select * from {relation} limit 0").schema
        _require_columns(table, schema, [*(columns or ()), *where, *([days.column] if days.column else ())])
        conditions = [_condition(name, value) for name, value in where.items()]
        bounds = [(sign, bound) for sign, bound in ((">=", days.start), ("<", days.end)) if bound is not None]
        if bounds:
            at = days.column or _day_column(table, schema)
            conditions += [(f"{at} {sign} cast(? as date)", [f"{bound}"]) for sign, bound in bounds]
        selected = list(columns or schema.names)
        order = ", ".join(f"{number}" for number, _ in enumerate(selected, 1))
        filters = " and ".join(condition for condition, _ in conditions) or "true"
        parameters = [value for _, values in conditions for value in values]
        statement = f"select {', '.join(selected)} from {relation} where {filters} order by {order}"
        rows = found.query(statement, parameters)
        frame = to_frame(rows)
        frame.attrs["build"] = found.publication.build_id
        return frame


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Rows in pandas' types, as `vp_pipeline.published.read` has them."""
    return _plain(rows).to_pandas(types_mapper=_PANDAS_TYPES.get)


def _condition(column: str, value: object) -> tuple[str, list[object]]:
    if value is None:
        return f"{column} is null", []
    values = list(value) if isinstance(value, Collection) and not isinstance(value, str) else [value]
    return (f"{column} in ({', '.join('?' * len(values))})", values) if values else ("false", [])


def _require_columns(table: str, schema: pa.Schema, names: Collection[str]) -> None:
    unknown = [name for name in names if name not in schema.names]
    if unknown:
        raise PermanentError(f"{table} has no column {', '.join(unknown)}. It has: {', '.join(schema.names)}.")


def _day_column(table: str, schema: pa.Schema) -> str:
    days = [field.name for field in schema if pa.types.is_date(field.type)]
    if len(days) != 1:
        times = [field.name for field in schema if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type)]
        raise PermanentError(
            f"{table} has {len(days) or 'no'} columns of days: name the column that start and end are of, as in "
            f"day={times[0]!r}. There are: {', '.join(times)}."
            if times
            else f"{table} has no column of days or times, so neither start nor end."
        )
    return days[0]


def _plain(rows: pa.Table) -> pa.Table:
    """The same rows in one type for each kind of value, whatever width the engine has chosen."""
    for number, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type) and field.type.scale > 0:
            # As text first: pyarrow multiplies by 0.01, which is 1e-16 off for every seventh price.
            rows = rows.set_column(number, field.name, rows.column(number).cast(pa.string()))
            rows = rows.set_column(number, field.name, rows.column(number).cast(pa.float64()))
    return rows.cast(pa.schema([pa.field(field.name, _plain_type(field.type)) for field in rows.schema]))


def _plain_type(of: pa.DataType) -> pa.DataType:
    kinds = (
        (pa.types.is_integer, pa.int64()),
        (pa.types.is_decimal, pa.int64()),
        (pa.types.is_floating, pa.float64()),
        (pa.types.is_large_string, pa.string()),
        (pa.types.is_date, pa.timestamp("us")),
        (pa.types.is_timestamp, pa.timestamp("us")),
    )
    return next((plain for is_kind, plain in kinds if is_kind(of)), of)
