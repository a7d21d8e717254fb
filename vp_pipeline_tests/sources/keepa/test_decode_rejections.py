"""What cannot become a row is rejected, with its reason, and nothing else with it."""

import json
from datetime import datetime
from typing import Any

import pytest

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.landed import ALTERED, RECORD_LIMIT, LandedLine
from vp_pipeline_tests.sources.keepa.decode_lines import ASIN, NOW, answer, csv, decoded, landed, product, rejections

GOOD = product(csv=csv(_0=[100, 1999]))


def line(text: bytes) -> LandedLine:
    return LandedLine("a.jsonl.gz", 7, text)


WHOLE_LINES = [
    (line(b"{"), "line is not JSON: unexpected end of data: line 1 column 2 (char 1)"),
    (line(b""), "line is not JSON: "),
    (line(b'{"_airbyte_data": NaN}'), "line is not JSON: "),
    (line(b"\xff"), "line is not JSON: "),
    (line(b"[1]"), "not a record of Airbyte: list instead of an object"),
    (line(b"12"), "not a record of Airbyte: integer instead of an object"),
    (line(b"{}"), "_airbyte_data is not an object but null"),
    (landed("x"), "_airbyte_data is not an object but text"),
    (landed(answer(GOOD), extracted="soon"), "_airbyte_extracted_at is neither milliseconds nor an ISO 8601 time"),
    (landed(answer(GOOD), extracted=None), "_airbyte_extracted_at is neither milliseconds nor an ISO 8601 time"),
    (
        landed(
            answer(GOOD),
            _airbyte_meta={
                "changes": [
                    {"field": "products", "change": "NULLED", "reason": "DESTINATION_RECORD_SIZE_LIMITATION"},
                    {"field": "g", "change": "TRUNCATED", "reason": "X"},
                ]
            },
        ),
        f"{ALTERED}: products NULLED (DESTINATION_RECORD_SIZE_LIMITATION), g TRUNCATED (X)",
    ),
    (landed(answer(GOOD), _airbyte_meta={"changes": 1}), f"{ALTERED}: _airbyte_meta.changes is not a list"),
    (landed(answer(GOOD), _airbyte_meta=[]), f"{ALTERED}: _airbyte_meta is not an object but list"),
    (landed(answer(GOOD, error={"type": "x", "message": "m"})), "Keepa responded with an error: x"),
    (landed(answer(GOOD, error="no")), "Keepa responded with an error: of no type"),
    (landed(answer(GOOD, timestamp=None)), "timestamp is not an integer but null"),
    (landed(answer(GOOD, timestamp=1.5)), "timestamp is not an integer but decimal number"),
    (landed(answer(GOOD, timestamp=True)), "timestamp is not an integer but boolean"),
    (landed(answer(GOOD, timestamp=-4)), "timestamp is -4: milliseconds from 2011 to 2099 are allowed"),
    (landed({"timestamp": NOW}), "products is not a list but null"),
    (landed(answer(GOOD, products={})), "products is not a list but object"),
]


@pytest.mark.parametrize(("bad", "reason"), WHOLE_LINES, ids=[reason[:60] for _, reason in WHOLE_LINES])
def test_a_line_that_is_no_answer_is_one_rejection(bad, reason):
    good = landed(answer(GOOD), line=8)
    result = decode([bad, good])
    (rejected,) = result["product"].quarantined
    assert rejected.reason.startswith(reason)
    assert (rejected.table, rejected.source_object, rejected.source_line) == ("product", "a.jsonl.gz", bad.line)
    assert rejected.entity is None
    assert (result["product"].records_in, result["product"].rows.num_rows) == (2, 1)
    assert (result["price"].records_in, result["price"].rows.num_rows) == (1, 1)


@pytest.mark.parametrize("extracted", [NOW, float(NOW), "2026-05-10T04:19:28.884Z", "2026-05-10T04:19:28.884000+00:00"])
def test_both_formats_of_the_extraction_time_are_read(extracted):
    assert decode([landed(answer(GOOD), extracted=extracted)])["price"].rows.num_rows == 1


def test_no_products_is_no_record():
    assert all(table.records_in == 0 and table.unaccounted == 0 for table in decoded().values())


