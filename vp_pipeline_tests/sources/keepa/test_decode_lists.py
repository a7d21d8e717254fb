"""Fees, lists and histories of texts: what becomes of a bad field, element or point, and nothing else with it."""

from decimal import Decimal
from typing import Any

import pytest

from vp_pipeline_tests.sources.keepa.decode_lines import decoded, product, rejections


def values(table: str, *columns: str, **fields: Any) -> list[tuple[Any, ...]]:
    rows = decoded(product(**fields))[table].rows
    return list(zip(*(rows[column].to_pylist() for column in columns), strict=True))


@pytest.mark.parametrize(
    ("fields", "column", "expected"),
    [
        ({"fbaFees": {"pickAndPackFee": 409}}, "fba_fee", 409),
        ({"fbaFees": {"pickAndPackFee": 0}}, "fba_fee", None),
        ({"fbaFees": {"pickAndPackFee": -1}}, "fba_fee", None),
        ({"fbaFees": None}, "fba_fee", None),
        ({"referralFeePercentage": 15.01}, "referral_fee_percent", Decimal("15.0100")),
        ({"referralFeePercentage": 12}, "referral_fee_percent", Decimal(12)),
        ({"referralFeePercentage": -2}, "referral_fee_percent", None),
        ({"packageQuantity": -1}, "package_quantity", None),
        ({"availabilityAmazon": -1}, "amazon_availability", -1),
        ({"stats": {"offerCountFBA": -2}}, "fba_offers", None),
        ({"stats": {"offerCountFBA": 0}}, "fba_offers", 0),
        ({"stats": {"buyBoxPrice": -2}}, "buy_box_price", None),
        ({"stats": {"buyBoxSellerId": "-2"}}, "buy_box_seller_id", None),
    ],
)
def test_what_stands_for_nothing_is_null(fields, column, expected):
    assert values("product_state", column, **fields) == [(expected,)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fbaFees": [1]}, "fbaFees is not an object but list; the product's row has null"),
        ({"fbaFees": {"pickAndPackFee": 4.5}}, "fbaFees.pickAndPackFee is not an integer but decimal number; the"),
        ({"fbaFees": {"pickAndPackFee": -3}}, "fbaFees.pickAndPackFee is -3: at least -2 is allowed; the product's"),
        ({"fbaFees": {"pickAndPackFee": 2_000_000_000}}, "fba_fee is 2000000000: at most 100000000 is allowed where"),
        ({"referralFeePercentage": 101}, "referralFeePercentage is 101: 0 to 100 are allowed; the product's row"),
        ({"referralFeePercentage": 8.33333}, "referralFeePercentage is 8.33333: 4 decimals are allowed; the product's"),
        ({"referralFeePercentage": "15"}, "referralFeePercentage is not a number but text; the product's row has null"),
        ({"availabilityAmazon": 9}, "amazon_availability is 9: at most 4 is allowed; the product's row has null"),
    ],
)
def test_a_bad_field_is_null_and_in_quarantine_and_the_others_stay(fields, reason):
    result = decoded(product(numberOfItems=3, **fields))["product_state"]
    assert result.rows["number_of_items"].to_pylist() == [3]
    ((found, _),) = rejections(result)
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("table", "fields", "reason"),
    [
        ("identifier", {"eanList": ["4550533104769", "none"]}, "eanList has 'none': 6 to 14 digits are allowed"),
        ("identifier", {"eanList": ["4550533104769", None]}, "eanList is not a text but null"),
        ("identifier", {"eanList": ["4550533104769"], "upcList": "12"}, "upcList is not a list but text"),
        ("image", {"images": [{"l": "a.jpg"}, {"lW": 5}]}, "images has an image without a name"),
        ("image", {"images": [{"l": "a.jpg"}, "b.jpg"]}, "images has an element that is not an object but text"),
        ("image", {"images": [{"m": "a.jpg"}, {"m": "b.jpg", "mW": "5"}]}, "images is not an integer but text"),
        (
            "variation",
            {"variations": [{"asin": "B000000002"}, {"asin": "B000000003", "attributes": 1}]},
            "variations has attributes that are not a list but integer",
        ),
        (
            "variation",
            {"variations": [{"asin": "B000000002"}, {"asin": "B000000002", "image": "a.jpg"}]},
            "variations has B000000002 twice, with different attributes",
        ),
        (
            "variation",
            {"variationCSV": "B000000002,b3"},
            "variation_asin is 'b3': must match [A-Z0-9]{10}",
        ),
        ("bought_together", {"frequentlyBoughtTogether": ["B000000002", ""]}, "frequentlyBoughtTogether has an empty"),
    ],
)
def test_a_bad_element_is_rejected_alone(table, fields, reason):
    result = decoded(product(**fields))[table]
    assert result.rows.num_rows == 1
    ((found, _),) = rejections(result)
    assert found.startswith(reason)


def test_an_element_that_its_list_has_before_is_a_duplicate_and_the_first_place_counts():
    fields = {
        "eanList": ["4550533104769", "4550533104776", "4550533104769"],
        "frequentlyBoughtTogether": ["B000000002", "B000000002"],
        "variationCSV": "B000000002,B000000003,B000000002",
    }
    result = decoded(product(**fields))
    assert {name: result[name].duplicates for name in ("identifier", "bought_together", "variation")} == {
        "identifier": 1,
        "bought_together": 1,
        "variation": 1,
    }
    assert values("identifier", "value", "position", **fields) == [("4550533104769", 1), ("4550533104776", 2)]


def test_who_held_the_buy_box_for_used_products():
    history = ["100", "A1SELLER", "4", "1", "200", "", "", "", "300", "A2SELLER", "2", "0"]
    assert values("buy_box_used", "is_held", "seller_id", "condition", "is_fba", buyBoxUsedHistory=history) == [
        (True, "A1SELLER", 4, True),
        (False, None, None, None),
        (True, "A2SELLER", 2, False),
    ]


@pytest.mark.parametrize(
    ("table", "name", "history", "reason"),
    [
        ("buy_box_used", "buyBoxUsedHistory", ["200", "", "4", "1"], "seller id is empty, and its condition is not"),
        ("buy_box_used", "buyBoxUsedHistory", ["200", "A", "x", "1"], "condition is 'x': a number is allowed"),
        ("buy_box_used", "buyBoxUsedHistory", ["200", "A", "4", "2"], "is_fba is '2': 0 and 1 are allowed"),
        ("buy_box_used", "buyBoxUsedHistory", ["200", "A", "9", "1"], "condition is 9: at most 5 is allowed"),
        ("buy_box_used", "buyBoxUsedHistory", ["200", "A"], "incomplete point"),
        ("parent_asin", "parentAsinHistory", ["200", 7], "parent is not a text but integer"),
        ("parent_asin", "parentAsinHistory", ["200", "none"], "parent_asin is 'none': must match -1|[A-Z0-9]{10}"),
        ("coupon", "couponHistory", [200, -101, 0], "one_time is -101: at least -100 is allowed"),
        ("coupon", "couponHistory", [200, 5], "incomplete point"),
    ],
)
def test_from_a_point_that_is_rejected_on_the_history_is_unknown(table, name, history, reason):
    result = decoded(product(**{name: history}))[table]
    assert result.unreadable == 1
    assert result.rows.num_rows == 1
    empty = result.rows.drop_columns(list(result.table.natural_key)).to_pylist()[0]
    assert set(empty.values()) == {None}
    ((found, _),) = rejections(result)
    assert found.startswith(reason)
