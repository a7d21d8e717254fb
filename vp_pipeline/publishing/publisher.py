"""Publishing: what consumers read is replaced as a whole, by the last finished build of the marts or not at all.

Here: what a publisher can do, and when it may. Not here: how a warehouse does it (`duckdb.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from vp_pipeline.failures import PermanentError
from vp_pipeline.warehouse.ledger import Build

# What consumers read: the marts, and what tells them how far to trust them.
SCHEMAS = ("mart", "monitoring")
KEPT = 3  # the published one and two to go back to


@dataclass(frozen=True)
class Publication:
    """What was published, as it says itself.

    `rows`: of each table, by `schema.name`. `days`: the run_dates that the marts hold. `replaces`: the publication that
    consumers read before it; None: it is the first. `content`: a checksum of all rows of all tables.
    """

    build_id: str
    run_id: str
    published_at: datetime
    rows: Mapping[str, int]
    days: tuple[date, ...]
    replaces: str | None
    content: str


class Publisher(Protocol):
    """Where consumers read. Each method leaves it as it was or changes it in one step."""

    @property
    def address(self) -> str:
        """Where consumers find it."""

    def publish(self, run_id: str) -> Publication:
        """Makes the last build what consumers read; returns what they read now.

        A build with the same contents as what is published changes nothing: its consumers need not read it again, and
        what can be gone back to stays something else.

        Raises:
            PermanentError: the last build is not whole and green, or the copy differs from it.
        """

    def current(self) -> Publication | None:
        """What consumers read; None: nothing was published yet."""

    def kept(self) -> list[Publication]:
        """What consumers read and what it can be taken back to, newest first."""

    def rolled_back_from(self) -> str | None:
        """The build that a person took back, while what was before it is published."""

    def roll_back(self) -> Publication:
        """Makes consumers read again what they read before; returns that.

        Raises:
            PermanentError: nothing before it is kept.
        """


def publishable(build: Build | None) -> Build:
    """The build, if it may be published.

    Raises:
        PermanentError: it may not; the message says why and what to do.
    """
    whole = "Run the whole pipeline (or all dbt models) for a day; consumers read the last published marts until then."
    if build is None:
        raise PermanentError(f"The marts were never built as a whole. {whole}")
    of = f"of {build.began_at:%Y-%m-%d %H:%M} UTC (run {build.run_id[:8]})"
    if build.state == "building":
        raise PermanentError(f"The last build of the marts, {of}, did not finish. {whole}")
    if build.state == "red":
        raise PermanentError(f"The last build of the marts, {of}, is red: its checks say why. {whole}")
    if build.state == "part":
        raise PermanentError(f"The last build, {of}, was of some models only. {whole}")
    if not build.days:
        raise PermanentError(f"The last build of the marts, {of}, holds no day. {whole}")
    return build
