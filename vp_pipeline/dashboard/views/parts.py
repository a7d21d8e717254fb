"""What several pages show alike."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from vp_pipeline.dashboard import figures
from vp_pipeline.dashboard.reading import Reader

PERIODS: Mapping[str, int | None] = {"90 days": 90, "365 days": 365, "2 years": 730, "all days": None}


def source(reader: Reader, unit: str, period: str) -> None:
    """Below every group of numbers: their unit, their period, and the publication that they are of."""
    st.caption(figures.plain(f"Unit: {unit}. Period: {period}. Publication: {reader.build}.").replace("\\.", "."))


def days_of(first: date, last: date, key: str) -> tuple[date, date]:
    """The period that a person chooses among those that end with the last day; both included."""
    chosen = st.selectbox("Period", list(PERIODS), index=1, key=key)
    length = PERIODS[chosen]
    return (first if length is None else max(first, last - timedelta(days=length - 1))), last


def table(found: pd.DataFrame, titles: Mapping[str, str], height: int | None = None) -> None:
    """Rows as a table: the columns of `titles`, with their titles."""
    shown = found[list(titles)].rename(columns=dict(titles))
    for name in shown.columns:
        if shown[name].isna().any():
            # As text, which is shown to the left: a missing number would read "None".
            shown[name] = shown[name].astype("string").fillna(figures.NOTHING)
    numbers = shown.select_dtypes("number").columns
    st.dataframe(
        shown,
        hide_index=True,
        width="stretch",
        height=height or "auto",
        column_config={
            **{name: st.column_config.NumberColumn(format="localized") for name in numbers},
            "product": st.column_config.TextColumn(width="medium"),  # a title may be longer than all the rest
        },
    )


def texts(found: pd.DataFrame, money: Sequence[str] = ()) -> pd.DataFrame:
    """Days and moments as texts, shares as per cent, `money` with the currency of the row: what a list shows."""
    shown = found.copy()
    for name in found.columns:
        if pd.api.types.is_datetime64_any_dtype(found[name]):
            is_day = (found[name].dropna().dt.normalize() == found[name].dropna()).all()
            shown[name] = found[name].dt.strftime("%Y-%m-%d" if is_day else "%Y-%m-%d %H:%M").astype("string")
        elif name.endswith("_share") or name.startswith("rank_change"):
            shown[name] = [figures.share(value) for value in found[name]]
        elif pd.api.types.is_bool_dtype(found[name]):
            shown[name] = [figures.NOTHING if pd.isna(value) else "yes" if value else "no" for value in found[name]]
    for name in money:
        shown[name] = [figures.money(value, unit) for value, unit in zip(found[name], found["currency"], strict=True)]
    return shown
