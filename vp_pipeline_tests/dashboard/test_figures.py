"""Numbers and texts as the dashboard shows them."""

import pandas as pd
import pytest

from vp_pipeline.dashboard import figures


def test_money_has_the_places_of_its_currency() -> None:
    assert figures.money(1234.5, "EUR") == "1,234.50 EUR"
    assert figures.money(3050.0, "JPY") == "3,050 JPY"
    assert figures.money(pd.NA, "EUR") == figures.money(1.0, None) == figures.NOTHING


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.5, "share", "50.0%"),
        (18.3, "USD", "18.30"),
        (3050, "JPY", "3,050"),
        (125, "rank", "125"),
        (2.25, "°C", "2.25"),
    ],
)
def test_a_metric_has_the_places_of_its_unit(value: float, unit: str, shown: str) -> None:
    assert figures.figure(value, unit) == shown


def test_a_change_is_in_the_unit_that_people_expect() -> None:
    assert figures.change(0.981, 0.978, "share") == "+0.3 percentage points"
    assert figures.change(125, 133, "rank") == "-8 places"
    assert figures.change(110, 100, "units") == "+10.0%"
    assert figures.change(1, 0, "units") is None
    assert figures.change(1, pd.NA, "units") is None


def test_a_title_names_a_unit_that_the_number_does_not_show() -> None:
    assert figures.titled("Revenue", "EUR") == "Revenue (EUR)"
    assert figures.titled("In-stock rate", "share") == "In-stock rate"
    assert figures.titled("Units sold", "units") == "Units sold"


def test_durations() -> None:
    assert [figures.duration(n) for n in (0, 59, 61, 1440, 22_613, None)] == [
        "0 min",
        "59 min",
        "1 h 1 min",
        "1 d",
        "15 d 16 h",
        figures.NOTHING,
    ]


def test_texts_of_the_data_are_no_markup_and_turn_nothing_around() -> None:
    assert figures.plain("*A* [b](c) $5 <i>\nx") == "\u2068\\*A\\* \\[b\\]\\(c\\) \\$5 \\<i\\> x\u2069"
    assert figures.short("x" * 200) == "x" * 139 + "…"
    assert figures.isolated(None) == figures.NOTHING
