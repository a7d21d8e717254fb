"""Comparing one table as it is published with the same table as the code would make it, by key.

Here: the queries on a DuckDB connection that has both databases attached, as `before` and `after`. Not here: which
tables are compared (`diff.py`), and how it looks (`diff_markdown.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from vp_pipeline.warehouse.connection import Connection

BEFORE, AFTER = "before", "after"
_EXAMPLES = 3
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")

# Values as text, so that they look the same everywhere; None is null.
Values = tuple[str | None, ...]
# The columns of a table and their types, in order.
Shape = Mapping[str, str]


@dataclass(frozen=True)
class Example:
    """One value that changed. `key`: of the row, in the order of the table's key."""

    key: Values
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ColumnChange:
    """A column that is there before and after: how many rows have another value, with the first of them by key."""

    column: str
    rows: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Rows:
    """Rows on one side only: how many, with the first keys."""

    count: int = 0
    examples: tuple[Values, ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """What differs in a table, by `schema.name`.

    `key`: what rows are matched by; empty where the table has no key that is unique on both sides: a changed row is
    then one row added and one removed. `changed`: rows of which a column has another value. `columns`: of those that
    are there before and after. `new_columns` and `dropped_columns`: (name, type). `retyped_columns`: (name, type
    before, type after). Rows are None where there is no table.
    """

    table: str
    status: Literal["new", "dropped", "changed", "same"]
    key: tuple[str, ...] = ()
    rows_before: int | None = None
    rows_after: int | None = None
    added: Rows = Rows()
    removed: Rows = Rows()
    changed: int = 0
    columns: tuple[ColumnChange, ...] = ()
    new_columns: tuple[tuple[str, str], ...] = ()
    dropped_columns: tuple[tuple[str, str], ...] = ()
    retyped_columns: tuple[tuple[str, str, str], ...] = ()

    @property
    def differs(self) -> bool:
        return self.status != "same"


def table_diff(connection: Connection, table: str, key: Sequence[str]) -> TableDiff | None:
    """Compares `table`; None: it is on neither side. `key`: the columns of its grain."""
    before, after = _shape(connection, BEFORE, table), _shape(connection, AFTER, table)
    if not before and not after:
        return None
    if not before or not after:
        found = TableDiff(table, "new" if after else "dropped")
    elif not differs(connection, table):
        found = TableDiff(table, "same", tuple(key))
    else:
        comparison = _Comparison(connection, table, tuple(key), before, after)
        found = comparison.by_key() if comparison.has_key() else comparison.by_row()
    return replace(
        found,
        rows_before=_content(connection, BEFORE, table)[0] if before else None,
        rows_after=_content(connection, AFTER, table)[0] if after else None,
        new_columns=tuple(item for item in after.items() if item[0] not in before),
        dropped_columns=tuple(item for item in before.items() if item[0] not in after),
        retyped_columns=tuple(
            (name, before[name], kind) for name, kind in after.items() if name in before and before[name] != kind
        ),
    )


def differs(connection: Connection, table: str) -> bool:
    """Whether the table has other columns or rows on one side, or is there on one side only."""
    before, after = _shape(connection, BEFORE, table), _shape(connection, AFTER, table)
    if before != after or list(before) != list(after):
        return True
    return bool(before) and _content(connection, BEFORE, table) != _content(connection, AFTER, table)


def _shape(connection: Connection, side: str, table: str) -> Shape:
    """The columns of a table on one side; none: there is no such table, or it is a view."""
    schema, _, name = table.partition(".")
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = ? and schema_name = ? "
        "and table_name = ? and table_oid in (select table_oid from duckdb_tables() where database_name = ?) "
        "order by column_index",
        [side, schema, name, side],
    ).fetchall()
    return dict(found)


def _content(connection: Connection, side: str, table: str) -> tuple[int, str]:
    """How many rows there are, and a checksum of them in any order."""
    count, checksum = connection.execute(
        f"select count(*), sum(hash(content)) from {_relation(side, table)} as content"
    ).fetchone()
    return int(count), str(checksum)