WHOLE_PRODUCTS = [
    (5, "product is not an object but integer"),
    (None, "product is not an object but null"),
    (product(productType=3, asin=None), "productType is 3: inaccessible"),
    (product(productType=4, csv="x"), "productType is 4: invalid"),
    (product(productType="0"), "productType is not an integer but text"),
    (product(asin=None), "asin is not a text but null"),
    (product(asin="b000000001"), "asin is 'b000000001': ten of A-Z and 0-9 are allowed"),
    (product(asin="B000000001\n"), "asin is 'B000000001\\n'"),
    (product(domainId=7), "domainId is 7: Keepa knows 1, 2, 3, 4, 5, 6, 8"),
    (product(domainId=None), "domainId is not an integer but null"),
    (product(csv="[1,2]"), "csv is not a list but text"),
    (product(csv={"0": [1, 2]}), "csv is not a list but object"),
]


@pytest.mark.parametrize(("bad", "reason"), WHOLE_PRODUCTS, ids=[reason for _, reason in WHOLE_PRODUCTS])
def test_a_product_with_an_invalid_header_is_one_rejection(bad, reason):
    if isinstance(bad, dict):
        bad = {**bad, "monthlySoldHistory": [1, 2], "stats": {"salesRankDrops30": 1}}
    result = decoded(bad, {**GOOD, "asin": "B000000002"})
    (rejected,) = result["product"].quarantined
    assert rejected.reason.startswith(reason)
    assert result["product"].rows["asin"].to_pylist() == result["price"].rows["asin"].to_pylist() == ["B000000002"]
    assert result["monthly_sold"].records_in == result["stats"].records_in == 0


def test_a_product_without_a_type_is_kept():
    untyped = {name: value for name, value in GOOD.items() if name != "productType"}
    (row,) = decoded(untyped)["product"].rows.to_pylist()
    assert row["product_type"] is None


def test_a_field_of_another_type_costs_that_field_alone():
    result = decoded(product(title=5, packageWeight="1", packageWidth=-7, brand="b", csv=csv(_0=[100, 1999])))
    assert sorted((reason, json.loads(record)) for reason, record in rejections(result["product"])) == [
        ("packageWeight is not an integer but text; the product's row has null", {"packageWeight": "1"}),
        ("packageWidth is -7: at least -1 is allowed; the product's row has null", {"packageWidth": -7}),
        ("title is not a text but integer; the product's row has null", {"title": 5}),
    ]
    (row,) = result["product"].rows.to_pylist()
    assert (row["title"], row["package_weight"], row["package_width"], row["brand"]) == (None, None, None, "b")
    assert result["product"].records_in == 4
    assert result["price"].rows.num_rows == 1


def test_minutes_below_zero_are_before_2011_and_beyond_1970_and_2100_is_no_time():
    (row,) = decoded(product(listedSince=-1_840_000, trackingSince=-2))["product"].rows.to_pylist()
    assert row["listed_since"] == datetime(2007, 7, 3, 5, 20)
    assert row["tracking_since"] == datetime(2010, 12, 31, 23, 58)
    for minute in (-21_564_001, 46_810_080):
        ((reason, _),) = rejections(decoded(product(listedSince=minute))["product"])
        assert reason.startswith(f"listedSince is {minute}: Keepa minutes from 1970 to 2099 are allowed")


def test_figures_of_unknown_series_that_say_none_are_no_records():
    stats = decoded(product(stats={"avg30": [5] + [-1] * 37, "max": [[100, 5]] + [None] * 37}))["stats"]
    assert (stats.records_in, stats.quarantined) == (37, ())


def test_a_product_type_that_keepa_does_not_have_rejects_the_product():
    result = decoded(product(productType=7, csv=csv(_0=[100, 1999])))
    ((reason, _),) = rejections(result["product"])
    assert reason == "productType is 7: 0 to 5 are allowed"
    assert result["price"].records_in == 0


