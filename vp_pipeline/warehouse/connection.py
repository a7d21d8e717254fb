"""An open connection to a warehouse, on every engine, and its transactions: all of their statements, or none."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol


class Result(Protocol):
    """Rows of a statement."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


class Connection(Protocol):
    """An open connection. Parameters are `?`."""

    def execute(self, query: str, parameters: Any = ..., /) -> Result: ...


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commits at the end of the block; whatever ends it early, an interrupt too, rolls back and goes on up."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        # A connection that is lost cannot roll back: the warehouse does, and the first error is the one to tell.
        with suppress(Exception):
            connection.execute("rollback")
        raise
