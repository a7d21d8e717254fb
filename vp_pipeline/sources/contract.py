"""The contract of a table: declared once, used by the decoder, the silver gate, the RAW columns and the docs.

Here: what a column and a table are. Not here: any particular table (`sources/<source>/tables.py`) and the code
that enforces a contract (`enforce.py`).
"""

from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

INT = pa.int64()
TEXT = pa.string()
FLAG = pa.bool_()
# All timestamps are UTC and carry no zone: TIMESTAMP in DuckDB, TIMESTAMP_NTZ in Snowflake.
TIMESTAMP = pa.timestamp("us")
DATE = pa.date32()


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, its unit, and the values that are allowed."""

    name: str
    type: pa.DataType
    description: str
    unit: str | None = None
    nullable: bool = False
    at_least: int | None = None
    at_most: int | None = None
    one_of: tuple[str, ...] | None = None
    matches: str | None = None  # a regular expression (RE2) that a text must match as a whole
    unbounded_where: tuple[str, str] | None = None  # (column, value): rows that the range is not for


@dataclass(frozen=True)
class Table:
    """One table that a stream is decoded into.

    `natural_key` names the columns that make a row unique within a partition. `grain` says the same in words.
    """

    source: str
    stream: str
    name: str
    description: str
    grain: str
    natural_key: tuple[str, ...]
    columns: tuple[Column, ...] = field(repr=False)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns as an Arrow schema, in order."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    @property
    def raw_name(self) -> str:
        """The table's name in the RAW schema."""
        return f"{self.source}_{self.name}"


# What RAW adds to every row of every table.
RAW_COLUMNS = (
    Column("_run_date", DATE, "The partition that the row was loaded with (UTC day)."),
    Column("_snapshot_at", TIMESTAMP, "The moment the vendor answered.", unit="UTC"),
    Column("_source_object", TEXT, "The silver object that the row was loaded from."),
    Column("_loaded_at", TIMESTAMP, "When the row was loaded.", unit="UTC"),
)
