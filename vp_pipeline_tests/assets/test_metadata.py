"""What the UI shows of rows: the newest first, and every character as it is."""

import dagster as dg
import duckdb

from vp_pipeline.assets.metadata import model_preview


def test_a_preview_of_a_mart_has_its_newest_days_and_no_markup() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema mart")
        connection.execute(
            "create table mart.mart_product_daily as select '1-A' as product_key, "
            "date '2026-03-01' + n::integer as observed_date, '<b>a|b* `c` [d]' as current_title from range(9) as t(n)"
        )
        shown = model_preview(
            connection, dg.AssetKey(["mart", "mart_product_daily"]), ("product_key", "observed_date")
        ).md_str
        empty = connection.execute("create table mart.mart_deals (product_key varchar)")
        nothing = model_preview(empty, dg.AssetKey(["mart", "mart_deals"]), ("product_key",)).md_str
    head, _, *rows = (shown or "").splitlines()
    assert head == "| product_key | observed_date | current_title |"
    assert [row.split(" | ")[1] for row in rows] == [f"2026-03-0{n}" for n in (9, 8, 7, 6, 5)]
    assert rows[0].endswith(r"| \<b>a\|b\* \`c\` \[d] |")
    assert nothing == "*No rows.*"
