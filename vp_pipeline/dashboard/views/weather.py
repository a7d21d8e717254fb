"""The weather of a place, by day."""

import streamlit as st

from vp_pipeline.dashboard import charts, figures
from vp_pipeline.dashboard.queries import weather
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts


def show(reader: Reader) -> None:
    st.title("Weather")
    places = weather.places(reader)
    if not places:
        st.info("There is no place yet.")
        return
    place = st.selectbox("Place", places)
    found = weather.daily(reader, place)
    if found.empty:
        st.info("There is no day of it yet.")
        return
    days = found["observed_date"]
    period = figures.period(days.min().date(), days.max().date())
    st.subheader("Temperature")
    columns = ("max_temperature", "average_temperature", "min_temperature")
    st.altair_chart(charts.lines(found, columns, "°C"), width="stretch")
    parts.source(reader, "°C", period)
    st.subheader("Precipitation")
    st.altair_chart(charts.bars(found, "precipitation_total", "mm"), width="stretch")
    missing = int((~found["is_complete"].fillna(False).astype(bool)).sum())
    if missing:
        st.caption(f"{missing} days lack an hour, and so have no total.")
    parts.source(reader, "mm", period)
