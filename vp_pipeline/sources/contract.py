"""The contract of a table: declared once, used by the decoder, the silver gate, the RAW columns and the docs.

Here: what a column and a table are. Not here: any particular table (`sources/<source>/tables.py`) and the code
that enforces a contract (`enforce.py`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Type:
    """The type of a column. `name`: for people. `sql`: valid in DuckDB and Snowflake. `digits`: of a decimal, how many
    it has at most, and how many of them are after the point.

    Timestamps are UTC and carry no zone: TIMESTAMP in DuckDB, TIMESTAMP_NTZ in Snowflake.
    """

    name: str
    sql: str
    digits: tuple[int, int] | None = None

    @classmethod
    def decimal(cls, precision: int, scale: int) -> "Type":
        """An exact number: `precision` digits at most (1 to 38), `scale` of them after the point. Its `at_least` and
        `at_most` are an int or a `decimal.Decimal`, never a float."""
        name = f"decimal({precision},{scale})"
        return cls(name, name, (precision, scale))

    @property
    def arrow(self) -> "pa.DataType":
        """The type in Arrow; timestamps in microseconds."""
        # A deferred import: the contracts are read whenever the code location loads, and Arrow takes 0.2 s.
        import pyarrow as pa

        if self.digits is not None:
            return pa.decimal128(*self.digits)
        arrow: dict[str, pa.DataType] = {"int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}
        return {**arrow, "timestamp": pa.timestamp("us"), "date": pa.date32()}[self.name]


INT = Type("int64", "bigint")
TEXT = Type("string", "varchar")
FLAG = Type("bool", "boolean")
TIMESTAMP = Type("timestamp", "timestamp")
DATE = Type("date", "date")


@dataclass(frozen=True)
class Limit:
    """A tighter range for the rows in which the text of another column matches `matches` as a whole (RE2)."""

    column: str
    matches: str
    at_least: int | Decimal | None = None
    at_most: int | Decimal | None = None


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
    at_least: int | Decimal | datetime | None = None
    at_most: int | Decimal | datetime | None = None
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
