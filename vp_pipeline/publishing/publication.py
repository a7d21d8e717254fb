"""What a publication is, on every engine.

Here: values. Not here: making one (`publisher.py`) and reading one (`reader.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from vp_pipeline.stored_formats import StoredFormat, renamed_field, with_default

# What consumers read: the marts, and what shows how far to trust them.
SCHEMAS = ("mart", "monitoring")
# Not published, beside what begins with an underscore: what people on duty look into, which no figure depends on.
ON_DUTY = "failing_rows"
# Of the record of a publication, whose fields are columns. Version 1 has no column for the version, and on Snowflake
# another word for one that was rolled back; version 2 has no table `changes`; version 3 has no `moments`.
FORMAT = StoredFormat(
    "record of a publication",
    (
        renamed_field("is_taken_back", "is_rolled_back"),
        with_default(changes_since=None),
        with_default(moments=None),
    ),
)
KEPT = 3  # the current one, and two that can be restored


@dataclass(frozen=True)
class Moment:
    """From `at` on (UTC) consumers read the build: it was published then, or a rollback led to it."""

    at: datetime
    build_id: str


@dataclass(frozen=True)
class Publication:
    """What was published; the record is stored with the tables.

    `rows`: of each table, by `schema.name`. `days`: the run_dates that the marts hold. `replaces`: the build that was
    current before it; None: it is the first. `content`: a checksum of all rows of all tables. `published_at`: UTC.
    `changes_since`: the moment from which on its table `changes` is complete, UTC; None: it has none. `moments`: what
    consumers have read since then, the oldest first; the last one is of itself. Empty: not known.
    """

    build_id: str
    run_id: str
    published_at: datetime
    rows: Mapping[str, int]
    days: tuple[date, ...]
    replaces: str | None
    content: str
    changes_since: datetime | None = None
    moments: tuple[Moment, ...] = ()

    @property
    def history(self) -> Sequence[Moment]:
        """`moments`; of a record that has none, as if it had not been rolled back to."""
        return self.moments or (Moment(self.published_at, self.build_id),)

    @property
    def moment(self) -> Moment:
        """Since when consumers read it."""
        return self.history[-1]

    @property
    def tables(self) -> list[tuple[str, str]]:
        """The (schema, name) of each table."""
        return [(schema, table) for schema, _, table in (name.partition(".") for name in self.rows)]


@dataclass(frozen=True)
class Contents:
    """What the marts of a build hold: rows and a checksum of each table, by `schema.name`, and one of everything.

    The checksums do not depend on the order of rows. `views`: those that are views in the warehouse. They show what
    was recorded of runs, up to the run that publishes, so their rows alone are no reason to publish again; their
    columns and code are. `digest` covers the columns and the days too, and no row of `views`.
    """

    tables: Mapping[str, tuple[int, str]]
    views: frozenset[str]
    digest: str


def moments_text(moments: Sequence[Moment]) -> str:
    """Moments as they are stored in the record of a publication: JSON."""
    return json.dumps([[moment.at.isoformat(), moment.build_id] for moment in moments])


def read_moments(text: str | None) -> tuple[Moment, ...]:
    """Stored moments; None: of a version that did not store them."""
    return tuple(Moment(datetime.fromisoformat(at), build_id) for at, build_id in json.loads(text or "[]"))
