"""What is around a product's histories: Amazon's fees, quantities, and who holds the buy box now.

Here: fields that follow from the catalogue and from the offers. Not here: identity and sizes (`product_object.py`), and
the figures over the histories (`stats.py`).
"""

from vp_pipeline.sandbox.keepa.generated.draws import DAY
from vp_pipeline.sandbox.keepa.generated.histories import ProductHistories

Json = dict[str, object]
# By marketplace, in minor units: for the first pound or so, and for each further one.
_FBA_FEES = {1: (322, 16), 2: (245, 12), 3: (285, 14), 5: (288, 40)}
_REFERRAL_PERCENT = {"Beauty": 8.01, "Business & Industrial": 12.0}
_POUND = 454  # grams


def fees(generated: ProductHistories, weight: int, now: int) -> Json:
    """What Amazon takes, `weight` in grams. Of a product with hardly any history Keepa has no FBA fee."""
    entry = generated.entry
    percent = 10.0 if entry.domain == 5 else _REFERRAL_PERCENT.get(entry.group, 15.0)
    base, step = _FBA_FEES[entry.domain]
    updated = max(generated.tracking_since, now - now % (30 * DAY))
    fee = {"lastUpdate": updated, "pickAndPackFee": base + step * (weight // _POUND)}
    return {
        "fbaFees": None if entry.sparse else fee,
        "referralFeePercent": int(percent),
        "referralFeePercentage": percent,
    }


def quantities(generated: ProductHistories) -> Json:
    """How many there are in what is sold: a size such as "4 Pack" names them. Where Amazon does not, Keepa has -1."""
    entry = generated.entry
    number, _, unit = (entry.size or "").partition(" ")
    several = int(number) if number.isdigit() and unit in ("Pack", "Pieces") else 1
    return {"packageQuantity": -1 if entry.sparse else 1, "numberOfItems": several}


def buy_box(generated: ProductHistories, box: list[int] | None, holder: str | None) -> Json:
    """Who holds the buy box and how it is sent. `box`: its history, None where it was not asked for, or there is none;
    `holder`: its last seller, "-1" where no offer qualifies, "-2" where there is none."""
    flags = ("IsAmazon", "IsFBA", "IsUnqualified", "IsUsed", "IsPreorder", "IsBackorder", "IsPrimeEligible")
    if not box or holder is None:
        return {"buyBoxSellerId": None, **{f"buyBox{name}": None for name in flags}}
    if holder in ("-1", "-2"):
        unqualified = dict.fromkeys(f"buyBox{name}" for name in flags)
        return {"buyBoxSellerId": None, **unqualified, "buyBoxIsUnqualified": holder == "-1"}
    by_amazon = holder in generated.fba_sellers
    return {
        "buyBoxSellerId": holder,
        "buyBoxIsAmazon": holder == generated.amazon_seller,
        "buyBoxIsFBA": by_amazon,
        "buyBoxIsUnqualified": False,
        "buyBoxIsUsed": False,
        "buyBoxIsPreorder": False,
        "buyBoxIsBackorder": False,
        "buyBoxIsPrimeEligible": by_amazon,
    }
