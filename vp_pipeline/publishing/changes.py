"""What each publication changed: the table `changes` that is published with the marts.

    mart          the mart's name
    key           the row's key, a JSON object of the columns of the mart's grain, sorted by name
    operation     insert, update or delete; or whole, without a key: the mart is to be read as a whole
    build_id      the build that consumers read from then on
    published_at  when it became current, UTC

A rollback is in it as what it changes back, so whoever has applied all rows up to a moment, and applies those after it
in the order of `published_at`, has what consumers read. Rows are kept for KEPT_FOR; `publication.changes_since` is the
moment from which on they are complete: a consumer that is further behind, or begins, reads the marts as a whole. The
operation `whole` is of a mart that was not published before, has no grain, or has new columns in its key. A mart that
is not published any more has no rows.

Here: the SQL of one comparison, for every engine. Not here: which two publications, where their tables are
(`duckdb.py`, `snowflake.py`), and reading the changes (`feed.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from vp_pipeline.publishing.publication import Moment, Publication
from vp_pipeline.warehouse.connection import Connection

CHANGES = "changes"
COLUMNS = "mart varchar, key varchar, operation varchar, build_id varchar, published_at timestamp"
KEPT_FOR = timedelta(days=30)
# The columns of each mart's grain.
Keys = Mapping[str, Sequence[str]]
_SCHEMA = "mart"
_WHOLE = "select cast(null as varchar) as key, 'whole' as operation"


@dataclass(frozen=True)
class Dialect:
    """How an engine's SQL has a checksum of the row of a table with an alias, and a JSON text of named values."""

    row_hash: Callable[[str], str]
    json_text: Callable[[Mapping[str, str]], str]


@dataclass(frozen=True)
class Place:
    """Where an engine has a publication's tables. `schema`: of the marts. `changes`: the feed's table."""

    schema: str
    changes: str


def next_moment(replaced: Publication | None) -> datetime:
    """When a publication takes the place of another (UTC): now, and after the other has, whatever the clock was that
    recorded that. Whoever has applied the changes up to a moment would pass over those of an earlier one."""
    now = datetime.now(UTC).replace(tzinfo=None)
    return max(now, replaced.moment.at + timedelta(microseconds=1)) if replaced else now


def continued(made: Publication, replaced: Publication | None, at: datetime) -> Publication:
    """A publication as it is once it becomes current at `at`: its feed continues that of the one before."""
    since = _complete_since(replaced, at)
    before = [moment for moment in (replaced.history if replaced else ()) if moment.at >= since]
    return replace(made, changes_since=since, moments=(*before, Moment(at, made.build_id)))


def _complete_since(replaced: Publication | None, at: datetime) -> datetime:
    """From when on the feed is complete. Nothing is missing after the last publication whose own rows are not kept."""
    if replaced is None:
        return at
    if replaced.changes_since is None:
        return replaced.moment.at
    old = [moment.at for moment in replaced.history if moment.at <= at - KEPT_FOR]
    return max([replaced.changes_since, *old])


@dataclass(frozen=True)
class Switch:
    """What consumers read from `at` on (UTC), and read before."""

    made: Publication
    replaced: Publication
    at: datetime


def record(
    connection: Connection,
    dialect: Dialect,
    switch: Switch,
    places: tuple[Place, Place],
    keys: Keys,
) -> None:
    """Fills the empty feed of the publication that is made, with what is kept of the one before and what differs.
    `places`: of the one that is made, and of the one before."""
    to, of = places
    if switch.replaced.changes_since is not None:
        connection.execute(
            f"insert into {to.changes} select mart, key, operation, build_id, published_at from {of.changes} "
            "where published_at > cast(? as timestamp)",
            [f"{switch.at - KEPT_FOR}"],
        )
    for table in sorted(switch.made.rows):
        schema, _, mart = table.partition(".")
        if schema == _SCHEMA:
            was_there = table in switch.replaced.rows
            key = sorted(keys.get(mart, ())) if was_there else []
            changed = _changed(connection, dialect, mart, key, (to.schema, of.schema)) if key else _WHOLE
            connection.execute(
                f"insert into {to.changes} select '{mart}', key, operation, ?, cast(? as timestamp) from ({changed})",
                [switch.made.build_id, f"{switch.at}"],
            )


def _changed(connection: Connection, dialect: Dialect, mart: str, key: Sequence[str], schemas: tuple[str, str]) -> str:
    after, before = (f"{schema}.{mart}" for schema in schemas)
    shapes = [connection.execute(f"select * from {each} limit 0").description for each in (after, before)]
    is_reshaped = [column[:2] for column in shapes[0]] != [column[:2] for column in shapes[1]]
    if not set(key) <= {column[0].lower() for column in shapes[1]}:
        return _WHOLE
    listed = ", ".join(key)
    names = {name: f"coalesce(after_rows.{name}, before_rows.{name})" for name in key}
    return (
        f"with after_rows as (select {listed}, {dialect.row_hash('whole')} as row_hash from {after} as whole), "
        f"before_rows as (select {listed}, {dialect.row_hash('whole')} as row_hash from {before} as whole) "
        f"select {dialect.json_text(names)} as key, case when before_rows.row_hash is null then 'insert' "
        "when after_rows.row_hash is null then 'delete' else 'update' end as operation "
        f"from after_rows full outer join before_rows on "
        + " and ".join(f"after_rows.{name} = before_rows.{name}" for name in key)
        + ("" if is_reshaped else " where after_rows.row_hash is distinct from before_rows.row_hash")
    )
