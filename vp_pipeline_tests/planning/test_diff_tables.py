"""One table compared on both sides, on made-up databases: what is found, and that the order of rows is nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.planning.diff_duckdb import attached_sides
from vp_pipeline.planning.diff_tables import ColumnChange, Example, Rows, TableDiff, differs, table_diff

KEY = ("product", "day")
ROWS = "values ('a', date '2026-01-01', 1, 'x'), ('a', date '2026-01-02', 2, null), ('b', date '2026-01-01', 3, 'z')"
COLUMNS = "product, day, price, note"
TABLE = f"select * from ({ROWS}) as rows({COLUMNS})"


class Databases:
    """Two databases, attached to one connection as a diff has them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def compare(self, before: str | None, after: str | None, key: Sequence[str] = KEY) -> TableDiff | None:
        for side, query in (("before", before), ("after", after)):
            if query:
                self.connection.execute(f"create or replace table {side}.mart.mart_a as {query}")
        return table_diff(attached_sides(self.connection), "mart.mart_a", key)

    def changed(self, before: str, after: str, key: Sequence[str] = KEY) -> TableDiff:
        found = self.compare(before, after, key)
        assert found is not None
        assert found.status == "changed"
        return found


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Databases]:
    with duckdb.connect() as connection:
        for side in ("before", "after"):
            connection.execute(f"attach '{tmp_path / side}.duckdb' as {side}")
            connection.execute(f"create schema {side}.mart")
        yield Databases(connection)


def test_the_same_rows_in_another_order_are_no_difference(sides: Databases) -> None:
    found = sides.compare(TABLE, f"{TABLE} order by price desc")
    assert found == TableDiff("mart.mart_a", "same", KEY, 3, 3)
    assert not differs(attached_sides(sides.connection), "mart.mart_a")


def test_rows_are_matched_by_key_and_columns_counted(sides: Databases) -> None:
    after = (
        f"select product, day, price * case product when 'a' then 10 else 1 end as price, coalesce(note, 'y') as note "
        f"from ({TABLE}) where product = 'a' union all select 'c', date '2026-01-03', 9, null"
    )
    assert sides.changed(TABLE, after) == TableDiff(
        "mart.mart_a",
        "changed",
        KEY,
        3,
        3,
        added=Rows(1, (("c", "2026-01-03"),)),
        removed=Rows(1, (("b", "2026-01-01"),)),
        changed=2,
        columns=(
            ColumnChange(
                "price", 2, (Example(("a", "2026-01-01"), "1", "10"), Example(("a", "2026-01-02"), "2", "20"))
            ),
            ColumnChange("note", 1, (Example(("a", "2026-01-02"), None, "y"),)),
        ),
    )


def test_examples_are_the_first_few_by_the_order_of_the_key(sides: Databases) -> None:
    many = "select 'p' as product, date '2026-01-01' + n::int as day, n * {} as price from range(1, 30) as days(n)"
    (price,) = sides.changed(many.format(1), many.format(2)).columns
    assert price.rows == 29
    assert [example.key[1] for example in price.examples] == ["2026-01-02", "2026-01-03", "2026-01-04"]


def test_columns_come_go_and_change_their_type(sides: Databases) -> None:
    found = sides.changed(TABLE, f"select product, day, price::varchar as price, 1::bigint as more from ({TABLE})")
    assert found.new_columns == (("more", "BIGINT"),)
    assert found.dropped_columns == (("note", "VARCHAR"),)
    assert found.retyped_columns == (("price", "INTEGER", "VARCHAR"),)
    assert (found.changed, found.columns) == (0, ())  # the same values as text


def test_a_number_of_another_type_is_compared_as_a_number(sides: Databases) -> None:
    found = sides.changed(TABLE, f"select product, day, price::decimal(10, 2) as price, note from ({TABLE})")
    assert found.retyped_columns == (("price", "INTEGER", "DECIMAL(10,2)"),)
    assert found.changed == 0


def test_a_key_of_another_type_still_matches(sides: Databases) -> None:
    found = sides.changed(TABLE, f"select product, day::varchar as day, price + 1 as price, note from ({TABLE})")
    assert (found.added, found.removed, found.changed) == (Rows(), Rows(), 3)


def test_null_is_a_value_of_a_key(sides: Databases) -> None:
    table = "select null::varchar as product, date '2026-01-01' as day, {} as price"
    found = sides.changed(table.format(1), table.format(2))
    assert (found.added, found.removed, found.changed) == (Rows(), Rows(), 1)
    assert found.columns[0].examples == (Example((None, "2026-01-01"), "1", "2"),)


@pytest.mark.parametrize("key", [(), ("product",), ("product", "nonesuch")], ids=["none", "not unique", "not there"])
def test_without_a_key_whole_rows_are_compared(sides: Databases, key: tuple[str, ...]) -> None:
    found = sides.changed(TABLE, f"select * replace (price + (product = 'b')::int as price) from ({TABLE})", key)
    assert (found.key, found.added, found.removed, found.changed) == ((), Rows(1), Rows(1), 0)


def test_a_table_on_one_side_is_new_or_dropped(sides: Databases) -> None:
    assert sides.compare(None, None) is None
    new = sides.compare(None, TABLE)
    assert new is not None
    assert (new.status, new.rows_before, new.rows_after, len(new.new_columns)) == ("new", None, 3, 4)
    sides.connection.execute("drop table after.mart.mart_a")
    sides.connection.execute("create view after.mart.mart_a as select 1 as product")  # views are not published
    dropped = sides.compare(TABLE, None)
    assert dropped is not None
    assert (dropped.status, dropped.rows_before, dropped.rows_after) == ("dropped", 3, None)


def test_another_order_of_columns_is_a_difference(sides: Databases) -> None:
    found = sides.changed(TABLE, f"select note, price, day, product from ({TABLE})")
    assert (found.added, found.removed, found.changed, found.columns) == (Rows(), Rows(), 0, ())
