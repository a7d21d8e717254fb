"""Which governed metrics have another value, from the tables as they are published and as the code would make them.

Here: each metric's total (by what it is always broken down by), of both sides. Not here: what a metric means, and its
SQL (`publishing/metrics.py`).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vp_pipeline.planning.diff_engine import AFTER, BEFORE, Side, Sides
from vp_pipeline.publishing.metrics import Metric, MetricQuery, Metrics

# Beyond these digits a sum of floating-point numbers depends on the order of its rows.
_SIGNIFICANT_DIGITS = 10
_TABLE = re.compile(r"\b(\w+\.\w+)\b")


@dataclass(frozen=True)
class MetricChange:
    """A metric that has another value. `by`: (dimension, value), of the part that it is of. A value is None where there
    is none."""

    metric: str
    unit: str
    by: tuple[tuple[str, str | None], ...]
    before: float | int | str | None
    after: float | int | str | None

    @property
    def difference(self) -> float | int | None:
        if isinstance(self.before, str | None) or isinstance(self.after, str | None):
            return None
        difference: float | int = _rounded(self.after - self.before)
        return difference


def metric_changes(
    sides: Sides, metrics: Metrics, tables: Collection[str]
) -> tuple[tuple[MetricChange, ...], tuple[str, ...]]:
    """The metrics with another value, and the names of those that read one of `tables` and have the same."""
    changes: list[MetricChange] = []
    unchanged: list[str] = []
    for metric in metrics.all if tables else ():
        sql = metrics.sql(MetricQuery((metric.name,)))
        if not set(_TABLE.findall(sql)).isdisjoint(tables):
            before, after = _values(sides, BEFORE, sql, metric), _values(sides, AFTER, sql, metric)
            moved = [
                MetricChange(metric.name, _unit(metric, by), by, before.get(by), after.get(by))
                for by in sorted(before.keys() | after.keys(), key=str)
                if before.get(by) != after.get(by)
            ]
            changes += moved
            unchanged += [] if moved else [metric.name]
    return tuple(changes), tuple(unchanged)


def _values(sides: Sides, side: Side, sql: str, metric: Metric) -> dict[tuple[tuple[str, str | None], ...], Any]:
    """The metric's value of each part; none where a table or a column of it is not there."""
    read = {table for table in _TABLE.findall(sql) if table in sides.shapes[BEFORE] or table in sides.shapes[AFTER]}
    if not all(sides.shape(side, table) for table in read):
        return {}
    try:
        result = sides.connection.execute(
            _TABLE.sub(lambda found: sides.relation(side, found[1]) if found[1] in read else found[1], sql)
        )
    except sides.unknown:
        return {}
    # Snowflake returns names that were not quoted in capitals.
    names = [str(column[0]).lower() for column in result.description or ()]
    return {_part(names, row, metric.name): _rounded(row[names.index(metric.name)]) for row in result.fetchall()}


def _part(names: Sequence[str], row: Sequence[Any], metric: str) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        (name, None if value is None else str(value)) for name, value in zip(names, row, strict=True) if name != metric
    )


def _unit(metric: Metric, by: tuple[tuple[str, str | None], ...]) -> str:
    """The currency of a part, where the metric is an amount of money."""
    return dict(by).get(metric.unit, metric.unit) or ""


def _rounded(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return value if isinstance(value, int | None) else str(value)
