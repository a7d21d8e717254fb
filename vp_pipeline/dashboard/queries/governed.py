"""The governed metrics: the numbers of `vp metrics`, for the overview and for the page of metrics."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import pandas as pd

from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
from vp_pipeline.publishing.metrics import Engine, Metric, MetricQuery, Metrics
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings

DAY = "metric_time__day"
# Each with the published table that it is computed from; of a source that is off the table is not there.
HEADLINES = (
    ("in_stock_rate", "In-stock rate", "fct_price_history_daily"),
    ("buy_box_share", "Buy-box share", "fct_buy_box_daily"),
    ("best_rank", "Best sales rank", "mart_product_daily"),
    ("added_reviews", "New reviews", "fct_review_history_daily"),
    ("units_sold", "Units sold", "fct_order_item"),
)
MONEY = (
    ("average_price", "Average price", "fct_price_history_daily"),
    ("revenue", "Revenue", "fct_order_item"),
)


def metrics_of(settings: Settings, marts: PublishedMarts) -> Metrics:
    """The metrics of the parsed project; read again when it was parsed again.

    Raises:
        PermanentError: dbt cannot parse the project.
    """
    file = manifest_path(settings).with_name(SEMANTIC_MANIFEST)
    return _metrics(file, file.stat().st_mtime, settings.engine, marts.store.schema)


@lru_cache(maxsize=2)
def _metrics(file: Path, modified: float, engine: Engine, schema: str | None) -> Metrics:
    return Metrics(file, engine, schema)


def query(reader: Reader, metrics: Metrics, wanted: MetricQuery) -> pd.DataFrame:
    """A query of metrics, on the publication of the reader; a column for each of `by`, then one for each metric.

    Raises:
        MetricsError: it cannot be queried this way.
    """
    return reader.written(metrics.sql(wanted))


def unit_column(metric: Metric) -> str | None:
    """The column that has the unit of a metric, where it is one (its currency)."""
    return metric.unit if metric.unit in metric.always_by else None


def week(last: date, *, before: int = 0) -> tuple[date, date]:
    """The seven days that end with `last`, or `before` weeks earlier; both included."""
    end = last - timedelta(weeks=before)
    return end - timedelta(days=6), end


def headlines(reader: Reader, metrics: Metrics, last: date) -> pd.DataFrame:
    """The metrics of `HEADLINES` and `MONEY` over the week that ends with `last`, and over the week before. Columns:
    metric, title, unit (of money the currency), now, before. Without a row where there is nothing to show."""
    known = {metric.name: metric for metric in metrics.all}
    wanted = [each for each in (*HEADLINES, *MONEY) if each[0] in known and reader.has(each[2])]
    rows: list[tuple[str, str, str, object, object]] = []
    for name, title, _ in wanted:
        metric = known[name]
        now, before = (
            query(reader, metrics, MetricQuery((name,), first=first, last=end))
            for first, end in (week(last), week(last, before=1))
        )
        column = unit_column(metric)
        rows += _of_metric(metric, title, now, before, column)
    return pd.DataFrame(rows, columns=["metric", "title", "unit", "now", "before"])


def _of_metric(
    metric: Metric, title: str, now: pd.DataFrame, before: pd.DataFrame, column: str | None
) -> Sequence[tuple[str, str, str, object, object]]:
    if column is None:
        values = [frame[metric.name].iloc[0] if len(frame) else None for frame in (now, before)]
        return [] if pd.isna(values[0]) else [(metric.name, title, metric.unit, values[0], values[1])]
    earlier = dict(zip(before[column], before[metric.name], strict=True))
    return [
        (metric.name, title, str(unit), value, earlier.get(unit))
        for unit, value in zip(now[column], now[metric.name], strict=True)
        if not pd.isna(unit) and not pd.isna(value)
    ]
