"""Published marts as a Snowflake schema of their own, which is swapped into its place in one statement.

dbt writes MART and MONITORING, so consumers read neither. A publication is a schema beside PUBLISHED that is filled
with clones (no byte is copied), compared with the build, granted to the readers, and swapped with PUBLISHED. What
consumers read before is then in the other schema, from where it can be swapped back.

    published                the publication that consumers read: the tables of MART and MONITORING, under their names
    published_<build id>     those that are kept; the name only shows which publication first needed the schema
    …._publication           one row: the record of the schema's publication

Only one run publishes at a time: it holds the lease (`warehouse/lease/`). Here: those schemas. Not here: when a build
may be published (`publisher.py`).
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing import changes
from vp_pipeline.publishing.publication import FORMAT, ON_DUTY, SCHEMAS, Contents, Publication, moments_text
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.publishing.snowflake_reader import OURS, PUBLISHED, SnowflakePublishedSchema, json_text, read_kept
from vp_pipeline.warehouse.connection import Connection
from vp_pipeline.warehouse.ledger import Build
from vp_pipeline.warehouse.migrations import RenamedColumn
from vp_pipeline.warehouse.snowflake import SnowflakeSession, SnowflakeWarehouse

if TYPE_CHECKING:
    pass

# `days`: comma-separated. `row_counts`: JSON. `is_rolled_back`: by a person.
_RECORD = (
    "version integer, build_id varchar, run_id varchar, published_at timestamp_ntz, replaces varchar, content varchar, "
    "days varchar, row_counts varchar, changes_since timestamp_ntz, moments varchar, "
    "is_rolled_back boolean"
)
_COLUMNS = ", ".join(column.split()[0] for column in _RECORD.split(", "))
_MARKS = "?, ?, ?, cast(? as timestamp_ntz), nullif(?, ''), ?, ?, ?, cast(? as timestamp_ntz), ?, false"
_DIALECT = changes.Dialect(
    row_hash=lambda alias: f"hash({alias}.*)",
    json_text=json_text,
)


@dataclass(frozen=True)
class SnowflakePublications:
    """Publications within the database of `warehouse`; `reader`: the role of the consumers. See `Engine`."""

    warehouse: SnowflakeWarehouse
    reader: str = "vp_reader"

    @property
    def marts(self) -> PublishedMarts:
        return PublishedMarts(SnowflakePublishedSchema(self.warehouse))

    @contextmanager
    def history(self) -> Iterator["_Session"]:
        with self.warehouse.connect(read_only=True) as connection:
            yield _Session(connection, self.reader)

    @contextmanager
    def session(self, run_id: str) -> Iterator["_Session"]:
        with self.warehouse.connect(tag={"run": run_id, "asset": "published/marts"}) as connection:
            yield _Session(connection, self.reader)


def fill_statements(
    new_schema: str, tables: Sequence[tuple[str, str]], views: Collection[str], reader: str
) -> list[str]:
    """Makes a publication in a schema of its own. A transient table has no permanent clone, and a view's rows are
    copied: a clone of it would go on changing."""
    return [
        f"drop schema if exists {new_schema}",  # a publish that was killed left it
        f"create transient schema {new_schema}",
        *(
            f"create transient table {new_schema}.{name} "
            + (f"as select * from {schema}.{name}" if f"{schema}.{name}" in views else f"clone {schema}.{name}")
            for schema, name in tables
        ),
        f"create transient table {new_schema}.{changes.CHANGES} ({changes.COLUMNS})",
        f"create transient table {new_schema}._publication ({_RECORD})",
        f"grant usage on schema {new_schema} to role {reader}",
        f"grant select on all tables in schema {new_schema} to role {reader}",
    ]


def swap_statements(new_schema: str) -> list[str]:
    """Makes it the publication that consumers read: the last statement does, in one step."""
    return [f"create transient schema if not exists {PUBLISHED}", f"alter schema {PUBLISHED} swap with {new_schema}"]


@dataclass(frozen=True)
class _Session:
    """A connection on which a publication is made; see `Session`. Each statement is a transaction of its own."""

    connection: SnowflakeSession
    reader: str

    def all(self) -> list[Publication]:
        return [each.publication for each in read_kept(self.connection)]

    def rolled_back_from(self) -> str | None:
        kept = read_kept(self.connection)
        current = next((each.publication for each in kept if each.schema == PUBLISHED), None)
        if current is None:
            return None
        newer = [
            each.publication
            for each in kept
            if each.is_rolled_back and each.publication.published_at > current.published_at
        ]
        return max(newer, key=lambda publication: publication.published_at).build_id if newer else None

    @contextmanager
    def built_marts(self) -> Iterator[Connection]:
        """Statements commit by themselves, so `verify` compares the copy with what `contents` found."""
        yield self.connection

    def contents(self, connection: Connection, build: Build) -> Contents:
        tables = _tables(connection)
        if not tables:
            raise PermanentError("There is no mart to publish. Run the whole pipeline for a day.")
        found = _checksums(connection, {name: f"{schema}.{name}" for schema, name, _ in tables})
        of_tables = [(schema, name, found[name]) for schema, name, is_view in tables if not is_view]
        parts = [list(build.days), build.stream_days, of_tables, _columns(connection)]
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        views = frozenset(f"{schema}.{name}" for schema, name, is_view in tables if is_view)
        return Contents({f"{schema}.{name}": found[name] for schema, name, _ in tables}, views, digest)

    def copy(self, connection: Connection, made: Publication, contents: Contents) -> None:
        new_schema = schema_of(made.build_id)
        for statement in fill_statements(new_schema, made.tables, contents.views, self.reader):
            connection.execute(statement)

    def record_changes(
        self, connection: Connection, made: Publication, replaced: Publication, keys: changes.Keys
    ) -> None:
        switch = changes.Switch(made, replaced, made.published_at)
        changes.record(connection, _DIALECT, switch, (_place(schema_of(made.build_id)), _place(PUBLISHED)), keys)

    def verify(self, made: Publication, contents: Contents) -> None:
        new_schema = schema_of(made.build_id)
        expected = {name: contents.tables[f"{schema}.{name}"] for schema, name in made.tables}
        copied = _checksums(self.connection, {name: f"{new_schema}.{name}" for name in expected})
        differing = ", ".join(sorted(name for name in expected if copied[name] != expected[name]))
        if differing:
            self.connection.execute(f"drop schema if exists {new_schema}")
            raise PermanentError(
                f"The clone of {differing} is not what the build has. Nothing was published; consumers read what "
                "they did. Publish again."
            )
        # Last, so a schema with a record is whole.
        self.connection.execute(f"insert into {new_schema}._publication ({_COLUMNS}) select {_MARKS}", _record(made))

    def swap_in(self, made: Publication) -> None:
        for statement in swap_statements(schema_of(made.build_id)):
            self.connection.execute(statement)

    def restore(self, target: Publication, current: Publication, keys: changes.Keys) -> None:
        schema = next(each.schema for each in read_kept(self.connection) if each.publication == target)
        at = changes.next_moment(current)
        self.connection.execute(f"create or replace transient table {schema}.{changes.CHANGES} ({changes.COLUMNS})")
        switch = changes.Switch(target, current, at)
        changes.record(self.connection, _DIALECT, switch, (_place(schema), _place(PUBLISHED)), keys)
        self.connection.execute(f"grant select on all tables in schema {schema} to role {self.reader}")
        for each in (schema, PUBLISHED):
            self._to_present_format(f"{each}._publication")
        made = changes.continued(target, current, at)
        self.connection.execute(
            f"update {schema}._publication set is_rolled_back = false, "
            "changes_since = cast(? as timestamp_ntz), moments = ?",
            [f"{made.changes_since}", moments_text(made.moments)],
        )
        if target.published_at < current.published_at:
            self.connection.execute(f"update {PUBLISHED}._publication set is_rolled_back = true")
        self.connection.execute(f"alter schema {PUBLISHED} swap with {schema}")

    def _to_present_format(self, record: str) -> None:
        """The columns of the present version, in a record of an earlier one."""
        RenamedColumn(record, "is_taken_back", "is_rolled_back").take(self.connection)
        self.connection.execute(f"alter table {record} add column if not exists version integer")
        self.connection.execute(f"alter table {record} add column if not exists changes_since timestamp_ntz")
        self.connection.execute(f"alter table {record} add column if not exists moments varchar")
        self.connection.execute(f"update {record} set version = {FORMAT.version}")

    def prune(self, kept: Sequence[Publication]) -> None:
        builds = {publication.build_id for publication in kept}
        schemas = {each.schema for each in read_kept(self.connection) if each.publication.build_id in builds}
        for schema in _names(self.connection):
            if schema not in schemas and schema != PUBLISHED:
                self.connection.execute(f"drop schema if exists {schema}")


def schema_of(build_id: str) -> str:
    """The schema in which a publication is made."""
    return f"{PUBLISHED}_{re.sub(r'[^a-z0-9]', '_', build_id.lower())}"


def _place(schema: str) -> changes.Place:
    return changes.Place(schema, f"{schema}.{changes.CHANGES}")


def _record(made: Publication) -> list[Any]:
    days = ",".join(day.isoformat() for day in made.days)
    at = made.published_at.isoformat(sep=" ")
    return [
        FORMAT.version,
        made.build_id,
        made.run_id,
        at,
        made.replaces or "",
        made.content,
        days,
        json.dumps(dict(made.rows)),
        f"{made.changes_since}",
        moments_text(made.moments),
    ]


def _names(connection: Connection) -> list[str]:
    found = connection.execute(
        f"select lower(schema_name) from information_schema.schemata where {OURS.format('schema_name')} order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _tables(connection: Connection) -> list[tuple[str, str, bool]]:
    """Schema and name of what is published, and whether it is a view in the warehouse."""
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    found = connection.execute(
        " union all ".join(
            f"select lower(table_schema), lower(table_name), {is_view} from information_schema.{kind} "
            f"where lower(table_schema) in ({schemas}) and not startswith(table_name, '_') "
            f"and lower(table_name) <> '{ON_DUTY}' {only}"
            for kind, only, is_view in (("tables", "and table_type = 'BASE TABLE'", "false"), ("views", "", "true"))
        )
        + " order by 1, 2"
    ).fetchall()
    return [(schema, name, bool(is_view)) for schema, name, is_view in found]


def _columns(connection: Connection) -> list[tuple[Any, ...]]:
    schemas = ", ".join(f"'{schema}'" for schema in SCHEMAS)
    found = connection.execute(
        "select lower(table_schema), lower(table_name), lower(column_name), lower(data_type) "
        f"from information_schema.columns where lower(table_schema) in ({schemas}) "
        f"and not startswith(table_name, '_') and lower(table_name) <> '{ON_DUTY}' order by 1, 2, ordinal_position"
    ).fetchall()
    return [tuple(row) for row in found]


def _checksums(connection: Connection, relations: Mapping[str, str]) -> dict[str, tuple[int, str]]:
    """Rows of each table, and a checksum of them in any order."""
    query = " union all ".join(f"select '{name}', count(*), hash_agg(*) from {at}" for name, at in relations.items())
    return {name: (int(rows), str(content)) for name, rows, content in connection.execute(query).fetchall()}
