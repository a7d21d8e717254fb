"""The publication copied to a schema of PostgreSQL, for tools that read neither DuckDB nor Snowflake.

Here: the connection, the order of a copy, and the swap. Not here: types and statements of a table
(`postgres_tables.py`).

A copy is made beside what is there, in `<schema>__next`, in one transaction that ends with the swap: two schemas are
renamed. So readers see the previous publication or this one, whole, and never wait: the previous tables
(`<schema>__previous`) are dropped after that, when nobody reads them any more. A copy that was killed has changed
nothing. The table `publication` has which build it is; the same one is not copied again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import OpenPublication, PublishedMarts
from vp_pipeline.settings import Settings

if TYPE_CHECKING:
    from vp_pipeline.delivery.postgres_tables import Model

_CONNECT_SECONDS = 15
# How long to wait for readers of the tables before the last: the next copy drops them otherwise.
_DROP_SECONDS = 10
# PostgreSQL's codes by what to do: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DEPENDENT, _LOCKED, _NO_ROLE = "2BP01", ("55P03", "57014"), ("42704", "22023")


@dataclass(frozen=True)
class Copied:
    """What a copy did: the tables and rows that are there; `is_new`: they were copied now."""

    tables: int
    rows: int
    is_new: bool


@dataclass(frozen=True)
class Postgres:
    """A schema of a database. Without a URL it is off. `reader_role`: who may read, beside the owner."""

    url: SecretStr | None
    schema: str
    reader_role: str | None = None

    @property
    def is_on(self) -> bool:
        return self.url is not None

    def copy(self, marts: PublishedMarts, manifest: Path, log: Callable[[str], None]) -> Copied:
        """Copies the current publication, unless it is there. `manifest`: dbt's, which has keys and descriptions.

        Raises:
            TransientError: the server does not respond, or another process is copying.
            PermanentError: it refuses the user or a statement, or something outside depends on the tables.
        """
        with self._connected() as connection, marts.open() as found:
            published = found.publication
            done = Copied(len(published.tables), sum(published.rows.values()), is_new=False)
            with connection.cursor() as cursor:
                self._claim(cursor)
                if self._there(cursor) == published.build_id:
                    return done
                self._drop(cursor, "next", "previous")
                connection.commit()
                self._fill(cursor, found, marts, manifest, log)
                self._swap(cursor)
                connection.commit()
                self._drop_unread(cursor, log)
                connection.commit()
            return Copied(done.tables, done.rows, is_new=True)

    def _fill(
        self,
        cursor: Any,
        found: OpenPublication,
        marts: PublishedMarts,
        manifest: Path,
        log: Callable[[str], None],
    ) -> None:
        from vp_pipeline.delivery import postgres_tables as tables

        known = tables.models(manifest)
        cursor.execute(f"create schema {self._name('next')}")
        for _, table in found.publication.tables:
            rows = found.query(f"select * from {marts.relation(found.publication, table)}")
            relation = f"{self._name('next')}.{tables.quoted(table)}"
            cursor.execute(tables.create(relation, rows))
            cursor.copy_expert(f"copy {relation} from stdin with (format csv)", tables.csv(rows))
            model: Model = known.get(table, tables.Model())
            for statement in tables.after_load(relation, table, rows, model):
                cursor.execute(statement)
            log(f"{table}: {rows.num_rows:,} rows.")
        self._record(cursor, found.publication)
        if self.reader_role:
            role = tables.quoted(self.reader_role)
            cursor.execute(f"grant usage on schema {self._name('next')} to {role}")
            cursor.execute(f"grant select on all tables in schema {self._name('next')} to {role}")

    def _record(self, cursor: Any, published: Publication) -> None:
        relation = f"{self._name('next')}.publication"
        cursor.execute(
            f"create table {relation} (build_id text primary key, published_at timestamp with time zone not null, "
            "days date[] not null, copied_at timestamp with time zone not null default now())"
        )
        values = (published.build_id, published.published_at, list(published.days))
        cursor.execute(f"insert into {relation} (build_id, published_at, days) values (%s, %s, %s)", values)
        cursor.execute(f"comment on table {relation} is 'Which build of the pipeline these tables are.'")

    def _swap(self, cursor: Any) -> None:
        if self._exists(cursor, "current"):
            cursor.execute(f"alter schema {self._name('current')} rename to {self._name('previous')}")
        cursor.execute(f"alter schema {self._name('next')} rename to {self._name('current')}")

    def _drop_unread(self, cursor: Any, log: Callable[[str], None]) -> None:
        """Drops the previous tables; what is being read, or what a view depends on, is left to the next copy."""
        import psycopg2

        try:
            self._drop(cursor, "previous")
        except (PermanentError, psycopg2.Error) as error:
            cursor.connection.rollback()
            log(f"The previous tables are dropped by the next copy: {str(error).strip().splitlines()[0]}")

    def _drop(self, cursor: Any, *which: str) -> None:
        """Drops what earlier copies left: nothing that is not of them."""
        import psycopg2

        from vp_pipeline.delivery.postgres_tables import quoted

        cursor.execute(f"set local lock_timeout = '{_DROP_SECONDS}s'")
        for each in which:
            if not self._exists(cursor, each):
                continue
            cursor.execute("select tablename from pg_tables where schemaname = %s", (self._plain(each),))
            names = [f"{self._name(each)}.{quoted(name)}" for (name,) in cursor.fetchall()]
            try:
                if names:
                    cursor.execute(f"drop table {', '.join(names)}")
                cursor.execute(f"drop schema {self._name(each)}")
            except psycopg2.Error as error:
                if error.pgcode != _DEPENDENT:
                    raise
                raise PermanentError(
                    f"Something outside of it depends on {self._plain(each)}, the tables of an earlier publication: "
                    f"{' '.join(str(error.diag.message_detail).split())} Drop that: it would show old rows for ever. "
                    f"Queries name {self.schema} themselves."
                ) from None

    def _claim(self, cursor: Any) -> None:
        cursor.execute("select pg_try_advisory_lock(hashtext(%s))", (f"vp_pipeline {self.schema}",))
        if not cursor.fetchone()[0]:
            raise TransientError(f"Another process is copying to the schema {self.schema} of PostgreSQL.")

    def _there(self, cursor: Any) -> str | None:
        cursor.execute("select to_regclass(%s)", (f"{self._name('current')}.publication",))
        if cursor.fetchone()[0] is None:
            if self._exists(cursor, "current") and self._is_foreign(cursor):
                raise PermanentError(
                    f"The schema {self.schema} of PostgreSQL has tables that are not of this pipeline. Set "
                    "VP_POSTGRES_SCHEMA to a schema that only it writes."
                )
            return None
        cursor.execute(f"select build_id from {self._name('current')}.publication")
        row = cursor.fetchone()
        return None if row is None else str(row[0])

    def _is_foreign(self, cursor: Any) -> bool:
        cursor.execute(
            "select count(*) from pg_class where relnamespace = to_regnamespace(%s)", (self._name("current"),)
        )
        return bool(cursor.fetchone()[0])

    def _exists(self, cursor: Any, which: str) -> bool:
        cursor.execute("select to_regnamespace(%s)", (self._name(which),))
        return cursor.fetchone()[0] is not None

    def _plain(self, which: str) -> str:
        return self.schema if which == "current" else f"{self.schema}__{which}"

    def _name(self, which: str) -> str:
        from vp_pipeline.delivery.postgres_tables import quoted

        return quoted(self._plain(which))

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A connection whose session is in UTC. Its errors are raised as ours, without the URL."""
        assert self.url is not None
        try:
            import psycopg2
        except ImportError:
            raise PermanentError(
                "VP_POSTGRES_URL is set, and PostgreSQL's driver is not installed: pip install '.[postgres]'."
            ) from None
        try:
            connection = psycopg2.connect(
                self.url.get_secret_value(), connect_timeout=_CONNECT_SECONDS, options="-c timezone=UTC"
            )
        except psycopg2.OperationalError as error:
            refused = "authentication" in str(error) or "does not exist" in str(error)
            kind = PermanentError if refused else TransientError
            raise kind(f"PostgreSQL cannot be reached: {' '.join(str(error).split())} Check VP_POSTGRES_URL.") from None
        except psycopg2.Error:
            raise PermanentError(
                "VP_POSTGRES_URL is not valid: write postgresql://user:password@host/database."
            ) from None
        try:
            yield connection
        except psycopg2.Error as error:
            raise self._refusal(error) from None
        finally:
            connection.close()

    def _refusal(self, error: Any) -> Exception:
        message = f"PostgreSQL refuses the copy: {' '.join(str(error).split())}"
        if error.pgcode is None or error.pgcode in _LOCKED:
            return TransientError(f"{message} Run it again later.")
        if error.pgcode in _NO_ROLE and self.reader_role:
            return PermanentError(
                f'{message} Create it (create role "{self.reader_role}"), or correct VP_POSTGRES_READER_ROLE.'
            )
        return PermanentError(f"{message} The user of VP_POSTGRES_URL has to own the schema, or may create it.")


def build_postgres(settings: Settings) -> Postgres:
    """The schema that the settings name."""
    return Postgres(settings.postgres_url, settings.postgres_schema, settings.postgres_reader_role)
