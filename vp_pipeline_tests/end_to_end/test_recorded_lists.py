"""What recorded answers list of a product, and its coupons, parents and used buy box, from the answers to the marts.

Made-up answers and real ones, read with json alone: nothing here is of the pipeline but its result.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline_tests.conftest import Pipeline
from vp_pipeline_tests.end_to_end.test_recorded_product_fields import YEN, answers, rows

pytestmark = pytest.mark.integration

CONDITIONS = {"2": "like_new", "3": "very_good", "4": "good", "5": "acceptable"}
Who = tuple[str, int]


@pytest.fixture(scope="module")
def by_age(recordings: Path) -> list[tuple[datetime, dict[str, Any]]]:
    """(moment, product), the newest last."""
    return sorted(answers(recordings), key=lambda each: each[0])


@pytest.fixture(scope="module")
def newest(by_age: list[tuple[datetime, dict[str, Any]]]) -> dict[Who, dict[str, Any]]:
    return {who(product): product for _, product in by_age}


def who(product: dict[str, Any]) -> Who:
    return product["asin"], product["domainId"]


def moment(minute: Any) -> datetime:
    return datetime(2011, 1, 1) + timedelta(minutes=int(minute))


def numbers(product: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, kind in (("eanList", "EAN"), ("upcList", "UPC"), ("gtinList", "GTIN")):
        yield from ((kind, number) for number in product.get(name) or [])
    if product.get("partNumber"):
        yield "PART_NUMBER", product["partNumber"]


def images(product: dict[str, Any]) -> list[dict[str, Any]]:
    return product.get("images") or [{"l": name} for name in (product.get("imagesCSV") or "").split(",") if name]


def test_every_number_and_which_of_them_the_newest_answer_lists(recorded: Pipeline, by_age: Any, newest: Any) -> None:
    listed = {(*who(product), *number) for _, product in by_age for number in numbers(product)}
    current = {(*each, *number) for each, product in newest.items() for number in numbers(product)}
    found = {
        (row["asin"], row["domain_id"], row["kind"], row["identifier"]): row["is_current"]
        for row in rows(recorded, "dim_product_identifier")
    }
    assert set(found) == listed
    assert {key for key, is_current in found.items() if is_current} == current


def test_every_image_with_its_sizes(recorded: Pipeline, by_age: Any, newest: Any) -> None:
    expected: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for _, product in by_age:
        for position, image in enumerate(images(product), start=1):
            medium = (image.get("m"), image.get("mW"), image.get("mH"))
            large = (image["l"], image.get("lW"), image.get("lH")) if "l" in image else medium
            expected[*who(product), position] = (*large, *medium)
    names = ("image", "image_width", "image_height", "medium_image", "medium_width", "medium_height")
    found = rows(recorded, "dim_product_image")
    assert {(r["asin"], r["domain_id"], r["position"]): tuple(r[name] for name in names) for r in found} == expected
    assert all(row["image_url"] == f"https://m.media-amazon.com/images/I/{row['image']}" for row in found)
    current = {(r["asin"], r["domain_id"], r["position"]) for r in found if r["is_current"]}
    assert current == {(*each, n) for each, p in newest.items() for n in range(1, len(images(p)) + 1)}


def test_every_variation_is_in_its_family(recorded: Pipeline, newest: Any) -> None:
    expected: dict[tuple[int, str, str], dict[str, str]] = {}
    for (asin, domain), product in newest.items():
        listed = product.get("variations") or [
            {"asin": each} for each in (product.get("variationCSV") or "").split(",") if each
        ]
        family = product.get("parentAsin") or asin
        if product.get("parentAsin"):
            expected.setdefault((domain, family, asin), {})
        for member in listed:
            named = {each["dimension"]: each["value"] for each in member.get("attributes") or []}
            expected[domain, family, member["asin"]] = named
    found = rows(recorded, "mart_product_family")
    shown = {(r["domain_id"], r["family_asin"], r["asin"]): json.loads(r["attributes"] or "{}") for r in found}
    assert shown == expected
    assert {(r["asin"], r["domain_id"]) for r in found if r["product_key"]} == {
        (asin, domain) for domain, _, asin in expected if (asin, domain) in newest
    }


def test_everything_that_is_bought_with_it(recorded: Pipeline, by_age: Any, newest: Any) -> None:
    def others(product: dict[str, Any]) -> list[str]:
        return product.get("frequentlyBoughtTogether") or []

    listed = {(*who(product), other) for _, product in by_age for other in others(product)}
    current = {(*each, other) for each, product in newest.items() for other in others(product)}
    found = rows(recorded, "mart_bought_together")
    assert {(row["asin"], row["domain_id"], row["other_asin"]) for row in found} == listed
    assert {(row["asin"], row["domain_id"], row["other_asin"]) for row in found if row["is_current"]} == current


def test_every_coupon(recorded: Pipeline, by_age: Any) -> None:
    """A later answer that lacks the history was not asked for it."""
    expected = {}
    for _, product in by_age:
        history, domain = product.get("couponHistory") or [], product["domainId"]
        for at, *coupon in zip(*(history[n::3] for n in range(3)), strict=True):
            if any(coupon):
                unit = 1 if domain == YEN else 100
                amounts = [Decimal(value) / unit if value > 0 else None for value in coupon]
                shares = [-value if value < 0 else None for value in coupon]
                expected[*who(product), moment(at)] = (*amounts, *shares)
    names = ("one_time_amount", "subscribe_and_save_amount", "one_time_percent", "subscribe_and_save_percent")
    found = rows(recorded, "fct_coupon")
    assert {(r["asin"], r["domain_id"], r["started_at"]): tuple(r[name] for name in names) for r in found} == expected
    assert expected


def test_every_parent_and_every_holder_of_the_used_buy_box(recorded: Pipeline, by_age: Any) -> None:
    parents, holders = {}, {}
    for _, product in by_age:
        history = product.get("parentAsinHistory") or []
        for at, parent in zip(history[::2], history[1::2], strict=True):
            parents[*who(product), moment(at)] = None if parent == "-1" else parent
        history = product.get("buyBoxUsedHistory") or []
        for at, seller, condition, fba in zip(*(history[n::4] for n in range(4)), strict=True):
            if seller:
                holders[*who(product), moment(at)] = (seller, CONDITIONS[condition], fba == "1")
    found = rows(recorded, "dim_product_parent")
    assert {(row["asin"], row["domain_id"], row["valid_from"]): row["parent_asin"] for row in found} == parents
    used = rows(recorded, "fct_buy_box_used")
    assert {
        (r["asin"], r["domain_id"], r["started_at"]): (r["seller_id"], r["offer_condition"], r["is_fba"]) for r in used
    } == holders
    assert parents
    assert holders
