"""Published marts as a Snowflake schema of their own, which is swapped into its place in one statement.

dbt writes MART and MONITORING, so consumers read neither. A publication is a schema beside PUBLISHED that is filled
with clones (no byte is copied), counted, given to the readers, and swapped with PUBLISHED. What consumers read before
is then in the other schema, from where it can be swapped back.

    published                the publication that consumers read: the tables of MART and MONITORING, under their names
    published_<build id>     those that are kept; the name only says which publication first needed the schema
    …._publication           one row: what the schema's publication says of itself

Only one run publishes at a time: the asset holds the warehouse's pool. Here: those schemas. Not here: when a build may
be published (`publisher.py`), and reading a mart (`reader.py`).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.publisher import KEPT, SCHEMAS, Publication, publishable
from vp_pipeline.warehouse import ledger

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection
    from vp_pipeline.warehouse.loading import Warehouse

PUBLISHED = "published"
# `days`: comma-separated. `row_counts`: JSON. `is_taken_back`: a person went back from it.
_ABOUT = (
    "build_id varchar, run_id varchar, published_at timestamp, replaces varchar, content varchar, days varchar, "
    "row_counts varchar, is_taken_back boolean"
)
_COLUMNS = ", ".join(column.split()[0] for column in _ABOUT.split(", "))
_MARKS = "?, ?, cast(? as timestamp), nullif(?, ''), ?, ?, ?, false"


@dataclass(frozen=True)
class _Kept:
    """A schema that holds a publication."""

    schema: str
    publication: Publication
    is_taken_back: bool


@dataclass(frozen=True)
class SnowflakePublisher:
    """Publishes within the database of `warehouse`; `reader`: the role of the consumers."""

    warehouse: "Warehouse"
    database: str
    reader: str = "vp_reader"

    @property
    def address(self) -> str:
        return f"{self.database}.{PUBLISHED}"

    def publish(self, run_id: str) -> Publication:
        with self.warehouse.connect(tag={"run": run_id, "asset": "published/marts"}) as connection:
            build = publishable(ledger.last_build(connection))
            schemas = _schemas(connection)
            standing = _standing(schemas)
            if build.build_id == _taken_back(schemas):
                raise PermanentError(
                    f"Build {build.build_id} was taken back by hand. Run a day: the next build is published again."
                )
            tables = _tables(connection)
            contents = _contents(connection, {name: f"{schema}.{name}" for schema, name in tables})
            content = _digest(tables, _columns(connection), contents, build.days)
            if standing is not None and standing.content == content:
                return standing
            made = Publication(
                build_id=build.build_id,
                run_id=run_id,
                published_at=datetime.now(UTC).replace(tzinfo=None),
                rows={f"{schema}.{name}": contents[name][0] for schema, name in tables},
                days=build.days,
                replaces=standing.build_id if standing else None,
                content=content,
            )
            beside = schema_of(made.build_id)
            for statement in fill_statements(beside, tables, self.reader):
                connection.execute(statement)
            connection.execute(f"insert into {beside}._publication ({_COLUMNS}) select {_MARKS}", _told(made))
            copied = _contents(connection, {name: f"{beside}.{name}" for _, name in tables})
            if copied != contents:
                differing = ", ".join(sorted(name for name in contents if copied.get(name) != contents[name]))
                connection.execute(f"drop schema if exists {beside}")
                raise PermanentError(
                    f"The clone of {differing} is not what the build has. Nothing was published; consumers read what "
                    "they did. Publish again."
                )
            for statement in swap_statements(beside):
                connection.execute(statement)
            self._prune(connection)
            return made

    def current(self) -> Publication | None:
        with self.warehouse.connect(read_only=True) as connection:
            found = read_publication(connection, PUBLISHED)
            return found.publication if found else None

    def kept(self) -> list[Publication]:
        with self.warehouse.connect(read_only=True) as connection:
            return [kept.publication for kept in _chain(_schemas(connection))]

    def rolled_back_from(self) -> str | None:
        with self.warehouse.connect(read_only=True) as connection:
            return _taken_back(_schemas(connection))

    def roll_back(self) -> Publication:
        with self.warehouse.connect(tag={"run": "rollback", "asset": "published/marts"}) as connection:
            chain = _chain(_schemas(connection))
            if len(chain) < 2:
                which = f"{chain[0].publication.build_id} is the only one" if chain else "nothing was published yet"
                raise PermanentError(f"There is no publication to go back to: {which} ({self.address}).")
            connection.execute(f"update {PUBLISHED}._publication set is_taken_back = true")
            connection.execute(f"alter schema {PUBLISHED} swap with {chain[1].schema}")
            return chain[1].publication

    def _prune(self, connection: "Connection") -> None:
        """Drops what cannot be gone back to, and what a killed publish left behind."""
        kept = {each.schema for each in _chain(_schemas(connection))}
        for schema in _names(connection):
            if schema not in kept and schema != PUBLISHED:
                connection.execute(f"drop schema if exists {schema}")


def schema_of(build_id: str) -> str:
    """The schema in which a publication is made."""
    return f"{PUBLISHED}_{re.sub(r'[^a-z0-9]', '_', build_id.lower())}"


def fill_statements(beside: str, tables: Sequence[tuple[str, str]], reader: str) -> list[str]:
    """What makes a publication beside the one that consumers read. A transient table has no permanent clone."""
    return [
        f"drop schema if exists {beside}",  # a publish that was killed left it
        f"create transient schema {beside}",
        *(f"create transient table {beside}.{name} clone {schema}.{name}" for schema, name in tables),
        f"create transient table {beside}._publication ({_ABOUT})",
        f"grant usage on schema {beside} to role {reader}",
        f"grant select on all tables in schema {beside} to role {reader}",
    ]


def swap_statements(beside: str) -> list[str]:
    """What makes it the one that consumers read: the last statement alone, and at once."""
    return [f"create transient schema if not exists {PUBLISHED}", f"alter schema {PUBLISHED} swap with {beside}"]


def read_publication(connection: "Connection", schema: str) -> _Kept | None:
    """What a schema's publication says of itself; None: it holds none."""
    there = connection.execute(
        "select 1 from information_schema.tables where lower(table_schema) = ? and lower(table_name) = '_publication'",
        [schema],
    ).fetchone()
    found = there and connection.execute(f"select {_COLUMNS} from {schema}._publication").fetchone()
    if not found:
        return None
    build_id, run_id, published_at, replaces, content, days, row_counts, is_taken_back = found
    held = tuple(map(date.fromisoformat, filter(None, days.split(","))))
    made = Publication(build_id, run_id, published_at, json.loads(row_counts), held, replaces, content)
    return _Kept(schema, made, bool(is_taken_back))


