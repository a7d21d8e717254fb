"""Charts, in the colours of Okabe and Ito, which the colour-blind can tell apart; lines differ in their dashes too.

Here: what a chart looks like. Not here: its numbers (`queries/`).
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import altair as alt
import pandas as pd

from vp_pipeline.dashboard import figures

# One of Altair's charts, whose types its own methods lose.
Drawn: TypeAlias = Any
# Okabe, Ito: Color Universal Design (2008), https://jfly.uni-koeln.de/color/. Yellow is left out: it is too light.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3])
GOOD, BAD, NEUTRAL = COLOURS[0], COLOURS[1], "#BBBBBB"
_TICKS = 8


def prices(found: pd.DataFrame, lows: pd.DataFrame, stock_outs: pd.DataFrame, currency: str) -> Drawn:
    """Closing prices as steps, stock-outs shaded, the lowest price of each series marked. `found`, `lows`: of
    `queries.products`."""
    names = sorted(set(found["series"]))
    shown = found.assign(
        close=[figures.money(value, currency) for value in found["close_price"]],
        range=[
            f"{figures.money(low, currency)} to {figures.money(high, currency)}"
            for low, high in zip(found["low_price"], found["high_price"], strict=True)
        ],
    )[["observed_date", "series", "close_price", "close", "range"]]
    line = (
        alt.Chart(_numbers(shown, "close_price"))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=_days(found),
            y=alt.Y("close_price:Q", title=f"price at the end of the day ({currency})", scale=alt.Scale(zero=False)),
            color=_colour("series", names),
            strokeDash=_dash("series", names),
        )
    )
    points = (
        alt.Chart(_numbers(shown, "close_price"))
        .mark_point(size=60, opacity=0, filled=True)
        .encode(x=_days(found), y="close_price:Q", color=_colour("series", names))
        .encode(
            tooltip=[
                alt.Tooltip("observed_date:T", title="day (UTC)", format="%Y-%m-%d"),
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("close:N", title="at the end of the day"),
                alt.Tooltip("range:N", title="lowest to highest"),
            ]
        )
    )
    marked = lows.assign(text=[f"lowest: {figures.money(value, currency)}" for value in lows["low_price"]])
    low = (
        alt.Chart(_numbers(marked[["observed_date", "series", "low_price", "text"]], "low_price"))
        .mark_point(shape="triangle-down", size=120, filled=True, opacity=1)
        .encode(
            x="observed_date:T",
            y="low_price:Q",
            color=_colour("series", names),
            tooltip=[alt.Tooltip("observed_date:T", title="day (UTC)", format="%Y-%m-%d"), "series:N", "text:N"],
        )
    )
    if stock_outs.empty:
        return alt.layer(line, points, low).properties(height=420)
    first, last = found["observed_date"].min(), found["observed_date"].max()
    bands = stock_outs.assign(
        begins=stock_outs["started_at"].clip(lower=first),
        ends=stock_outs["ended_at"].fillna(last).clip(upper=last),
        length=[figures.duration(minutes) for minutes in stock_outs["minutes"]],
    )[["series", "begins", "ends", "length"]]
    shade = (
        alt.Chart(bands)
        .mark_rect(opacity=0.22)
        .encode(
            x="begins:T",
            x2="ends:T",
            color=_colour("series", names),
            tooltip=[
                alt.Tooltip("series:N", title="out of stock"),
                alt.Tooltip("begins:T", title="from (UTC)", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("ends:T", title="until (UTC)", format="%Y-%m-%d %H:%M"),
                alt.Tooltip("length:N", title="for"),
            ],
        )
    )
    return alt.layer(shade, line, points, low).properties(height=420)


def line(found: pd.DataFrame, column: str, title: str, *, reverse: bool = False, unit_format: str = ",") -> Drawn:
    """A number by day; `reverse`: the lowest on top, as ranks are."""
    return (
        alt.Chart(_numbers(found[["observed_date", column]], column))
        .mark_line(interpolate="step-after", color=COLOURS[0], strokeWidth=2, point={"size": 12})
        .encode(
            x=_days(found),
            y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False, reverse=reverse)),
            tooltip=[
                alt.Tooltip("observed_date:T", title="day (UTC)", format="%Y-%m-%d"),
                alt.Tooltip(f"{column}:Q", title=title, format=unit_format),
            ],
        )
        .properties(height=260)
    )


def lines(found: pd.DataFrame, columns: Sequence[str], title: str) -> Drawn:
    """Several numbers of one unit by day."""
    long = found.melt(["observed_date"], list(columns), "figure", "value")
    long["figure"] = long["figure"].str.replace("_", " ")
    names = [name.replace("_", " ") for name in columns]
    return (
        alt.Chart(_numbers(long, "value"))
        .mark_line(strokeWidth=2, point={"size": 25})
        .encode(
            x=_days(found),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
            color=_colour("figure", names),
            strokeDash=_dash("figure", names),
            tooltip=[
                alt.Tooltip("observed_date:T", title="day (UTC)", format="%Y-%m-%d"),
                "figure:N",
                alt.Tooltip("value:Q", title=title, format=",.2f"),
            ],
        )
        .properties(height=260)
    )


def bars(found: pd.DataFrame, column: str, title: str) -> Drawn:
    """A count by day."""
    return (
        alt.Chart(_numbers(found[["observed_date", column]], column))
        .mark_bar(color=COLOURS[0], size=8)
        .encode(
            x=_days(found),
            y=alt.Y(f"{column}:Q", title=title),
            tooltip=[
                alt.Tooltip("observed_date:T", title="day (UTC)", format="%Y-%m-%d"),
                alt.Tooltip(f"{column}:Q", title=title, format=",.1f"),
            ],
        )
        .properties(height=260)
    )


def shares(found: pd.DataFrame) -> Drawn:
    """Shares of the buy box by week and seller, stacked; what is missing from 1 nobody had."""
    names = sorted(set(found["seller_id"]))
    return (
        alt.Chart(found[["seller_id", "share"]].assign(week=found["week"].dt.strftime("%Y-%m-%d")))
        .mark_bar()
        .encode(
            x=alt.X("week:O", title="week that begins on (UTC)", axis=alt.Axis(labelOverlap=True, labelAngle=-30)),
            y=alt.Y("share:Q", title="share of the week", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])),
            color=_colour("seller_id", names, "seller", of_lines=False),
            tooltip=[
                alt.Tooltip("week:O", title="week that begins on (UTC)"),
                alt.Tooltip("seller_id:N", title="seller"),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
        .properties(height=320)
    )


def day_layers(found: pd.DataFrame, layers: Sequence[str]) -> Drawn:
    """Days × layers: a mark beside the colour, so that neither is needed alone. `found`: of `quality.days`."""
    shown = found.assign(
        day=found["run_date"].dt.strftime("%Y-%m-%d"), mark=found["state"].map({"yes": "✓", "no": "✗"})
    )[["day", "layer", "state", "mark"]]
    base = alt.Chart(shown).encode(
        x=alt.X("day:O", title="day (UTC)", axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
        y=alt.Y("layer:O", title=None, sort=list(layers), axis=alt.Axis(labelOverlap=False, labelLimit=200)),
        tooltip=["day:O", "layer:O", "state:N"],
    )
    colour = alt.Color(
        "state:N", scale=alt.Scale(domain=["yes", "no"], range=[GOOD, BAD]), legend=alt.Legend(title="there")
    )
    text = base.mark_text(color="white", fontSize=12).encode(text="mark:N")
    return alt.layer(base.mark_rect(stroke="white").encode(color=colour), text).properties(height=260)


def outcomes(found: pd.DataFrame) -> Drawn:
    """How many checks of each build had which outcome. `found`: of `quality.test_history`."""
    names = ["pass", "warn", "fail", "error", "skipped"]
    colours = [GOOD, "#E69F00", BAD, "#000000", NEUTRAL]
    return (
        alt.Chart(found.assign(build=found["finished_at"].dt.strftime("%Y-%m-%d %H:%M")))
        .mark_bar()
        .encode(
            x=alt.X("build:O", title="build that ended at (UTC)", axis=alt.Axis(labelAngle=-45, labelOverlap=True)),
            y=alt.Y("tests:Q", title="checks"),
            color=alt.Color("status:N", scale=alt.Scale(domain=names, range=colours), title="outcome"),
            tooltip=["build:O", "status:N", alt.Tooltip("tests:Q", format=",")],
        )
        .properties(height=300)
    )


def metric(found: pd.DataFrame, x: str, y: str, title: str, group: str | None, *, is_share: bool) -> Drawn:
    """A metric over time (`x` begins with `metric_time`) as a line, over anything else as bars."""
    over_time = x.startswith("metric_time")
    axis = alt.Axis(labelAngle=-30)
    if over_time:
        axis.format = "%Y-%m-%d"
    chart = alt.Chart(_numbers(found, y))
    drawn = (
        chart.mark_line(point={"size": 30}, strokeWidth=2) if over_time else chart.mark_bar(color=COLOURS[0])
    ).encode(
        x=alt.X(f"{x}:{'T' if over_time else 'N'}", title=x, axis=axis),
        y=alt.Y(f"{y}:Q", title=title, axis=alt.Axis(format="%" if is_share else ",")),
        tooltip=[alt.Tooltip(name) for name in found.columns],
    )
    if group is not None:
        names = sorted(set(found[group].dropna().astype(str)))
        drawn = drawn.encode(color=_colour(group, names))
    return drawn.properties(height=420)


def _days(found: pd.DataFrame) -> alt.X:
    """The axis of days; where there are few, a tick for each, and none between."""
    days = sorted(set(found["observed_date"].dropna()))
    axis = alt.Axis(format="%Y-%m-%d", labelAngle=-30, tickCount=_TICKS)
    if len(days) <= _TICKS:
        axis.values = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in days]
    return alt.X("observed_date:T", title="day (UTC)", axis=axis)


def _dash(column: str, names: Sequence[str]) -> alt.StrokeDash:
    dashes = [DASHES[number % len(DASHES)] for number, _ in enumerate(names)]
    scale = alt.Scale(domain=list(names), range=dashes)
    return alt.StrokeDash(f"{column}:N", title=column.replace("_", " "), scale=scale)


def _colour(column: str, names: Sequence[str], title: str | None = None, *, of_lines: bool = True) -> alt.Color:
    colours = [COLOURS[number % len(COLOURS)] for number, _ in enumerate(names)]
    legend = alt.Legend(orient="top", columns=3, symbolOpacity=1, labelLimit=260)
    if of_lines:
        legend.symbolType, legend.symbolStrokeWidth, legend.symbolSize = "stroke", 3, 400
    scale = alt.Scale(domain=list(names), range=colours)
    return alt.Color(f"{column}:N", title=title or column.replace("_", " "), scale=scale, legend=legend)


def _numbers(found: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Missing numbers as NaN, which a chart leaves out."""
    return found.assign(**{column: found[column].astype("float64") for column in columns})
