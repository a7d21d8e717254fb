"""Published marts as a DuckDB file of their own, which takes the old one's place by rename.

A process that writes a DuckDB file locks everyone else out of it, so consumers never read the warehouse. A published
file is complete before it gets its name, is read-only, and is never opened for writing again: whoever has the old one
open keeps reading it, and whoever opens the name gets one whole build.

    <data>/published.duckdb                    what consumers read: another name of one of the files below
    <data>/published/<build id>.duckdb         the publications that are kept
    <data>/published/rolled_back.json          there while a person has rolled back the newest one

Here: those files. Not here: when a build may be published (`publisher.py`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from vp_pipeline import data_folder, documents, failures
from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing import changes
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile, json_text
from vp_pipeline.publishing.publication import FORMAT, ON_DUTY, SCHEMAS, Contents, Publication, moments_text
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.stored_formats import StoredFormat
from vp_pipeline.warehouse.connection import Connection, transaction
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.ledger import Build

if TYPE_CHECKING:
    pass

_ROLLBACK = StoredFormat("record of a rollback")
_RECORD = (
    "create schema published.publication",
    "create table published.publication.build "
    "(build_id varchar, run_id varchar, published_at timestamp, replaces varchar, content varchar, "
    "changes_since timestamp, moments varchar, version integer)",
    "create table published.publication.tables (table_name varchar, rows bigint)",
    "create table published.publication.days (run_date date)",
)
_DIALECT = changes.Dialect(
    row_hash=lambda alias: f"hash({alias})",
    json_text=json_text,
)
_MADE, _REPLACED = (
    changes.Place(f"{database}.mart", f"{database}.{changes.CHANGES}") for database in ("published", "replaced")
)


@dataclass(frozen=True)
class DuckDBPublications:
    """Publications of the builds of `warehouse`; consumers read `path`. See `Engine` and `Session`."""

    path: Path
    warehouse: DuckDBWarehouse

    @property
    def marts(self) -> PublishedMarts:
        return PublishedMarts(DuckDBPublishedFile(self.path))

    @contextmanager
    def history(self) -> Iterator["DuckDBPublications"]:
        yield self

    @contextmanager
    def session(self, run_id: str) -> Iterator["DuckDBPublications"]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self._folder / ".lock"):
                self._sweep()
                try:
                    yield self
                finally:
                    self._sweep()
        except OSError as error:
            raise failures.file_failure(error) or error from None

    def all(self) -> list[Publication]:
        return list(self._publications().values())

    def rolled_back_from(self) -> str | None:
        remedy = "Move it away: the next green build is published then, also the one that was rolled back."
        content = documents.read_bytes(self._rolled_back)
        if content is None:
            return None
        note = _ROLLBACK.parse(content, str(self._rolled_back), remedy)
        if "from" not in note:
            raise failures.DamagedDataError(f"{self._rolled_back} is no {_ROLLBACK.name}: from is missing. {remedy}")
        return str(note["from"])

    @contextmanager
    def built_marts(self) -> Iterator[Connection]:
        """One transaction, so what is copied is of one state of the warehouse."""
        with self.warehouse.connect() as connection:
            connection.execute(f"attach '{_quoted(self._partial)}' as published")
            if self.path.exists():
                connection.execute(f"attach '{_quoted(self.path)}' as replaced (read_only)")
            connection.execute("begin")
            yield connection
            connection.execute("commit")
            connection.execute("detach published")
            connection.execute("detach database if exists replaced")

    def contents(self, connection: Connection, build: Build) -> Contents:
        tables: dict[str, tuple[int, str]] = {}
        views: set[str] = set()
        parts: list[object] = [build.days, build.stream_days]
        for schema, name, is_view in _tables(connection):
            columns = connection.execute(f'describe "{schema}"."{name}"').fetchall()
            found = connection.execute(f'select count(*), sum(hash(t)) from "{schema}"."{name}" as t').fetchone()
            tables[f"{schema}.{name}"] = (int(found[0]), str(found[1]))
            views |= {f"{schema}.{name}"} if is_view else set()
            parts.append((schema, name, [column[:2] for column in columns], None if is_view else found))
        return Contents(tables, frozenset(views), hashlib.sha256(repr(parts).encode()).hexdigest())

    def copy(self, connection: Connection, made: Publication, contents: Contents) -> None:
        for schema in SCHEMAS:
            connection.execute(f'create schema published."{schema}"')
        for schema, name in made.tables:
            connection.execute(f'create table published."{schema}"."{name}" as from "{schema}"."{name}"')
        connection.execute(f"create table {_MADE.changes} ({changes.COLUMNS})")
        _write_record(connection, made)

    def record_changes(
        self, connection: Connection, made: Publication, replaced: Publication, keys: changes.Keys
    ) -> None:
        switch = changes.Switch(made, replaced, made.published_at)
        changes.record(connection, _DIALECT, switch, (_MADE, _REPLACED), keys)

    def verify(self, made: Publication, contents: Contents) -> None:
        """Reads the file as a consumer will: every table is there, with the rows of the build. Then it is on disk."""
        import duckdb

        with duckdb.connect(str(self._partial), read_only=True) as connection:
            for schema, name in made.tables:
                (expected, _) = contents.tables[f"{schema}.{name}"]
                found = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
                if found != (expected,):
                    raise PermanentError(
                        f"The copy of {schema}.{name} has {found[0] if found else 'no'} rows where the build has "
                        f"{expected}. Nothing was published; consumers read what they did. Publish again."
                    )
        if self._partial.with_name(f"{self._partial.name}.wal").exists():
            raise PermanentError(f"{self._partial} was not written to its end. Nothing was published. Publish again.")
        _sync(self._partial)

    def swap_in(self, made: Publication) -> None:
        self._partial.chmod(0o444)
        file = self._file(made.build_id)
        self._partial.replace(file)
        _sync(self._folder)
        self._point_to(file)
        self._rolled_back.unlink(missing_ok=True)

    def restore(self, target: Publication, current: Publication, keys: changes.Keys) -> None:
        file = self._file(target.build_id)
        self._rewrite_changes(file, target, current, keys)
        rolled_back = self.rolled_back_from()
        if target.published_at < current.published_at:
            note = {"from": rolled_back or current.build_id, "to": target.build_id}
            documents.write_whole(self._rolled_back, json.dumps(_ROLLBACK.mark(note)).encode())
        self._point_to(file)
        if target.build_id == rolled_back:
            self._rolled_back.unlink()

    def prune(self, kept: Sequence[Publication]) -> None:
        builds = {publication.build_id for publication in kept}
        for file, publication in self._publications().items():
            if publication.build_id not in builds:
                file.unlink()

    def _rewrite_changes(self, file: Path, target: Publication, current: Publication, keys: changes.Keys) -> None:
        """Replaces the file of a publication by one whose feed leads from `current` to it."""
        import duckdb

        at = changes.next_moment(current)
        shutil.copy2(file, self._partial)
        self._partial.chmod(0o644)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{_quoted(self._partial)}' as published")
            connection.execute(f"attach '{_quoted(self.path)}' as replaced (read_only)")
            with transaction(connection):
                connection.execute(f"create or replace table {_MADE.changes} ({changes.COLUMNS})")
                switch = changes.Switch(target, current, at)
                changes.record(connection, _DIALECT, switch, (_MADE, _REPLACED), keys)
                connection.execute("drop schema published.publication cascade")
                _write_record(connection, changes.continued(target, current, at))
            connection.execute("detach published")
        _sync(self._partial)
        self._partial.chmod(0o444)
        self._partial.replace(file)
        _sync(self._folder)

    @property
    def _folder(self) -> Path:
        return self.path.with_name(data_folder.PUBLICATIONS)

    @property
    def _partial(self) -> Path:
        """The copy, until it is complete. One session at a time, so one name will do."""
        return self._folder / ".publishing.partial"

    @property
    def _rolled_back(self) -> Path:
        return self._folder / data_folder.ROLLED_BACK

    def _file(self, build_id: str) -> Path:
        return self._folder / f"{build_id}.duckdb"

    def _point_to(self, file: Path) -> None:
        """Makes `path` another name of `file`, in one step."""
        link = self._folder / ".next"
        link.unlink(missing_ok=True)
        try:
            os.link(file, link)
        except OSError:  # a file system without hard links: a copy, complete before it gets the name
            shutil.copy2(file, link)
            _sync(link)
        link.replace(self.path)
        _sync(self.path.parent)

    def _publications(self) -> dict[Path, Publication]:
        """The files that are the publication whose name they have. Anything else is passed over, and not removed."""
        found: dict[Path, Publication] = {}
        for file in sorted(self._folder.glob("*.duckdb")):
            with suppress(PermanentError):
                publication = PublishedMarts(DuckDBPublishedFile(file)).current()
                if publication is not None and publication.build_id == file.stem:
                    found[file] = publication
            if file not in found:
                documents.pass_over(
                    str(file), "is not the publication whose name it has, so it is left there. Move it away."
                )
        return found

    def _sweep(self) -> None:
        """Removes what a session left that was killed or failed."""
        for pattern in (".*.partial*", ".next"):
            for file in filter(Path.is_file, self._folder.glob(pattern)):
                file.unlink()


def _tables(connection: Connection) -> list[tuple[str, str, bool]]:
    """Schema and name of what is published, and whether it is a view in the warehouse."""
    marks = ", ".join("?" * len(SCHEMAS))
    found = connection.execute(
        "select table_schema, table_name, table_type = 'VIEW' from information_schema.tables "
        f"where table_catalog = current_database() and table_schema in ({marks}) "
        f"and not starts_with(table_name, '_') and table_name <> '{ON_DUTY}' order by all",
        list(SCHEMAS),
    ).fetchall()
    return [(schema, name, is_view) for schema, name, is_view in found]


def _write_record(connection: Connection, made: Publication) -> None:
    for statement in _RECORD:
        connection.execute(statement)
    connection.execute(
        "insert into published.publication.build values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            made.build_id,
            made.run_id,
            made.published_at,
            made.replaces,
            made.content,
            made.changes_since,
            moments_text(made.moments),
            FORMAT.version,
        ],
    )
    for name, rows in made.rows.items():
        connection.execute("insert into published.publication.tables values (?, ?)", [name, rows])
    for day in made.days:
        connection.execute("insert into published.publication.days values (?)", [day])


def _sync(path: Path) -> None:
    """Returns when the file's bytes, or a folder's names, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