def test_what_stands_for_unknown_becomes_null():
    unknown: dict[str, Any] = {
        "title": "",
        "rootCategory": 2**63 - 1,
        "salesRankReference": -1,
        "trackingSince": 0,
        "lastUpdate": -1,
        "packageWeight": 0,
        "packageHeight": -1,
        "categoryTree": [],
    }
    (row,) = decoded(product(**unknown))["product"].rows.to_pylist()
    known = {name for name, value in row.items() if value is not None}
    assert known == {"asin", "domain_id", "snapshot_at", "product_type"}


POINTS = [
    ([100, 5, 200], ["incomplete point"], 1),
    ([100, 5, 200, None, 300, 7], ["a value of the point is not an integer but null"], 2),
    ([100, 5.0, 200, 6], ["a value of the point is not an integer but decimal number"], 1),
    ([100, True, "200", 6], ["a value of the point is not an integer but boolean", "…but text"], 0),
    ([100, [5], 200, 6], ["a value of the point is not an integer but list"], 1),
    ([100, 5, [200], 6], ["a value of the point is not an integer but list"], 1),
    ([[100], [5]], ["a value of the point is not an integer but list"], 0),
    ([[], [], [100, 5]], ["a value of the point is not an integer but list", "incomplete point"], 0),
    # Flattened, these would be as long as they are: the empty list hides the two numbers.
    ([100, [5, 200], [], 6], ["a value of the point is not an integer but list"] * 2, 0),
    ([100, {}, 200, 6], ["a value of the point is not an integer but object"], 1),
    ([100, 2**63, 200, 6], ["a value of the point is an integer beyond 2^53"], 1),
    ([100, 2**53 + 1, 200, 6], ["a value of the point is an integer beyond 2^53"], 1),
    ([100, 2**70, 200, 6], ["a value of the point is not an integer but decimal number"], 1),
    ([-1, 5, 200, 6], ["time is -1: Keepa minutes from 0 (2011) to 46810079 (2099) are allowed"], 1),
    ([46_810_080, 5, 8_075_779, 6], ["time is 46810080: Keepa minutes from"], 1),
    ([8_075_780, 5, 8_075_779, 6], ["observed_at is 2026-05-10 04:20:00: later than snapshot_at"], 1),
    ([100, -2, 200, -1], ["price is -2: at least -1 is allowed"], 1),
    ([100, 100_000_001, 200, 5], ["price is 100000001: at most 100000000 is allowed where currency is USD"], 1),
]


@pytest.mark.parametrize(("history", "reasons", "rows"), POINTS, ids=[str(history) for history, *_ in POINTS])
def test_a_bad_point_goes_alone(history, reasons, rows):
    price = decoded(product(csv=csv(_0=history, _1=[100, 7])))["price"]
    assert price.records_in == rows + len(reasons) + 1
    assert price.readable == rows + 1
    for reason, (found, _) in zip(sorted(reasons), sorted(rejections(price)), strict=True):
        assert found.startswith(reason) or (reason.startswith("…") and found.endswith(reason[1:]))


