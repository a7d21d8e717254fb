"""The first page: the governed metrics of the last week, and how far the numbers can be trusted now."""

from typing import Any

import streamlit as st

from vp_pipeline.dashboard import figures
from vp_pipeline.dashboard.queries import governed, lists, overview
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts
from vp_pipeline.failures import PipelineError
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.publishing.metrics import Metrics

_COLUMNS = 4
_SIGNS = {"ok": (st.success, "✓"), "late": (st.warning, "◔"), "excluded": (st.warning, "⊘"), "failed": (st.error, "✗")}
# Of a rank less is better, of a price neither; of the others more.
_LESS_IS_BETTER = frozenset({"best_rank"})
_NEITHER = frozenset({"average_price"})


def show(reader: Reader, metrics: Metrics) -> None:
    st.title("Overview")
    for remark in overview.remarks(reader, newest_finished_day()):
        box, sign = _SIGNS[remark.state]
        box(f"{sign} **{remark.state}**: {figures.plain(remark.text)}")
    if not reader.publication.days:
        return
    last = reader.publication.days[-1]
    now, before = governed.week(last), governed.week(last, before=1)
    st.subheader("The last week")
    try:
        _cards(reader, metrics)
    except PipelineError as error:
        st.error(f"The metrics cannot be queried: {figures.plain(error)}")
    parts.source(
        reader,
        "beside each title; without one per cent, or a rank",
        f"{figures.period(*now)}, against {figures.period(*before)}",
    )
    st.subheader("Now")
    counted = lists.counts(reader)
    for place, (name, count) in zip(st.columns(max(len(counted), 1)), counted.items(), strict=False):
        place.metric(name.capitalize(), figures.number(count), border=True)
    parts.source(reader, "products, deals and stock-outs", f"{last}")


def _cards(reader: Reader, metrics: Metrics) -> None:
    """The counts and shares in rows; then each amount of money in a row of its own, by currency."""
    found: list[Any] = list(governed.headlines(reader, metrics, reader.publication.days[-1]).itertuples())
    money = {row.metric for row in found if figures.is_currency(row.unit)}
    for name in ("", *sorted(money)):
        rows = [row for row in found if (row.metric if row.metric in money else "") == name]
        for begin in range(0, len(rows), _COLUMNS):
            for place, row in zip(st.columns(_COLUMNS), rows[begin : begin + _COLUMNS], strict=False):
                _card(place, row)


def _card(place: Any, row: Any) -> None:
    unit = str(row.unit)
    changed = figures.change(row.now, row.before, unit)
    same = changed is not None and not any(digit in changed for digit in "123456789")
    colour = "inverse" if row.metric in _LESS_IS_BETTER else "normal"
    place.metric(
        figures.titled(row.title, unit),
        figures.figure(row.now, unit),
        "no week before" if changed is None else "as the week before" if same else changed,
        delta_color="off" if changed is None or same or row.metric in _NEITHER else colour,
        delta_arrow="off" if changed is None or same else "auto",
        border=True,
        help=f"`vp metrics {row.metric}`",
    )
