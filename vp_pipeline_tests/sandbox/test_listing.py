"""What is around the sandbox's histories agrees with them: the buy box, coupons, fees and lists."""

import pytest

from vp_pipeline_tests.sandbox.client import KeepaSandbox, catalogue, get_product
from vp_pipeline_tests.sandbox.test_generated import rows

ENTRIES = catalogue(None, 7)
AMAZON, NEW_FBA, NEW_FBM, BUY_BOX, USED_BOX = 0, 10, 7, 18, 32


@pytest.mark.parametrize("entry", ENTRIES)
def test_it_agrees_with_the_histories(sandbox: KeepaSandbox, entry: str) -> None:
    product = get_product(sandbox, entry)
    stats, csv = product["stats"], product["csv"]
    if stats["buyBoxSellerId"] is not None:
        offer = AMAZON if stats["buyBoxIsAmazon"] else NEW_FBA if stats["buyBoxIsFBA"] else NEW_FBM
        assert (stats["buyBoxPrice"], stats["buyBoxShipping"]) == tuple(csv[BUY_BOX][-2:])
        assert stats["buyBoxPrice"] == csv[offer][-2 if offer == NEW_FBM else -1]
        assert stats["buyBoxSellerId"] == product["buyBoxSellerIdHistory"][-1]
    assert (product["availabilityAmazon"] == 0) == (csv[AMAZON][-1] >= 0)
    last = (product["couponHistory"] or [0, 0, 0])[-2:]
    assert product["coupon"] == (last if any(last) else None)
    assert int(product["referralFeePercentage"]) == product["referralFeePercent"]
    box = dict(point[:2] for point in rows(csv[USED_BOX] if len(csv) > USED_BOX else None, 3))
    for minute, seller, condition, fba in rows(product["buyBoxUsedHistory"], 4):
        assert (box[int(minute)] >= 0) == bool(seller)
        assert bool(seller) == (condition in ("2", "3", "4", "5")) == (fba in ("0", "1"))


def test_numbers_are_the_same_in_every_marketplace_and_have_their_check_digit(sandbox: KeepaSandbox) -> None:
    one, other = (get_product(sandbox, entry) for entry in ("1:B0SBXTWO06", "3:B0SBXTWO06"))
    assert one["eanList"] == other["eanList"]
    (ean,) = one["eanList"]
    assert sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(ean)) % 10 == 0
    assert one["upcList"] == [ean[1:]]
    assert other["upcList"] is None


def test_a_family_and_companions(sandbox: KeepaSandbox) -> None:
    products = [get_product(sandbox, entry) for entry in ENTRIES]
    for product in products:
        family = [member["asin"] for member in product["variations"] or []]
        assert bool(family) == bool(product["parentAsin"])
        assert not family or product["asin"] in family
        assert product["asin"] not in (product["frequentlyBoughtTogether"] or [])
    assert any(product["variations"] for product in products)
    assert any(product["frequentlyBoughtTogether"] for product in products)
