"""Deals, rank movers, stock-outs and profitability: lists over all products."""

import pandas as pd
import streamlit as st

from vp_pipeline.dashboard import figures
from vp_pipeline.dashboard.queries import lists
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.dashboard.views import parts

_PRODUCT = {"title": "product", "asin": "ASIN", "marketplace_code": "market"}


def deals(reader: Reader) -> None:
    st.title("Deals")
    st.markdown("Prices that are well below their average of the 90 days before, the furthest below first.")
    found = lists.deals(reader)
    titles = {
        **_PRODUCT,
        "series": "series",
        "price": "price",
        "average_90_days": "average of 90 days",
        "below_average_share": "below it by",
        "lowest": "lowest",
    }
    ever, year = (found[name].fillna(False).astype(bool) for name in ("is_new_all_time_low", "is_new_365_day_low"))
    found["lowest"] = year.map({True: "of 365 days", False: figures.NOTHING}).where(~ever, "ever")
    _listed(parts.texts(found, ("price", "average_90_days")), titles, "There is no deal now.")
    parts.source(reader, "the currency beside each price", _days(found, "as_of_date"))


def rank_movers(reader: Reader) -> None:
    st.title("Rank movers")
    st.markdown("Main sales rank against seven days before, the largest gain first. A lower rank is better.")
    found = lists.rank_movers(reader)
    titles = {
        **_PRODUCT,
        "category_name": "category",
        "sales_rank": "rank",
        "sales_rank_7_days_before": "rank 7 days before",
        "places_gained_7_days": "places gained in 7 days",
        "rank_change_7_days": "change of the rank",
        "places_gained_30_days": "places gained in 30 days",
    }
    _listed(parts.texts(found), titles, "No product has a rank of seven days before.")
    parts.source(reader, "rank in the category", f"7 and 30 days that end with {_days(found, 'as_of_date')}")


def stock_outs(reader: Reader) -> None:
    st.title("Stock-outs")
    st.markdown("Times without an offer, the open ones first.")
    found = lists.stock_outs(reader)
    found["lasted"] = pd.Series([figures.duration(minutes) for minutes in found["minutes"]], dtype="string")
    titles = {
        "is_open": "open",
        **_PRODUCT,
        "series": "series",
        "started_at": "from (UTC)",
        "ended_at": "until (UTC)",
        "lasted": "for",
        "price_before": "price before",
        "price_after": "price after",
    }
    _listed(parts.texts(found, ("price_before", "price_after")), titles, "There was no stock-out.")
    parts.source(reader, "days, hours and minutes; the currency beside each price", _days(found, "started_at"))


def profitability(reader: Reader) -> None:
    st.title("Profitability")
    st.markdown(
        "What is left of a product's present price if one sells it through FBA: the price without Amazon's referral "
        "fee and FBA fee. Neither what the product costs, nor storage, returns, advertising or tax is deducted."
    )
    found = lists.profitability(reader)
    unknown = int(found["proceeds"].isna().sum())
    if unknown:
        st.info(f"Of {unknown} of {len(found)} products the price or a fee is not known, and so not what is left.")
    titles = {
        **_PRODUCT,
        "price": "price",
        "price_series": "price of",
        "referral_fee": "referral fee",
        "fba_fee": "FBA fee",
        "proceeds": "left",
        "proceeds_share": "left of the price",
        "price_includes_tax": "price with tax",
        "sales_rank": "rank",
    }
    _listed(parts.texts(found, ("price", "fba_fee", "referral_fee", "proceeds")), titles, "There is no product yet.")
    parts.source(reader, "the currency beside each amount", f"as of {_days(found, 'snapshot_at')}")


def _listed(found: pd.DataFrame, titles: dict[str, str], nothing: str) -> None:
    if found.empty:
        st.info(nothing)
        return
    parts.table(found, titles, height=min(35 * (len(found) + 1) + 3, 640))
    if len(found) == lists.LISTED:
        st.caption(f"The first {lists.LISTED} are listed.")


def _days(found: pd.DataFrame, column: str) -> str:
    days = found[column].dropna()
    return "no day" if days.empty else figures.period(days.min().date(), days.max().date())
