"""ScraperAPI's responses as rows: what is read, and what is rejected instead of guessed."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from vp_pipeline.sources.landed import ALTERED, LandedLine
from vp_pipeline.sources.scraperapi.inspection import inspect
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES
from vp_pipeline_tests.sources.scraperapi.page_lines import ASIN, decoded, landed, page, reasons


def test_a_page_is_a_row() -> None:
    (row,) = decoded([landed(page())]).rows.to_pylist()
    assert row == {
        "country": "US",
        "asin": ASIN,
        "snapshot_at": datetime(2026, 11, 26, 0, 10),
        "title": "Snorkel Mask",
        "brand": "Visit the Example Store",
        "seller": "Example Trading",
        "ships_from": "Amazon.com",
        "availability": "In Stock",
        "currency": "USD",
        "price": Decimal("18.31"),
        "list_price": Decimal("1022.50"),
        "rating": Decimal("4.60"),
        "reviews": 8218,
    }


def test_what_a_page_does_not_have_is_null() -> None:
    (row,) = decoded([landed({"name": "Mask", "pricing": "", "requested": f"DE:{ASIN}"})]).rows.to_pylist()
    assert {name for name, value in row.items() if value is not None} == {"country", "asin", "snapshot_at", "title"}


@pytest.mark.parametrize("country", MARKETPLACES)
def test_the_example_of_each_marketplace_is_a_price(country: str) -> None:
    found = MARKETPLACES[country].price(MARKETPLACES[country].example)
    assert found in (Decimal("1299.99"), Decimal("1299"), Decimal("129999.00"))


@pytest.mark.parametrize(
    ("country", "text", "amount"),
    [
        ("US", "$0.99", "0.99"),
        ("US", "$12345.00", "12345.00"),
        ("US", "$1,234,567.89", "1234567.89"),
        ("DE", "12,99\u00a0€", "12.99"),
        ("DE", "1.234.567,89 €", "1234567.89"),
        ("FR", "1\u202f299,00\u00a0€", "1299.00"),
        ("JP", "¥980", "980"),
        ("IN", "₹12,34,567.00", "1234567.00"),
        ("BR", "R$\u00a049,90", "49.90"),
    ],
)
def test_a_price_is_read_as_its_marketplace_writes_it(country: str, text: str, amount: str) -> None:
    assert MARKETPLACES[country].price(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("US", "$39.99 - $49.99"),  # a range: of a variation nobody has chosen
        ("US", "18.31"),  # without a currency it may be of any
        ("US", "€18.31"),
        ("US", "$18,31"),
        ("US", "$18.3"),
        ("US", "$1,83.10"),
        ("US", "$ -1.00"),
        ("US", "FREE"),
        ("US", "$1,234,567,890.00"),
        ("DE", "12.99 €"),
        ("DE", "€12,99"),
        ("DE", "1299 €"),
        ("JP", "￥1,299.00"),
        ("JP", "￥1299,99"),
        ("GB", "$1.00"),
        ("US", "$١٢.٣٤"),  # digits of another script
    ],
)
def test_another_form_is_no_price_and_is_not_guessed(country: str, text: str) -> None:
    found = decoded([landed(page(f"{country}:{ASIN}", pricing=text, list_price=None))])
    assert found.rows.num_rows == 0
    (rejected,) = found.quarantined
    expected = f"pricing is {text!r}, and not one price as amazon.{MARKETPLACES[country].tld} writes it"
    assert rejected.reason.startswith(expected)
    assert rejected.entity == f"{country}:{ASIN}"
    assert text in rejected.record


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": None}, "name is missing: this is not the page of a product"),
        ({"name": ""}, "name is missing"),
        ({"name": 7}, "name is 7, and not a text"),
        ({"pricing": 18.31}, "pricing is 18.31, and not a text"),
        ({"average_rating": "4.6 out of 5"}, "average_rating is '4.6 out of 5', and not a number of stars"),
        ({"average_rating": 46}, "average_rating is 46"),
        ({"average_rating": 5.5}, "rating is 5.50: at most 5 is allowed"),
        ({"average_rating": True}, "average_rating is True"),
        ({"total_reviews": "8,218"}, "total_reviews is '8,218', and not a whole number"),
        ({"total_reviews": -1}, "reviews is -1: at least 0 is allowed"),
        (
            {"product_information": {"asin": "B002MUPY3E"}},
            "the page is of B002MUPY3E, and not of the product requested",
        ),
        ({"requested": None}, "the record does not name the product that was requested"),
        ({"requested": "XX:B0D4M48BM2"}, "the record does not name the product that was requested"),
        ({"requested": "US:B0"}, "asin is 'B0': must match"),
    ],
)
def test_a_field_that_cannot_be_read_rejects_the_page(fields: dict[str, Any], reason: str) -> None:
    found = decoded(
        [
            landed({**page(), "product_information": None, **fields}),
            landed(page("GB:B0D4M48BM3", pricing="£1.00", list_price=None), 2),
        ]
    )
    assert [row["asin"] for row in found.rows.to_pylist()] == ["B0D4M48BM3"]
    assert len(found.quarantined) == 1
    assert reason in found.quarantined[0].reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "line is not JSON"),
        (b"[]", "not a record of Airbyte"),
        (b'{"_airbyte_data": 1}', "_airbyte_data is not an object"),
        (b'{"_airbyte_data": {}, "_airbyte_extracted_at": "soon"}', "_airbyte_extracted_at is neither"),
    ],
)
def test_a_line_without_a_page_is_rejected(text: bytes, reason: str) -> None:
    (found,) = reasons(decoded([LandedLine("a", 1, text)]))
    assert found.startswith(reason)


def test_a_page_that_airbyte_has_changed_is_rejected_and_counted() -> None:
    changed = landed(page(), _airbyte_meta={"changes": [{"field": "x", "change": "NULLED", "reason": "SIZE"}]})
    assert reasons(decoded([changed]))[0].startswith(ALTERED)
    assert inspect([changed, landed(page(), 2)]).altered == 1


def test_a_page_of_before_the_day_was_over_is_rejected() -> None:
    late, early = datetime(2026, 11, 26, 0, 11, tzinfo=UTC), datetime(2026, 11, 26, 0, 10, tzinfo=UTC)
    assert "before the day was over" in reasons(decoded([landed(page())], late))[0]
    assert reasons(decoded([landed(page())], early)) == []


def test_repeated_pages_are_counted_and_of_two_of_a_moment_the_later_counts() -> None:
    lines = [
        landed(page(), 1),
        landed(page(), 2),
        landed(page(pricing="$19.00"), 3),
        landed(page(), 4, 1_795_651_860_000),
    ]
    for order in (lines, lines[::-1]):
        found = decoded(order)
        assert [str(row["price"]) for row in found.rows.to_pylist()] == ["19.00", "18.31"]
        assert (found.duplicates, len(found.quarantined)) == (0, 2)
    assert decoded([landed(page(), 1), landed(page(), 2)]).duplicates == 1


def test_what_came_is_counted_by_product() -> None:
    other = page("GB:B0D4M48BM3", product_information={"asin": "B000000009"}, coupon="10 %")
    found = inspect([landed(page(), 1), landed(other, 2), LandedLine("a", 3, b"{")])
    assert (found.records, dict(found.unexpected)) == (3, {"coupon": 1})
    first, second = found.received
    assert (first.entity, first.requested, first.is_of_request) == (f"US:{ASIN}", f"US:{ASIN}", True)
    assert (second.entity, second.requested, second.is_of_request) == ("GB:B000000009", "GB:B0D4M48BM3", False)
    assert first.at == datetime(2026, 11, 26, 0, 10, tzinfo=UTC)
