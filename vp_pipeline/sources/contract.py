"""The contract of a table: declared once, used by the decoder, the silver gate, the RAW columns and the docs.

Here: what a column and a table are. Not here: any particular table (`sources/<source>/tables.py`) and the code
that enforces a contract (`enforce.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class Type(Enum):
    """The types of columns. Timestamps are UTC and carry no zone: TIMESTAMP in DuckDB, TIMESTAMP_NTZ in Snowflake."""

    INT = "int64"
    TEXT = "string"
    FLAG = "bool"
    TIMESTAMP = "timestamp"
    DATE = "date"

    @property
    def arrow(self) -> "pa.DataType":
        """The type in Arrow; timestamps in microseconds."""
        # A deferred import: the contracts are read whenever the code location loads, and Arrow takes 0.2 s.
        import pyarrow as pa

        arrow: dict[str, pa.DataType] = {"int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}
        return {**arrow, "timestamp": pa.timestamp("us"), "date": pa.date32()}[self.value]

    @property
    def sql(self) -> str:
        """The type's name in SQL, valid in DuckDB and Snowflake."""
        sql = {"int64": "bigint", "string": "varchar", "bool": "boolean", "timestamp": "timestamp", "date": "date"}
        return sql[self.value]


INT, TEXT, FLAG, TIMESTAMP, DATE = Type.INT, Type.TEXT, Type.FLAG, Type.TIMESTAMP, Type.DATE


@dataclass(frozen=True)
class Limit:
    """A tighter range for the rows in which the text of another column matches `matches` as a whole (RE2)."""

    column: str
    matches: str
    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, its unit, and the values that are allowed.

    `range_source`: where the range comes from; every column that is read from a response has one. `at_least` and
    `at_most` are inclusive: numbers, moments (UTC, without a zone), or of a text its characters. `never`: values within
    the range that cannot be. `limits`: tighter ranges of some rows. `not_after`: another column of the row, a moment
    that this one cannot be later than. `with_it`: (value, column): where this column has that value, that column has it
    too, or is null. `matches`: a regular expression (RE2) that a text must match as a whole.
    """

    name: str
    type: Type
    description: str
    unit: str | None = None
    nullable: bool = False
    range_source: str = ""
    at_least: int | datetime | None = None
    at_most: int | datetime | None = None
    never: tuple[int, ...] = ()
    limits: tuple[Limit, ...] = ()
    not_after: str | None = None
    with_it: tuple[int, str] | None = None
    one_of: tuple[str, ...] | None = None
    matches: str | None = None


@dataclass(frozen=True)
class Table:
    """One table that a stream is decoded into.

    `natural_key` names the columns that make a row unique within a partition. `grain` describes the same in words.
    """

    source: str
    stream: str
    name: str
    description: str
    grain: str
    natural_key: tuple[str, ...]
    columns: tuple[Column, ...] = field(repr=False)

    @cached_property
    def schema(self) -> "pa.Schema":
        """The columns as an Arrow schema, in order."""
        import pyarrow as pa

        return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in self.columns])

    @property
    def raw_name(self) -> str:
        """The table's name in the RAW schema."""
        return f"{self.source}_{self.name}"


# The columns that RAW adds to every table.
RAW_COLUMNS = (
    Column("_run_date", DATE, "The partition that the row was loaded with (UTC day)."),
    Column("_snapshot_at", TIMESTAMP, "The moment of the vendor's response.", unit="UTC"),
    Column("_source_object", TEXT, "The silver object that the row was loaded from."),
    Column("_loaded_at", TIMESTAMP, "When the row was loaded.", unit="UTC"),
)