@dataclass(frozen=True)
class _Comparison:
    """A table on both sides, of which something differs."""

    connection: Connection
    table: str
    key: tuple[str, ...]
    before: Shape
    after: Shape

    def has_key(self) -> bool:
        """Whether the key is there on both sides and is unique on both."""
        if not self.key or not all(name in self.before and name in self.after for name in self.key):
            return False
        columns = ", ".join(map(_quoted, self.key))
        return not any(
            self._all(f"select 1 from {_relation(side, self.table)} group by {columns} having count(*) > 1 limit 1")
            for side in (BEFORE, AFTER)
        )

    def by_key(self) -> TableDiff:
        compared = [name for name in self.after if name in self.before and name not in self.key]
        differs = {name: "{} is distinct from {}".format(*self._sides(name)) for name in compared}
        in_both = "b.is_in_before and a.is_in_after"
        any_differs = " or ".join(differs.values()) or "false"
        conditions = [
            "b.is_in_before is null",
            "a.is_in_after is null",
            f"{in_both} and ({any_differs})",
            *(f"{in_both} and {condition}" for condition in differs.values()),
        ]
        counts = ", ".join(f"coalesce(sum(case when {condition} then 1 else 0 end), 0)" for condition in conditions)
        ((added, removed, changed, *of_columns),) = self._all(f"select {counts} from {self._joined()}")
        columns = (
            ColumnChange(name, int(rows), tuple(self._examples(name, f"{in_both} and {differs[name]}")))
            for name, rows in zip(compared, of_columns, strict=True)
            if rows
        )
        return TableDiff(
            self.table,
            "changed",
            key=self.key,
            added=Rows(int(added), self._first("a", conditions[0]) if added else ()),
            removed=Rows(int(removed), self._first("b", conditions[1]) if removed else ()),
            changed=int(changed),
            columns=tuple(columns),
        )

    def by_row(self) -> TableDiff:
        """Without a key a row is what its columns are."""
        compared = ", ".join(f"cast({_quoted(name)} as varchar)" for name in self.after if name in self.before)
        sides = [f"select {compared or '1'} from {_relation(side, self.table)}" for side in (BEFORE, AFTER)]
        ((removed,),) = self._all(f"select count(*) from ({sides[0]} except all {sides[1]})")
        ((added,),) = self._all(f"select count(*) from ({sides[1]} except all {sides[0]})")
        return TableDiff(self.table, "changed", added=Rows(int(added)), removed=Rows(int(removed)))

    def _examples(self, column: str, condition: str) -> Iterator[Example]:
        for *key, before, after in self._first("a", condition, f"b.{_quoted(column)}", f"a.{_quoted(column)}"):
            yield Example(tuple(key), before, after)

    def _first(self, side: str, condition: str, *more: str) -> tuple[Values, ...]:
        """The key of the first rows for which `condition` is true, and `more` of them."""
        key = [f"{side}.{_quoted(name)}" for name in self.key]
        columns = ", ".join(f"cast({expression} as varchar)" for expression in [*key, *more])
        first = f"where {condition} order by {', '.join(key)} limit {_EXAMPLES}"
        return tuple(self._all(f"select {columns} from {self._joined()} {first}"))

    def _joined(self) -> str:
        same_key = " and ".join(f"{b} is not distinct from {a}" for b, a in map(self._sides, self.key))
        return (
            f"(select *, true as is_in_before from {_relation(BEFORE, self.table)}) as b "
            f"full join (select *, true as is_in_after from {_relation(AFTER, self.table)}) as a on {same_key}"
        )

    def _sides(self, column: str) -> tuple[str, str]:
        """The column on both sides, so that its values can be compared: as text where its type is another kind."""
        before, after, name = self.before[column], self.after[column], _quoted(column)
        if before == after or (before.startswith(_NUMBERS) and after.startswith(_NUMBERS)):
            return f"b.{name}", f"a.{name}"
        return f"cast(b.{name} as varchar)", f"cast(a.{name} as varchar)"

    def _all(self, query: str) -> Sequence[tuple[Any, ...]]:
        found: Sequence[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found


def _relation(side: str, table: str) -> str:
    schema, _, name = table.partition(".")
    return f"{side}.{_quoted(schema)}.{_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
