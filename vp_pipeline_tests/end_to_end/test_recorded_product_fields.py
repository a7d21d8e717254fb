"""What recorded answers have of a product besides its histories, from the answers to the marts, counted independently.

Made-up answers and real ones, read with json and Decimal alone: nothing here is of the pipeline but its result.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline_tests.conftest import Pipeline

pytestmark = pytest.mark.integration

YEN = 5
STATS = {
    "offers": "totalOfferCount",
    "fba_offers": "offerCountFBA",
    "fbm_offers": "offerCountFBM",
    "sales_rank_drops_30d": "salesRankDrops30",
    "sales_rank_drops_90d": "salesRankDrops90",
    "sales_rank_drops_180d": "salesRankDrops180",
    "sales_rank_drops_365d": "salesRankDrops365",
    "buy_box_seller_id": "buyBoxSellerId",
    "buy_box_is_amazon": "buyBoxIsAmazon",
    "buy_box_is_fba": "buyBoxIsFBA",
    "buy_box_is_unqualified": "buyBoxIsUnqualified",
    "buy_box_is_used": "buyBoxIsUsed",
    "buy_box_is_prime_eligible": "buyBoxIsPrimeEligible",
}
AVAILABILITY = {-1: "no_offer", 0: "in_stock"}


def answers(recordings: Path) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """(moment, product), numbers with a point as decimals; a product without an envelope is of its last update."""
    for file in sorted(recordings.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        for product in content.get("products", [content]):
            milliseconds = content.get("timestamp", (product["lastUpdate"] + 21_564_000) * 60_000)
            yield datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds), product


def known(value: Any) -> Any:
    """-1: none, -2: not asked for."""
    return None if value in (-1, -2, "-1", "-2") else value


def money(product: dict[str, Any], amount: int | None) -> Decimal | None:
    """In the currency itself: cents are hundredths, yen are whole."""
    return None if known(amount) is None else Decimal(amount or 0) / (1 if product["domainId"] == YEN else 100)


def rows(pipeline: Pipeline, table: str) -> list[dict[str, Any]]:
    names = [name for (name,) in pipeline.query(f"select column_name from (describe mart.{table})")]
    return [dict(zip(names, row, strict=True)) for row in pipeline.query(f"select * from mart.{table}")]


def test_fees_quantities_offers_and_the_buy_box_of_every_answer(recorded: Pipeline, recordings: Path) -> None:
    found = {(row["asin"], row["domain_id"], row["snapshot_at"]): row for row in rows(recorded, "fct_product_state")}
    expected = list(answers(recordings))
    assert set(found) == {(p["asin"], p["domainId"], at) for at, p in expected}
    assert {p["domainId"] for _, p in expected} >= {1, YEN}
    for at, product in expected:
        row = found[product["asin"], product["domainId"], at]
        stats, fee = product.get("stats") or {}, product.get("fbaFees") or {}
        assert {name: row[name] for name in STATS} == {name: known(stats.get(key)) for name, key in STATS.items()}
        assert row["fba_fee"] == money(product, fee.get("pickAndPackFee"))
        assert row["fba_fee_minor"] == fee.get("pickAndPackFee")
        assert row["buy_box_price"] == money(product, stats.get("buyBoxPrice"))
        assert row["buy_box_shipping"] == money(product, stats.get("buyBoxShipping"))
        assert row["buy_box_saving_basis"] == money(product, stats.get("buyBoxSavingBasis"))
        assert row["referral_fee_percent"] == product["referralFeePercentage"]
        assert row["referral_fee_whole_percent"] == product["referralFeePercent"]
        assert (row["package_quantity"], row["number_of_items"]) == (
            known(product["packageQuantity"]),
            known(product["numberOfItems"]),
        )
        assert row["amazon_availability"] == AVAILABILITY[product["availabilityAmazon"]]
        assert row["is_subscribe_and_save"] == product.get("isSNS")
        assert row["currency"] == {1: "USD", 2: "GBP", 3: "EUR", YEN: "JPY"}[product["domainId"]]


def test_what_is_left_of_each_price_after_fees(recorded: Pipeline, recordings: Path) -> None:
    """The price is what the histories end with: the buy box with shipping, else the lowest new offer, else Amazon's.

    A later answer that lacks a history was not asked for it.
    """
    newest: dict[str, dict[str, Any]] = {}
    for _, product in sorted(answers(recordings), key=lambda a: a[0]):
        last = newest.setdefault(product["asin"], {"product": product, 18: None, 1: None, 0: None})
        last["product"] = product
        for index in (18, 1, 0):
            last[index] = (product["csv"] or [None] * 19)[index] or last[index]
    found = {row["asin"]: row for row in rows(recorded, "mart_profitability")}
    assert set(found) == set(newest)
    complete = 0
    for asin, last in newest.items():
        product, row = last["product"], found[asin]
        box = last[18] or [0, -1, -1]
        prices = [
            box[-2] if box[-2] < 0 else box[-2] + max(box[-1], 0),
            *((last[index] or [-1])[-1] for index in (1, 0)),
        ]
        price = next((each for each in prices if each >= 0), None)
        assert row["price"] == money(product, price), asin
        if price is None:
            continue
        fee = product["fbaFees"]["pickAndPackFee"]
        referral = int(
            (Decimal(price) * product["referralFeePercentage"] / 100 + Decimal("0.5")).to_integral_value("ROUND_FLOOR")
        )
        assert (row["fba_fee"], row["referral_fee"]) == (money(product, fee), money(product, referral)), asin
        left = Decimal(price - fee - referral) / (1 if product["domainId"] == YEN else 100)
        assert row["proceeds"] == left, asin
        complete += 1
    assert complete >= 3