def _told(made: Publication) -> list[Any]:
    days = ",".join(day.isoformat() for day in made.days)
    at = made.published_at.isoformat(sep=" ")
    return [made.build_id, made.run_id, at, made.replaces or "", made.content, days, json.dumps(dict(made.rows))]


def _names(connection: "Connection") -> list[str]:
    found = connection.execute(
        "select lower(schema_name) from information_schema.schemata "
        f"where lower(schema_name) = '{PUBLISHED}' or startswith(lower(schema_name), '{PUBLISHED}_') order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _schemas(connection: "Connection") -> list[_Kept]:
    found = (read_publication(connection, schema) for schema in _names(connection))
    return [kept for kept in found if kept is not None]


def _standing(schemas: Sequence[_Kept]) -> Publication | None:
    return next((kept.publication for kept in schemas if kept.schema == PUBLISHED), None)


def _chain(schemas: Sequence[_Kept]) -> list[_Kept]:
    """What consumers read, and what it can be taken back to, newest first."""
    by_build = {kept.publication.build_id: kept for kept in schemas if kept.schema != PUBLISHED}
    chain = [kept for kept in schemas if kept.schema == PUBLISHED]
    while chain and len(chain) < KEPT:
        before = by_build.get(chain[-1].publication.replaces or "")
        if before is None:
            break
        chain.append(before)
    return chain


def _taken_back(schemas: Sequence[_Kept]) -> str | None:
    """The newest build that a person took back, while what was before it is published."""
    standing = _standing(schemas)
    if standing is None:
        return None
    newer = [
        kept.publication
        for kept in schemas
        if kept.is_taken_back and kept.publication.published_at > standing.published_at
    ]
    return max(newer, key=lambda made: made.published_at).build_id if newer else None


def _tables(connection: "Connection") -> list[tuple[str, str]]:
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    found = connection.execute(
        "select lower(table_schema), lower(table_name) from information_schema.tables "
        f"where lower(table_schema) in ({schemas}) and table_type = 'BASE TABLE' "
        "and not startswith(table_name, '_') order by 1, 2"
    ).fetchall()
    return [(schema, name) for schema, name in found]


def _columns(connection: "Connection") -> list[tuple[Any, ...]]:
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    return [
        tuple(row)
        for row in connection.execute(
            "select lower(table_schema), lower(table_name), lower(column_name), lower(data_type) "
            f"from information_schema.columns where lower(table_schema) in ({schemas}) "
            "and not startswith(table_name, '_') order by 1, 2, ordinal_position"
        ).fetchall()
    ]


def _contents(connection: "Connection", relations: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Rows of each table, and a checksum of them in any order."""
    if not relations:
        raise PermanentError("There is no mart to publish. Run the whole pipeline for a day.")
    query = " union all ".join(f"select '{name}', count(*), hash_agg(*) from {at}" for name, at in relations.items())
    return {name: (int(rows), str(content)) for name, rows, content in connection.execute(query).fetchall()}


def _digest(
    tables: Sequence[tuple[str, str]],
    columns: Sequence[tuple[Any, ...]],
    contents: Mapping[str, tuple[int, str]],
    days: Sequence[date],
) -> str:
    told = [list(days), [(*table, contents[table[1]]) for table in tables], list(columns)]
    return hashlib.sha256(repr(told).encode()).hexdigest()
