"""The interface of an open connection to a warehouse, the same on every engine, and its transactions.

Not here: how an engine opens one (`duckdb.py`, `snowflake.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol


class Result(Protocol):
    """Rows of a statement. `description`: of each column a sequence that begins with its name."""

    @property
    def description(self) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


class Connection(Protocol):
    """An open connection. Parameters are `?`."""

    def execute(self, query: str, parameters: Any = ..., /) -> Result: ...


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commits at the end of the block; any exception, an interrupt too, rolls back and is raised again."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # A lost connection cannot roll back: the warehouse does, and the first error is the one to raise.
        with suppress(Exception):
            connection.execute("rollback")
        raise


def column_names(result: Result) -> list[str]:
    """The names of a result's columns in lower case, whatever the engine makes of them."""
    return [column[0].lower() for column in result.description or ()]


def table_exists(connection: Connection, schema: str, name: str) -> bool:
    """Whether a table or view of this name, in lower case, is there."""
    found = connection.execute(
        "select 1 from information_schema.tables where lower(table_schema) = ? and lower(table_name) = ?",
        [schema, name],
    ).fetchone()
    return bool(found)
