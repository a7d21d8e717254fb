"""Published marts as a DuckDB file of their own, which takes the old one's place by rename.

A process that writes a DuckDB file locks everyone else out of it, so consumers never read the warehouse. A published
file is complete before it gets its name, is read-only, and is never opened for writing again: whoever has the old one
open goes on reading it, and whoever opens the name gets one whole build.

    <data>/published.duckdb                    what consumers read: another name of one of the files below
    <data>/published/<build id>.duckdb         the publications that are kept
    <data>/published/rolled_back.json          there while a person has taken the newest one back

Here: those files. Not here: when a build may be published (`publisher.py`).
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.publisher import KEPT, SCHEMAS, Publication, publishable
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse

if TYPE_CHECKING:
    from vp_pipeline.warehouse.duckdb import DuckDBConnection

_ABOUT = (
    "create schema published.publication",
    "create table published.publication.build "
    "(build_id varchar, run_id varchar, published_at timestamp, replaces varchar, content varchar)",
    "create table published.publication.tables (table_name varchar, rows bigint)",
    "create table published.publication.days (run_date date)",
)


@dataclass(frozen=True)
class DuckDBPublisher:
    """Publishes from `warehouse` to the file `path`."""

    path: Path
    warehouse: DuckDBWarehouse

    @property
    def address(self) -> str:
        return str(self.path)

    def publish(self, run_id: str) -> Publication:
        with self._alone():
            self._sweep()
            standing = self.current()
            partial = self._folder / f".{run_id}.partial"
            try:
                made = self._copy(run_id, partial, standing)
                if made is None:
                    assert standing is not None
                    return standing
                _verify(partial, made)
                partial.chmod(0o444)
                file = self._file(made.build_id)
                partial.replace(file)
                _sync(self._folder)
                self._point_to(file)
            finally:
                partial.unlink(missing_ok=True)
            self._taken_back.unlink(missing_ok=True)
            self._prune()
            return made

    def current(self) -> Publication | None:
        return read_publication(self.path) if self.path.exists() else None

    def kept(self) -> list[Publication]:
        found: list[Publication] = []
        publication = self.current()
        while publication is not None and len(found) < KEPT:
            found.append(publication)
            before = self._file(publication.replaces) if publication.replaces else None
            publication = read_publication(before) if before and before.exists() else None
        return found

    def rolled_back_from(self) -> str | None:
        if not self._taken_back.exists():
            return None
        return str(json.loads(self._taken_back.read_text())["from"])

    def roll_back(self) -> Publication:
        with self._alone():
            kept = self.kept()
            if len(kept) < 2:
                which = f"{kept[0].build_id} is the only one" if kept else "nothing was published yet"
                raise PermanentError(f"There is no publication to go back to: {which} ({self._folder}).")
            now, before = kept[0], kept[1]
            note = {"from": self.rolled_back_from() or now.build_id, "to": before.build_id}
            _write_whole(self._taken_back, json.dumps(note).encode())
            self._point_to(self._file(before.build_id))
            return before

    @property
    def _folder(self) -> Path:
        return self.path.with_name("published")

    @property
    def _taken_back(self) -> Path:
        return self._folder / "rolled_back.json"

    def _file(self, build_id: str) -> Path:
        return self._folder / f"{build_id}.duckdb"

    def _copy(self, run_id: str, target: Path, standing: Publication | None) -> Publication | None:
        """Copies the last build into `target`, in one transaction and so from one state of the warehouse; None: it is
        what is published already."""
        with self.warehouse.connect() as connection:
            connection.execute(f"attach '{_quoted(target)}' as published")
            connection.execute("begin")
            build = publishable(ledger.last_build(connection))
            if build.build_id == self.rolled_back_from():
                raise PermanentError(
                    f"Build {build.build_id} was taken back by hand. Run a day: the next build is published again."
                )
            tables = _tables(connection)
            rows, content = _contents(connection, tables, build)
            if standing is not None and standing.content == content:
                return None
            for schema in SCHEMAS:
                connection.execute(f'create schema published."{schema}"')
            for schema, name in tables:
                connection.execute(f'create table published."{schema}"."{name}" as from "{schema}"."{name}"')
            made = Publication(
                build_id=build.build_id,
                run_id=run_id,
                published_at=datetime.now(UTC).replace(tzinfo=None),
                rows=rows,
                days=build.days,
                replaces=standing.build_id if standing else None,
                content=content,
            )
            _write_about(connection, made)
            connection.execute("commit")
            connection.execute("detach published")
        return made

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

    def _prune(self) -> None:
        kept = {self._file(publication.build_id) for publication in self.kept()}
        for file in self._folder.glob("*.duckdb"):
            if file not in kept:
                file.unlink()

    def _sweep(self) -> None:
        """What a killed publish left behind."""
        for pattern in (".*.partial*", ".next"):
            for file in self._folder.glob(pattern):
                file.unlink()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._folder / ".lock"):
            yield


def read_publication(file: Path) -> Publication:
    """What a published file says of itself."""
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute(
            "select build_id, run_id, published_at, replaces, content from publication.build"
        ).fetchone()
        assert found is not None
        build_id, run_id, published_at, replaces, content = found
        rows = connection.execute("select table_name, rows from publication.tables order by 1").fetchall()
        days = connection.execute("select run_date from publication.days order by 1").fetchall()
    return Publication(build_id, run_id, published_at, dict(rows), tuple(d for (d,) in days), replaces, content)


def _tables(connection: "DuckDBConnection") -> list[tuple[str, str]]:
    marks = ", ".join("?" * len(SCHEMAS))
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database() "
        f"and schema_name in ({marks}) and not starts_with(table_name, '_') order by all",
        list(SCHEMAS),
    ).fetchall()


def _contents(
    connection: "DuckDBConnection", tables: list[tuple[str, str]], build: ledger.Build
) -> tuple[dict[str, int], str]:
    """Rows of each table, and a checksum of all of them in any order, of their columns, and of the days."""
    rows: dict[str, int] = {}
    told: list[object] = [build.days]
    for schema, name in tables:
        columns = connection.execute(f'describe "{schema}"."{name}"').fetchall()
        found = connection.execute(f'select count(*), sum(hash(t)) from "{schema}"."{name}" as t').fetchone()
        assert found is not None
        rows[f"{schema}.{name}"] = int(found[0])
        told.append((schema, name, [column[:2] for column in columns], found))
    return rows, hashlib.sha256(repr(told).encode()).hexdigest()


def _write_about(connection: "DuckDBConnection", made: Publication) -> None:
    for statement in _ABOUT:
        connection.execute(statement)
    connection.execute(
        "insert into published.publication.build values (?, ?, ?, ?, ?)",
        [made.build_id, made.run_id, made.published_at, made.replaces, made.content],
    )
    for name, rows in made.rows.items():
        connection.execute("insert into published.publication.tables values (?, ?)", [name, rows])
    for day in made.days:
        connection.execute("insert into published.publication.days values (?)", [day])


def _verify(file: Path, made: Publication) -> None:
    """Reads the file as a consumer will: every table there, with the rows of the build. Then it is on the disk.

    Raises:
        PermanentError: it is not so.
    """
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        for name, expected in made.rows.items():
            schema, table = name.split(".", 1)
            found = connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()
            if found != (expected,):
                raise PermanentError(
                    f"The copy of {name} has {found[0] if found else 'no'} rows where the build has {expected}. "
                    "Nothing was published; consumers read what they did. Publish again."
                )
    if file.with_name(f"{file.name}.wal").exists():
        raise PermanentError(f"{file} was not written to its end. Nothing was published. Publish again.")
    _sync(file)


def _sync(path: Path) -> None:
    """The file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    _sync(partial)
    partial.replace(path)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
