"""The rows that failed a dbt test: in words, and recorded."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.dbt.data_tests import MEANINGS, DataTest, data_tests
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.quality.failing_rows import in_words, record
from vp_pipeline.sources.keepa.source import ORACLE
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline_tests.conftest import pipeline_settings

KEY = {"product_key": "1-B0MADEUP00", "series": "NEW", "observed_date": date(2026, 3, 14)}
WHOSE = "1-B0MADEUP00 NEW 2026-03-14"
ONE, TWO = date(2026, 3, 13), date(2026, 3, 14)


def a_test(kind: str, name: str = "t", **arguments: Any) -> DataTest:
    return DataTest(name, kind, "fct", "mart", "m", True, "w", kind, arguments, tuple(KEY))


@pytest.mark.parametrize(
    ("test", "row", "expected"),
    [
        (a_test("unique_combination", columns=[*KEY]), {**KEY, "number_of_rows": 2}, f"{WHOSE}: 2 rows, expected 1"),
        (
            a_test("not_null_columns", columns=["price"]),
            {**KEY, "price": None},
            f"{WHOSE}: price is null, expected a value",
        ),
        (
            a_test("relationships", column_name="seller_id", to="ref('dim_seller')", field="seller_id"),
            {**KEY, "seller_id": "A1"},
            f"{WHOSE}: seller_id A1, expected a seller_id of dim_seller",
        ),
        (
            a_test("every_day_once", history=["product_key"], date_column="observed_date"),
            {
                "product_key": "1-B0MADEUP00",
                "first_date": ONE,
                "last_date": TWO,
                "number_of_rows": 3,
                "number_of_days": 2,
            },
            "1-B0MADEUP00: 3 rows on 2 days of 2026-03-13 to 2026-03-14, expected one on each",
        ),
        (
            a_test(
                "opens_where_it_closed", history=["product_key"], open_column="open_rank", close_column="close_rank"
            ),
            {**KEY, "open_rank": 5, "close_before": 7},
            f"{WHOSE}: open_rank 5, expected 7, as the row before closed",
        ),
        (
            a_test("accepted_values", column_name="state", values=["won", "lost"]),
            {"value_field": "new", "n_records": 4},
            "state new in 4 rows, expected one of won, lost",
        ),
        (
            a_test("always_true", conditions=["low <= high"]),
            {**KEY, "low": 900, "high": 800, "other": 1, "broken_condition": "low <= high"},
            f"{WHOSE}: low 900, high 800, expected low <= high",
        ),
        (
            a_test("always_true", ORACLE.agrees, conditions=[]),
            {**KEY, "figure": "avg", "our_value": 5, "keepa_value": 6, "finding": "differs"},
            "1-B0MADEUP00 NEW avg: ours 5, Keepa's 6 (differs)",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, DataTest) else "",
)
def test_a_row_in_words_has_whose_it_is_our_value_and_what_was_expected(
    test: DataTest, row: dict[str, Any], expected: str
) -> None:
    assert in_words(test, row) == expected


def test_every_test_of_the_project_has_its_meaning_and_the_reason_of_its_severity(tmp_path: Path) -> None:
    found = data_tests(manifest_path(pipeline_settings(tmp_path)))
    assert len(found) > 150
    for test in found.values():
        assert test.kind in MEANINGS, test
        assert test.why, test
        assert test.meaning.endswith("."), test
        assert test.model, test
        assert not test.blocks if test.model in ("mon_pipeline_run", "mon_test_result") else True
    assert {test.blocks for test in found.values()} == {True, False}


def test_all_rows_are_recorded_and_a_row_once_per_run_under_the_narrowest_days(tmp_path: Path) -> None:
    """As in a search for the bad day: the first build has three days, a later one the day alone."""
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    test = a_test("unique_combination", columns=["n"])
    record(warehouse, test, "select unnest([1, 2, 3]) as n, 'a' as name", "run", [date(2026, 3, 12), ONE, TWO])
    record(warehouse, test, "select unnest([2, 3]) as n, 'a' as name", "run", [TWO])
    record(warehouse, test, "select 2 as n, 'a' as name", "another run", [TWO])
    with warehouse.connect(read_only=True) as connection:
        rows = connection.execute(
            "select run_id, first_date, last_date, layer, model, test_name, failing_row from monitoring.failing_rows "
            "order by run_id desc, failing_row"
        ).fetchall()
    of = ["mart", "fct", "t"]
    assert [[*row[:-1], json.loads(row[-1])] for row in rows] == [
        ["run", date(2026, 3, 12), TWO, *of, {"n": 1, "name": "a"}],
        ["run", TWO, TWO, *of, {"n": 2, "name": "a"}],
        ["run", TWO, TWO, *of, {"n": 3, "name": "a"}],
        ["another run", TWO, TWO, *of, {"n": 2, "name": "a"}],
    ]
