"""Comparing one table as it is published with the same table as the code would make it, by key.

Here: the queries, in the SQL that DuckDB and Snowflake both take. Not here: how either side is named and read
(`diff_engine.py`), which tables are compared (`diff.py`), and how it looks (`diff_markdown.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vp_pipeline.planning.diff_engine import AFTER, BEFORE, Shape, Side, Sides

_EXAMPLES = 3
_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "hugeint", "float", "double", "decimal", "number")

# Values as text, so that they look the same everywhere; None is null.
Values = tuple[str | None, ...]


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


def table_diff(sides: Sides, table: str, key: Sequence[str]) -> TableDiff | None:
    """Compares `table`; None: it is on neither side. `key`: the columns of its grain."""
    before, after = sides.shape(BEFORE, table), sides.shape(AFTER, table)
    if not before and not after:
        return None
    if not before or not after:
        found = TableDiff(table, "new" if after else "dropped")
    elif not differs(sides, table):
        found = TableDiff(table, "same", tuple(key))
    else:
        comparison = _Comparison(sides, table, tuple(key), before, after)
        found = comparison.by_key() if comparison.has_key() else comparison.by_row()
    return replace(
        found,
        rows_before=sides.contents(BEFORE, table)[0] if before else None,
        rows_after=sides.contents(AFTER, table)[0] if after else None,
        new_columns=tuple(item for item in after.items() if item[0] not in before),
        dropped_columns=tuple(item for item in before.items() if item[0] not in after),
        retyped_columns=tuple(
            (name, before[name], kind) for name, kind in after.items() if name in before and before[name] != kind
        ),
    )


def differs(sides: Sides, table: str) -> bool:
    """Whether the table has other columns or rows on one side, or is there on one side only."""
    before, after = sides.shape(BEFORE, table), sides.shape(AFTER, table)
    if before != after or list(before) != list(after):
        return True
    return bool(before) and sides.contents(BEFORE, table) != sides.contents(AFTER, table)


@dataclass(frozen=True)
class _Comparison:
    """A table on both sides, of which something differs."""

    sides: Sides
    table: str
    key: tuple[str, ...]
    before: Shape
    after: Shape

    def has_key(self) -> bool:
        """Whether the key is there on both sides and is unique on both."""
        if not self.key or not all(name in self.before and name in self.after for name in self.key):
            return False
        columns = ", ".join(map(self.sides.quoted, self.key))
        sides: tuple[Side, ...] = (BEFORE, AFTER)
        return not any(
            self.sides.rows(f"select 1 from {self._relation(side)} group by {columns} having count(*) > 1 limit 1")
            for side in sides
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
        ((added, removed, changed, *of_columns),) = self.sides.rows(f"select {counts} from {self._joined()}")
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
        compared = [self.sides.quoted(name) for name in self.after if name in self.before]
        values = ", ".join(f"cast({name} as varchar) as {name}" for name in compared) or "1 as nothing"
        signed = " union all ".join(
            f"select {values}, {sign} as sign from {self._relation(side)}" for side, sign in ((BEFORE, -1), (AFTER, 1))
        )
        counted = f"select sum(sign) as more from ({signed}) as signed group by {', '.join(compared) or 'nothing'}"
        ((added, removed),) = self.sides.rows(
            f"select coalesce(sum(greatest(more, 0)), 0), coalesce(sum(greatest(-more, 0)), 0) from ({counted}) as net"
        )
        return TableDiff(self.table, "changed", added=Rows(int(added)), removed=Rows(int(removed)))

    def _examples(self, column: str, condition: str) -> Iterator[Example]:
        name = self.sides.quoted(column)
        for *key, before, after in self._first("a", condition, f"b.{name}", f"a.{name}"):
            yield Example(tuple(key), before, after)

    def _first(self, side: str, condition: str, *more: str) -> tuple[Values, ...]:
        """The key of the first rows for which `condition` is true, and `more` of them."""
        key = [f"{side}.{self.sides.quoted(name)}" for name in self.key]
        columns = ", ".join(f"cast({expression} as varchar)" for expression in [*key, *more])
        first = f"where {condition} order by {', '.join(key)} limit {_EXAMPLES}"
        return tuple(self.sides.rows(f"select {columns} from {self._joined()} {first}"))

    def _joined(self) -> str:
        same_key = " and ".join(f"{b} is not distinct from {a}" for b, a in map(self._sides, self.key))
        return (
            f"(select *, true as is_in_before from {self._relation(BEFORE)}) as b "
            f"full join (select *, true as is_in_after from {self._relation(AFTER)}) as a on {same_key}"
        )

    def _sides(self, column: str) -> tuple[str, str]:
        """The column on both sides, so that its values can be compared: as text where its type is another kind."""
        before, after, name = self.before[column].lower(), self.after[column].lower(), self.sides.quoted(column)
        if before == after or (before.startswith(_NUMBERS) and after.startswith(_NUMBERS)):
            return f"b.{name}", f"a.{name}"
        return f"cast(b.{name} as varchar)", f"cast(a.{name} as varchar)"

    def _relation(self, side: Side) -> str:
        return self.sides.relation(side, self.table)
