"""Airbyte's envelope: when a record was extracted, and what was changed in it."""

from datetime import datetime
from decimal import Decimal

import pytest

from vp_pipeline.sources.envelope import alterations, extraction_time

NOON = datetime(2026, 3, 10, 12)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_773_144_000_000, NOON),
        (Decimal("1773144000000.25"), datetime(2026, 3, 10, 12, 0, 0, 250)),
        ("2026-03-10T12:00:00Z", NOON),
        ("2026-03-10T14:00:00+02:00", NOON),
        ("2026-03-10T12:00:00", NOON),  # no zone: UTC
        (True, None),
        (0, None),
        (-1, None),
        ("yesterday", None),
        (10**30, None),
        (float("nan"), None),
        ("2100-01-01T00:00:00Z", None),
        (None, None),
        ([], None),
    ],
)
def test_the_time_of_extraction(value: object, expected: datetime | None) -> None:
    assert extraction_time(value) == expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (None, ""),
        ({}, ""),
        ({"changes": None}, ""),
        ({"changes": []}, ""),
        ({"changes": [{"field": "csv", "change": "NULLED", "reason": "SIZE"}, "x"]}, "csv NULLED (SIZE), x"),
        ([], "_airbyte_meta is not an object but list"),
        ({"changes": {}}, "_airbyte_meta.changes is not a list but dict"),
        ({"changes": 0}, "_airbyte_meta.changes is not a list but int"),
    ],
)
def test_what_airbyte_changed_and_what_cannot_be_read_is_reported(meta: object, expected: str) -> None:
    assert alterations(meta) == expected
