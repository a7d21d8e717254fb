"""One product: found by its ASIN, title or brand."""

from datetime import date

import streamlit as st

from vp_pipeline.dashboard import charts, figures
from vp_pipeline.dashboard.queries import products
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts

_FIRST = ("BUY_BOX_SHIPPING", "NEW", "AMAZON")
_AT_ONCE = 3


def show(reader: Reader) -> None:
    st.title("Product")
    left, right = st.columns(2)
    text = left.text_input("Search by ASIN, title or brand", key="search")
    found = products.search(reader, text)
    if found.empty:
        st.info(f"No product has “{figures.plain(text)}” in its ASIN, title or brand.")
        return
    labels = {
        str(row.product_key): f"{figures.isolated(row.title)} · {row.asin} · {row.marketplace_code}"
        for row in found.itertuples()
    }
    more = f"; the first {products.FOUND} are listed" if len(found) == products.FOUND else ""
    key = right.selectbox(f"Product ({len(found)} found{more})", list(labels), format_func=lambda key: labels[key])
    row = found.set_index("product_key").loc[key]
    st.subheader(figures.plain(figures.short(row["title"])))
    seen = f"last seen {row['snapshot_at']:%Y-%m-%d %H:%M} UTC"
    st.markdown(
        f"{figures.plain(row['brand'])} · {figures.plain(row['product_group'])} · `{row['asin']}` · "
        f"{row['marketplace_code']}, prices in {row['currency']} · {figures.plain(seen)}"
    )
    asked = products.attention(reader, key)
    if asked:
        st.warning("\n".join(f"- {figures.plain(each)}" for each in asked))
    else:
        st.success("✓ It asks nothing of its owner now: no deal, no open stock-out, no lost buy box.")
    span = products.days(reader, key)
    if span is None:
        st.info("There is no history of it yet.")
        return
    first, last = parts.days_of(*span, key="period_of_product")
    _prices(reader, key, str(row["currency"]), first, last)
    _days(reader, key, first, last)
    _buy_box(reader, key, first, last)


def _prices(reader: Reader, key: str, currency: str, first: date, last: date) -> None:
    st.subheader("Price")
    there = [str(name) for name in products.series(reader, key)["series"]]
    chosen = [name for name in _FIRST if name in there][:_AT_ONCE] or there[:1]
    names = tuple(st.multiselect("Series", there, default=chosen, max_selections=len(charts.COLOURS)))
    found = products.prices(reader, key, names, first, last)
    if found["close_price"].notna().any():
        outs = products.stock_outs(reader, key, names, first, last)
        st.altair_chart(charts.prices(found, products.lows(found), outs, currency), width="stretch")
        st.caption(
            "Shaded: out of stock. ▼: the lowest price of the series in the period. Hover for each day's prices."
        )
    else:
        st.info("None of these series has a price in this period.")
    parts.source(reader, currency, figures.period(first, last))


def _days(reader: Reader, key: str, first: date, last: date) -> None:
    found = products.daily(reader, key, first, last)
    for column, title, unit, reverse, digits in (
        ("sales_rank", "Sales rank", "rank (the best on top)", True, ","),
        ("review_count", "Reviews", "reviews", False, ","),
        ("rating", "Rating", "stars", False, ".1f"),
    ):
        st.subheader(title)
        if found[column].notna().any():
            st.altair_chart(charts.line(found, column, unit, reverse=reverse, unit_format=digits), width="stretch")
        else:
            st.info("There is none in this period.")
        parts.source(reader, unit, figures.period(first, last))


def _buy_box(reader: Reader, key: str, first: date, last: date) -> None:
    st.subheader("Buy box by seller")
    found = products.buy_box(reader, key, first, last)
    if found.empty:
        st.info("Nobody was seen in the buy box in this period.")
    else:
        st.altair_chart(charts.shares(found), width="stretch")
    parts.source(reader, "share of the observed minutes of a week", figures.period(first, last))
