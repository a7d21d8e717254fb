"""The publication as pandas, for queries that name its tables.

Here: which build is read, and one query of it. Not here: the queries (`queries/`), and keeping their results
(`app.py`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from vp_pipeline.failures import TransientError
from vp_pipeline.publishing.frames import to_frame
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts

Parameters = tuple[object, ...]
Fetch = Callable[[PublishedMarts, str, str, Parameters], pd.DataFrame]
_TABLE = re.compile(r"\{(\w+)\}")


def fetch(marts: PublishedMarts, build_id: str, sql: str, parameters: Parameters) -> pd.DataFrame:
    """The rows of a query of one build, in the types of `published.read`.

    Raises:
        TransientError: another build is current now.
        PermanentError: the engine refuses the query.
    """
    with marts.open() as found:
        if found.publication.build_id != build_id:
            raise TransientError(f"Another build than {build_id} is published now: read again.")
        return to_frame(found.query(sql, parameters))


@dataclass(frozen=True)
class Reader:
    """One publication. `fetch`: how a query of it is answered; the app's keeps answers."""

    marts: PublishedMarts
    publication: Publication
    fetch: Fetch = field(default=fetch)

    @property
    def build(self) -> str:
        return self.publication.build_id

    def has(self, *tables: str) -> bool:
        """Whether all of these are published: those of a source that is off are not."""
        there = {table for _, table in self.publication.tables}
        return there.issuperset(tables)

    def rows(self, sql: str, *parameters: object) -> pd.DataFrame:
        """The rows of a query; `{table}` stands for a published table, `?` for a parameter."""
        named = _TABLE.sub(lambda name: self.marts.relation(self.publication, name[1]), sql)
        return self.written(named, *parameters)

    def written(self, sql: str, *parameters: object) -> pd.DataFrame:
        """The rows of a query that names its tables as the engine does."""
        return self.fetch(self.marts, self.build, sql, parameters)
