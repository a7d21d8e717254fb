"""One transaction of the warehouse: all of its statements, or none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vp_pipeline.resources.warehouse import Connection


@contextmanager
def transaction(connection: "Connection") -> Iterator[None]:
    """Commits at the end of the block; whatever ends it early, an interrupt too, rolls back and goes on up."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
