"""The text of a diff, on made-up ones: what a reader of a pull request sees."""

import json

from vp_pipeline.planning.diff import BuiltModel, Diff
from vp_pipeline.planning.diff_markdown import as_json, as_markdown
from vp_pipeline.planning.diff_metrics import MetricChange
from vp_pipeline.planning.diff_tables import ColumnChange, Example, Rows, TableDiff

CHANGED = TableDiff(
    "mart.mart_a",
    "changed",
    ("asin", "day"),
    1000,
    1001,
    added=Rows(2, (("A1", "2026-01-01"), ("A2", None))),
    removed=Rows(1, (("B1", "2026-01-01"),)),
    changed=3,
    columns=(ColumnChange("note", 3, (Example(("C1", "2026-01-01"), None, "a|b\nc`d`"),)),),
    new_columns=(("more", "BIGINT"),),
    retyped_columns=(("price", "INTEGER", "DOUBLE"),),
)


def test_nothing_differs() -> None:
    assert as_markdown(Diff("a-build")) == "**Nothing differs**: the code is what made the marts of build `a-build`.\n"
    assert as_json(Diff("a-build"))["differs"] is False
    assert as_markdown(Diff("a-build", unpublished=("mart.mart_a",))) == (
        "**No code differs** from what the warehouse was built with. The warehouse holds data that is not published "
        "yet, in `mart.mart_a`.\n"
    )


def test_no_row_differs() -> None:
    diff = Diff("a-build", (BuiltModel("mart_a", "SQL"),), tables=(TableDiff("mart.mart_a", "same", ("asin",), 1, 1),))
    assert as_markdown(diff).splitlines() == [
        "**No published table would change** (compared with build `a-build`).",
        "",
        "| model | why it was built |",
        "| --- | --- |",
        "| `mart_a` | SQL |",
    ]


def test_everything_that_may_differ() -> None:
    diff = Diff(
        "a-build",
        (BuiltModel("mart_a", "SQL"),),
        gone=("mart_old",),
        left_out=("mart_b",),
        unpublished=("mart.mart_a",),
        pending_days=("2026-01-02",),
        tables=(CHANGED, TableDiff("mart.mart_old", "dropped", (), 5), TableDiff("mart.mart_same", "same", (), 1, 1)),
        metrics=(MetricChange("average_price", "EUR", (("product__currency", "EUR"),), 200.0, 150.5),),
        unchanged_metrics=("deal_count",),
    )
    text = as_markdown(diff)
    for line in (
        "**2 published tables would change** (compared with build `a-build`).",
        "Gone from the project: `mart_old`.",
        "Also differ, and were not selected: `mart_b`.",
        "The warehouse holds data that is not published yet, in `mart.mart_a`: differences of these tables are not of "
        "the code alone.",
        "Loaded and not built yet: 2026-01-02. The rows of these days are in the comparison.",
        "| `mart.mart_a` | changed | 1,000 | 1,001 | 2 | 1 | 3 |",
        "| `mart.mart_old` | dropped | 5 |  | 0 | 0 | 0 |",
        "Without a difference: `mart.mart_same`.",
        "- New columns: `more` (BIGINT)",
        "- `price` is DOUBLE where it was INTEGER",
        "- Added: 2 rows, first by asin, day: `A1`, `2026-01-01`; `A2`, *null*",
        "- Removed: 1 row, first by asin, day: `B1`, `2026-01-01`",
        "| `note` | 3 | `C1`, `2026-01-01`: *null* → `a\\|b c'd'` |",
        "| `average_price` | product__currency `EUR` | 200 | 150.5 | -49.5 (-24.75%) | EUR |",
        "Unchanged: `deal_count`.",
    ):
        assert line in text.splitlines()
    assert json.loads(json.dumps(as_json(diff)))["metrics"][0]["difference"] == -49.5


def test_without_a_key_and_without_details() -> None:
    by_row = Diff("a-build", tables=(TableDiff("mart.a", "changed", (), 2, 2, Rows(1), Rows(1)),), gone=("b",))
    assert "- No key is unique on both sides: a changed row counts as one added and one removed." in as_markdown(by_row)
    reordered = Diff("a-build", tables=(TableDiff("mart.a", "changed", ("k",), 2, 2),), gone=("b",))
    assert "- Only the order of the columns differs." in as_markdown(reordered)