@pytest.mark.parametrize(
    ("field", "value", "table", "reason"),
    [
        ("csv", [5], "price", "AMAZON is not a list but integer"),
        ("csv", [None] * 7 + [{"a": [1]}], "price", "NEW_FBM_SHIPPING is not a list but object"),
        ("csv", [None] * 36 + [[1, 2]], "price", "unknown series 36"),
        ("csv", [None] * 17 + ["x"], "review", "COUNT_REVIEWS is not a list but text"),
        ("salesRanks", [1], "rank", "salesRanks is not an object but list"),
        ("salesRanks", {"12": 5}, "rank", "salesRanks[12] is not a list but integer"),
        ("salesRanks", {"main": [1, 2]}, "rank", "category is 'main': a number is allowed"),
        ("salesRanks", {"-5": [1, 2]}, "rank", "category_id is -5: at least 0 is allowed"),
        ("salesRanks", {"5": [1, -2]}, "rank", "sales_rank is -2: at least -1 is allowed"),
        ("monthlySoldHistory", {}, "monthly_sold", "monthlySoldHistory is not a list but object"),
        ("monthlySoldHistory", [1], "monthly_sold", "incomplete point"),
        ("buyBoxSellerIdHistory", "x", "buy_box", "buyBoxSellerIdHistory is not a list but text"),
        ("buyBoxSellerIdHistory", ["5"], "buy_box", "incomplete point"),
        ("buyBoxSellerIdHistory", ["five", "A"], "buy_box", "time is 'five'"),
        ("buyBoxSellerIdHistory", ["5", 7], "buy_box", "seller id is not a text but integer"),
        ("buyBoxSellerIdHistory", ["5", ""], "buy_box", "seller_id is '': must match -[12]|[A-Z0-9]"),
        ("buyBoxSellerIdHistory", ["-5", "A"], "buy_box", "time is -5: Keepa minutes"),
        ("stats", [], "stats", "stats is not an object but list"),
        ("stats", {"current": 5}, "stats", "current is not a list but integer"),
        ("stats", {"avg30": [1.5]}, "stats", "value is not an integer but decimal number"),
        ("stats", {"min": [[1, 2, 3]]}, "stats", "value is not an integer but list"),
        ("stats", {"max": [["1", 2]]}, "stats", "time is '1'"),
        ("stats", {"share": 0.5}, "stats", "value is not an integer but decimal number"),
        ("stats", {"avg": [None] * 36 + [1, 2]}, "stats", "figures of unknown series, beyond 35"),
    ],
)
def test_a_bad_part_is_one_rejection_of_its_table(field, value, table, reason):
    result = decoded(product(**{field: value}))
    ((found, record),) = rejections(result[table])
    assert found.startswith(reason)
    assert json.loads(record)
    assert result[table].readable == 0
    assert sum(other.records_in for other in result.values()) == 3  # the product and its state, and the piece
    assert result[table].quarantined[0].entity == ASIN


def test_a_record_is_cut_and_stays_readable():
    result = decoded(product(csv=[None] * 36 + [list(range(5000))]))
    ((_, record),) = rejections(result["price"])
    assert len(record) == RECORD_LIMIT
    assert record.startswith("[0,1,2,")
    assert record.endswith("…")


def test_the_refresh_counter_may_be_negative_and_offer_counts_may_not():
    counts = decoded(product(csv=csv(_15=[100, -3], _11=[100, -3])))["offer_count"]
    assert [row["value"] for row in counts.rows.to_pylist() if row["series"] == "EXTRA_INFO_UPDATES"] == [-3]
    assert [reason for reason, _ in rejections(counts)] == [
        "value is -3: at least -1 is allowed where series is COUNT_.*"
    ]


def test_null_histories_are_absent():
    nulls = dict.fromkeys(("csv", "salesRanks", "monthlySoldHistory", "buyBoxSellerIdHistory", "stats"))
    result = decoded(product(**nulls))
    assert {name for name, table in result.items() if table.records_in} == {"product", "product_state"}


@pytest.mark.parametrize(("price", "shipping", "total"), [(500, 40, 540), (500, 0, 500), (500, -1, 500), (-1, -1, -1)])
def test_landed_price(price, shipping, total):
    (row,) = decoded(product(csv=csv(_18=[100, price, shipping])))["price"].rows.to_pylist()
    assert (row["price"], row["shipping"], row["landed_price"]) == (price, shipping, total)


def test_a_series_without_shipping_has_null():
    (row,) = decoded(product(csv=csv(_1=[100, 500])))["price"].rows.to_pylist()
    assert (row["shipping"], row["landed_price"], row["currency"]) == (None, 500, "USD")


def test_figures_are_given_as_they_are():
    stats = {
        "current": [-1, 1499, None],
        "min": [None, [8009716, 1499], [-1, -1], -1],
        "salesRankDrops30": 35,
        "buyBoxIsFBA": True,
        "buyBoxSellerId": "A1",
        "lightningDealInfo": [1, 2],
        "isLowest": [False, True],
        "avg": None,
    }
    rows = decoded(product(stats=stats))["stats"].rows.to_pylist()
    assert [(row["stat"], row["series"], row["value"], str(row["value_at"])) for row in rows] == [
        ("current", "AMAZON", -1, "None"),
        ("current", "NEW", 1499, "None"),
        ("min", "NEW", 1499, "2026-03-25T07:16:00".replace("T", " ")),
        ("min", "SALES", -1, "None"),
        ("min", "USED", -1, "None"),
        ("salesRankDrops30", "PRODUCT", 35, "None"),
    ]
