"""What a response has of a product's present: fees, quantities, offers, and who holds the buy box.

Here: the contract of `product_state`. Not here: histories (`histories.py`), and figures per series (`figures.py`).
"""

from vp_pipeline.sources.contract import FLAG, INT, TEXT, Column, Type
from vp_pipeline.sources.keepa.ranges import ASIN, CLIENT, CURRENCY, DOMAIN_ID, SNAPSHOT_AT, amount, count, moment, size
from vp_pipeline.sources.keepa.tables.shape import keepa_table

_NOT_ASKED = "null: -1 (none), or -2 (the request did not ask for it)"
_DROPS = "Keepa's count of sales-rank drops that it takes for sales, over {} days: its definition is not published."


def _flag(name: str, description: str) -> Column:
    return Column(name, FLAG, f"{description}; null: unknown.", nullable=True, range_source=f"{CLIENT}, `Stats`")


PRODUCT_STATE = keepa_table(
    "product_state",
    "A product at the moment of a response: fees, quantities, offers, and who holds the buy box.",
    "one row per product and response",
    ("asin", "domain_id", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        SNAPSHOT_AT,
        CURRENCY,
        amount(
            "fba_fee",
            "What Amazon takes to pick, pack and send one (`fbaFees.pickAndPackFee`); null: not known, or 0 (it cannot "
            "be calculated without dimensions).",
            at_least=1,
        ),
        moment("fba_fee_updated_at", "When Keepa last updated the fee."),
        Column(
            "referral_fee_percent",
            Type.decimal(7, 4),
            "Amazon's share of the price (`referralFeePercentage`); null: not known.",
            unit="percent",
            nullable=True,
            at_least=0,
            at_most=100,
            range_source="a share of the price; 15.01 and 12.0 in real responses; -1 and -2 mean unknown",
        ),
        Column(
            "referral_fee_whole_percent",
            INT,
            "The same in whole percent (`referralFeePercent`, the older field); null: not known.",
            unit="percent",
            nullable=True,
            at_least=0,
            at_most=100,
            range_source="a share of the price; -1 and -2 mean unknown",
        ),
        size("package_quantity", "Packages in what is sold; null: not known.", "packages"),
        size("number_of_items", "Items in what is sold; null: not known.", "items"),
        Column(
            "amazon_availability",
            INT,
            "Amazon's own offer: -1 none, 0 in stock, 1 to be released, 2 unknown, 3 to be restocked, 4 delayed; null: "
            "not known.",
            nullable=True,
            at_least=-1,
            at_most=4,
            range_source="Keepa's documentation of `availabilityAmazon`",
        ),
        _flag("is_subscribe_and_save", "The buy box can be had by subscription (`isSNS`)"),
        count("offers", f"Offers of every condition (`totalOfferCount`); {_NOT_ASKED}.", "offers"),
        count("fba_offers", f"Offers that Amazon ships (`offerCountFBA`), of those retrieved; {_NOT_ASKED}.", "offers"),
        count("fbm_offers", f"Offers that merchants ship (`offerCountFBM`), likewise; {_NOT_ASKED}.", "offers"),
        moment("offers_updated_at", "When Keepa last updated the offers."),
        count("sales_rank_drops_30d", f"{_DROPS.format(30)} Null: -1, unknown.", "drops"),
        count("sales_rank_drops_90d", f"{_DROPS.format(90)} Null: -1, unknown.", "drops"),
        count("sales_rank_drops_180d", f"{_DROPS.format(180)} Null: -1, unknown.", "drops"),
        count("sales_rank_drops_365d", f"{_DROPS.format(365)} Null: -1, unknown.", "drops"),
        amount("buy_box_price", f"Price of the offer in the buy box, without shipping; {_NOT_ASKED}."),
        amount("buy_box_shipping", f"Its shipping; {_NOT_ASKED}."),
        amount("buy_box_saving_basis", f"The price that Amazon shows struck through beside it; {_NOT_ASKED}."),
        Column(
            "buy_box_seller_id",
            TEXT,
            f"Amazon's id of its seller; {_NOT_ASKED}.",
            nullable=True,
            matches="[A-Z0-9]{1,20}",
            range_source="Amazon: letters and digits (13 or 14 in real responses)",
        ),
        _flag("buy_box_is_amazon", "Amazon is its seller"),
        _flag("buy_box_is_fba", "Amazon ships it"),
        _flag("buy_box_is_unqualified", "There are offers, and none qualifies for the buy box"),
        _flag("buy_box_is_used", "It is a used one"),
        _flag("buy_box_is_preorder", "It is to be released"),
        _flag("buy_box_is_backorder", "It is to be restocked"),
        _flag("buy_box_is_prime_eligible", "It is sent with Prime"),
        moment("buy_box_updated_at", "When Keepa last updated the buy box."),
    ),
)
