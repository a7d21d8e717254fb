"""The seller's own sales beside the market, product by product."""

import streamlit as st

from vp_pipeline.dashboard import charts, figures
from vp_pipeline.dashboard.queries import sales
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts


def show(reader: Reader) -> None:
    st.title("Sales beside market")
    found = sales.products(reader)
    if found.empty:
        st.info("Nothing was sold in the published days.")
        return
    shown = parts.texts(found, ("revenue",))
    titles = {
        "title": "product",
        "asin": "ASIN",
        "marketplace_code": "market",
        "orders": "orders",
        "units": "units",
        "revenue": "revenue",
        "pending_units": "units pending",
    }
    parts.table(shown, titles)
    first, last = found["first_day"].min().date(), found["last_day"].max().date()
    parts.source(reader, "units; revenue in the currency beside it", figures.period(first, last))
    labels = {
        (row.product_key, row.currency): f"{figures.isolated(row.title)} · {row.asin} · {row.currency}"
        for row in found.itertuples()
    }
    key, currency = st.selectbox("Product", list(labels), format_func=lambda key: labels[key])
    begin, end = parts.days_of(first, last, key="period_of_sales")
    days = sales.daily(reader, str(key), begin, end)
    days = days[days["currency"] == currency]
    period = figures.period(begin, end)
    st.subheader("Units sold by day")
    st.altair_chart(charts.bars(days, "units", "units"), width="stretch")
    parts.source(reader, "units", period)
    st.subheader("Own price beside the market's")
    prices = ("average_selling_price", "buy_box_price", "new_price")
    st.altair_chart(charts.lines(days, prices, f"price ({currency})"), width="stretch")
    parts.source(reader, str(currency), period)
    st.subheader("Sales rank")
    st.altair_chart(charts.line(days, "sales_rank", "rank (the best on top)", reverse=True), width="stretch")
    parts.source(reader, "rank", period)
