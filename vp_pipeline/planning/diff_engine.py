"""What a diff needs of a warehouse's engine: a copy to build on, and both sides to compare.

Here: the interface, and how tables of either side are named and read. Not here: how an engine does it
(`diff_duckdb.py`, `diff_snowflake.py`), and what is compared (`diff_tables.py`, `diff_metrics.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.loading import Warehouse

# What is published, and what the code would make.
Side = Literal["before", "after"]
BEFORE: Side = "before"
AFTER: Side = "after"
# The columns of a table and their types, in order.
Shape = Mapping[str, str]


@dataclass(frozen=True)
class Copy:
    """A copy of the warehouse. `settings`: those with which dbt builds on it."""

    settings: Settings
    warehouse: Warehouse


@dataclass(frozen=True)
class Sides:
    """The publication and a warehouse, open for reading; tables are named `schema.name` on both.

    `relation`: the name of a side's table in a statement. `shapes`: of the tables of each side; views are none.
    `content`: the query for the rows of a relation and a checksum of them in any order. `quote`: around the name of a
    column. `unknown`: what is raised where a table or column is not there.
    """

    connection: Connection
    relation: Callable[[Side, str], str]
    shapes: Mapping[Side, Mapping[str, Shape]]
    content: str
    quote: str
    unknown: type[Exception]

    def shape(self, side: Side, table: str) -> Shape:
        """The columns of a table; none: there is no such table."""
        return self.shapes[side].get(table, {})

    def contents(self, side: Side, table: str) -> tuple[int, str]:
        """How many rows a table has, and a checksum of them in any order."""
        ((count, checksum),) = self.rows(self.content.format(self.relation(side, table)))
        return int(count), str(checksum)

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        found: Sequence[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def quoted(self, column: str) -> str:
        return f"{self.quote}{column.replace(self.quote, self.quote * 2) if self.quote else column}{self.quote}"


class Engine(Protocol):
    """What differs between warehouses."""

    @property
    def warehouse(self) -> Warehouse: ...

    @property
    def marts(self) -> PublishedMarts:
        """What consumers read."""
        ...

    def copy(self) -> AbstractContextManager[Copy]:
        """A copy of the warehouse as it is between two runs; nothing is left of it after the block, whatever happens
        in it. What a killed diff left is removed first.

        Raises:
            TransientError: a run holds the warehouse, or another diff is running.
        """
        ...

    def sides(self, copy: Copy | None) -> AbstractContextManager[Sides]:
        """The publication, and the copy; None: and the warehouse itself.

        Raises:
            TransientError: another process holds one of them.
        """
        ...


def shapes_of(rows: Sequence[tuple[Any, ...]]) -> Mapping[str, Shape]:
    """The shapes of tables from rows of (table, column, type), in order of the columns."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found
