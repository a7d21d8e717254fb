"""The governed metrics: one of them, by what, where and when; the numbers of `vp metrics`."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from vp_pipeline.dashboard import charts, figures
from vp_pipeline.dashboard.queries import governed
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts
from vp_pipeline.failures import PipelineError
from vp_pipeline.publishing.metrics import Metric, MetricQuery, Metrics

_GRAINS = ("day", "week", "month", "quarter", "year")
_TIME = "metric_time"
ROWS = 2_000


def show(reader: Reader, metrics: Metrics) -> None:
    st.title("Metrics")
    known = {metric.name: metric for metric in metrics.all}
    start = list(known).index("in_stock_rate") if "in_stock_rate" in known else 0
    metric = known[st.selectbox("Metric", list(known), index=start)]
    st.markdown(figures.plain(metric.description))
    dimensions = [name for name in metrics.dimensions([metric.name]) if name != _TIME]
    times = [f"{_TIME}__{grain}" for grain in _GRAINS]
    by = st.multiselect("By", [*times, *dimensions], default=[times[0]], max_selections=3)
    wanted = _query(reader, metric, by, dimensions)
    if wanted is None:
        return
    try:
        found = governed.query(reader, metrics, wanted)
    except PipelineError as error:
        st.error(figures.plain(error))
        return
    _result(reader, metric, wanted, found)


def _query(reader: Reader, metric: Metric, by: list[str], dimensions: list[str]) -> MetricQuery | None:
    days = reader.publication.days
    last = days[-1] if days else date.today()
    chosen = st.date_input("From, to (both included, UTC)", (last - timedelta(days=89), last), format="YYYY-MM-DD")
    if not isinstance(chosen, tuple) or len(chosen) != 2:
        st.info("Choose the last day too.")
        return None
    left, right = st.columns(2)
    filtered = left.selectbox("Where", ["", *(name for name in dimensions if "date" not in name)])
    value = right.text_input("is", disabled=not filtered)
    where: tuple[str, ...] = ()
    if filtered and value:
        quoted = value.replace("'", "''")
        if "{" in value or "}" in value:
            st.info("A value with braces cannot be asked for here.")
            return None
        where = (f"{{{{ Dimension('{filtered}') }}}} = '{quoted}'",)
    return MetricQuery((metric.name,), tuple(by), where, chosen[0], chosen[1], tuple(by), ROWS)


def _result(reader: Reader, metric: Metric, wanted: MetricQuery, found: pd.DataFrame) -> None:
    column = governed.unit_column(metric)
    assert wanted.first is not None
    assert wanted.last is not None
    if found.empty or found[metric.name].isna().all():
        st.info("There is no number for this.")
    else:
        title = figures.titled(metric.name, "the currency beside it" if column else metric.unit)
        if wanted.by:
            _chart(metric, found, wanted.by[0], title)
        units = found[column] if column else [metric.unit] * len(found)
        values = [figures.figure(value, str(unit)) for value, unit in zip(found[metric.name], units, strict=True)]
        shown = parts.texts(found.assign(**{metric.name: values}))
        parts.table(shown, {**{name: name for name in found.columns}, metric.name: title}, height=320)
        st.download_button("CSV", found.to_csv(index=False), f"{metric.name}.csv", "text/csv")
        if len(found) == ROWS:
            st.caption(f"The first {ROWS:,} rows are shown.")
    unit = "the currency beside each number" if column else metric.unit
    parts.source(reader, unit, figures.period(wanted.first, wanted.last))


def _chart(metric: Metric, found: pd.DataFrame, over: str, title: str) -> None:
    """Over what was named first; what else it is broken down by is a colour."""
    others = [name for name in found.columns if name not in (over, metric.name)]
    group = " and ".join(others) if others else None
    drawn = found.dropna(subset=[over])
    if group is not None:
        drawn = drawn.assign(**{group: drawn[others].astype("string").fillna(figures.NOTHING).agg(" · ".join, axis=1)})
    is_share = metric.unit == "share"
    st.altair_chart(charts.metric(drawn, over, metric.name, title, group, is_share=is_share), width="stretch")
