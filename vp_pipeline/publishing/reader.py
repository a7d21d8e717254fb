"""The published tables as a consumer reads them: which build is current, and rows of its tables.

Here: the only way in for consumers, on every engine. Not here: how an engine stores a publication (`duckdb.py`,
`snowflake.py`), making one (`publisher.py`), and its rows as pandas (`frames.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.publication import Publication

if TYPE_CHECKING:
    import pyarrow as pa


class OpenPublication(Protocol):
    """A publication that is open for reading."""

    @property
    def publication(self) -> Publication: ...

    def query(self, sql: str, parameters: Sequence[object] = ()) -> "pa.Table":
        """The rows of a query, in which `?` stands for a parameter; column names in lower case.

        Raises:
            PermanentError: the engine refuses the query.
            TransientError: another build became current meanwhile.
        """
        ...


class Store(Protocol):
    """Where an engine keeps the current publication."""

    @property
    def address(self) -> str:
        """Where consumers find it."""
        ...

    @property
    def schema(self) -> str | None:
        """The schema that holds every published table; None: each is in the schema that it has in the warehouse."""
        ...

    def json_text(self, values: Mapping[str, str]) -> str:
        """SQL of the text of a JSON object, as it is in the table `changes`. `values`: SQL by name, sorted."""
        ...

    def open(self) -> AbstractContextManager[OpenPublication | None]:
        """The current publication until the end of the block; None: nothing was published yet."""
        ...


@dataclass(frozen=True)
class PublishedMarts:
    """What consumers read."""

    store: Store

    @property
    def address(self) -> str:
        return self.store.address

    @property
    def changes(self) -> str:
        """The table `changes` as SQL names it."""
        return f"{self.store.schema}.changes" if self.store.schema else "changes"

    def current(self) -> Publication | None:
        """The current publication; None: nothing was published yet."""
        with self.store.open() as found:
            return found.publication if found else None

    @contextmanager
    def open(self) -> Iterator[OpenPublication]:
        """The current publication until the end of the block: what is read in one block is of one build.

        Raises:
            PermanentError: nothing was published yet.
        """
        with self.store.open() as found:
            if found is None:
                raise PermanentError(f"Nothing was published yet ({self.address}). Run a day first: `vp run`.")
            yield found

    def relation(self, publication: Publication, table: str) -> str:
        """A published table as SQL names it.

        Raises:
            PermanentError: the publication has no such table.
        """
        schemas = {name.partition(".")[2]: name.partition(".")[0] for name in publication.rows}
        if table not in schemas:
            raise PermanentError(
                f"No table {table} is published ({self.address}). There are: {', '.join(sorted(schemas))}."
            )
        return f"{self.store.schema or schemas[table]}.{table}"

    def read(self, table: str) -> tuple[str, "pa.Table"]:
        """The id of the current build, and every row of one of its tables.

        Raises:
            PermanentError: nothing is published, or it has no such table.
            TransientError: another build was published meanwhile.
        """
        with self.open() as found:
            relation = self.relation(found.publication, table)
            return found.publication.build_id, found.query(f"select * from {relation}")
