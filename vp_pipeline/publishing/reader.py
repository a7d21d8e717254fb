"""The published marts as a consumer reads them: which build is current, and the rows of one mart.

Here: the only way in for consumers, on every engine. Not here: how an engine stores a publication (`duckdb.py`,
`snowflake.py`), and making one (`publisher.py`).
"""

from contextlib import AbstractContextManager
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

    def rows(self, mart: str) -> "pa.Table":
        """Every row of a mart that is there; column names in lower case.

        Raises:
            TransientError: another build became current while this one was read.
        """
        ...


class Store(Protocol):
    """Where an engine keeps the current publication."""

    @property
    def address(self) -> str:
        """Where consumers find it."""
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

    def current(self) -> Publication | None:
        """The current publication; None: nothing was published yet."""
        with self.store.open() as found:
            return found.publication if found else None

    def read(self, mart: str) -> tuple[str, "pa.Table"]:
        """The id of the current build, and every row of one of its marts.

        Raises:
            PermanentError: nothing is published, or it has no such mart.
            TransientError: another build was published meanwhile.
        """
        with self.store.open() as found:
            if found is None:
                raise PermanentError(f"Nothing was published yet ({self.address}). Run a day first.")
            if f"mart.{mart}" not in found.publication.rows:
                raise PermanentError(f"No mart {mart} is published ({self.address}). Look at VP_EXPORT_MART.")
            return found.publication.build_id, found.rows(mart)
