"""The schema of the project's own tables in the warehouse, as numbered migrations from nothing to the present version.

Whoever opens a warehouse for writing brings it to the present version first, whatever its version is; one of a newer
version is refused. Readers read an older warehouse as it is.

Here: every table that the pipeline itself keeps, for DuckDB and Snowflake alike. Not here: the tables of RAW, which
follow their contracts (`loading.py`), those that dbt builds, and publications (`publishing/publication.py`).

    raw._schema_version   a row per migration that was taken; the highest number is the version. No table: version 0

On DuckDB a migration is one transaction with its row in `raw._schema_version`: one that is killed has changed nothing.
Snowflake commits at every DDL statement, so there it is no transaction, the row is written last, and one that is killed
leaves its first steps. The next session for writing takes it again from its first step on, and so each step must give
the same when it is taken twice.
"""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from vp_pipeline.failures import PermanentError
from vp_pipeline.warehouse.connection import Connection, transaction

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenamedColumn:
    """A step: the column `before` of a table has the name `after`. Neither engine can rename "if exists"."""

    table: str
    before: str
    after: str

    def take(self, connection: Connection) -> None:
        if _has_column(connection, self.table, self.before):
            connection.execute(f"alter table {self.table} rename column {self.before} to {self.after}")


# A statement, or a step that looks first. Taken twice, it gives the same.
Step = str | RenamedColumn


@dataclass(frozen=True)
class Migration:
    """What leads from one version to the next. `what`: for the person who reads the log."""

    what: str
    steps: Sequence[Step]


_VERSIONS = "create table if not exists raw._schema_version (version integer, what varchar, taken_at timestamp)"

# From version 0 on. A migration that a warehouse may have taken is never edited: a change is another one.
MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "the tables of v0.1.0",
        (
            "create schema if not exists raw",
            "create schema if not exists monitoring",
            "create table if not exists raw._days (source varchar, stream varchar, run_date date, is_shown boolean, "
            "is_settled boolean, reason varchar, run_id varchar, changed_at timestamp)",
            "create table if not exists raw._builds (build_id varchar, run_id varchar, began_at timestamp, "
            "ended_at timestamp, state varchar, days varchar)",
            # ROWS is a word that Snowflake reserves.
            'create table if not exists raw._loads (table_name varchar, run_date date, content varchar, "rows" bigint)',
            "create table if not exists monitoring._runs (run_id varchar, run_date date, airbyte_job_id varchar, "
            "rows_loaded bigint, models_built bigint, models_failed bigint, tests_passed bigint, tests_warned bigint, "
            "tests_failed bigint, started_at timestamp, finished_at timestamp, seconds double)",
            "create table if not exists monitoring._test_results (run_id varchar, first_date date, last_date date, "
            "layer varchar, model varchar, test_name varchar, status varchar, failing_rows bigint, seconds double, "
            "finished_at timestamp)",
            "create table if not exists monitoring._rows (run_id varchar, run_date date, layer varchar, asset varchar, "
            "row_count bigint, finished_at timestamp)",
        ),
    ),
    Migration(
        "which code made a model and a day, what is stale, the time of each model",
        (
            "alter table raw._loads add column if not exists decoder varchar",
            "create table if not exists raw._stale (node varchar, reason varchar)",
            "create table if not exists raw._models (model varchar, relation varchar, code varchar, "
            "built_at timestamp)",
            "create table if not exists raw._model_code (code varchar, model varchar, own varchar, parts varchar, "
            "recorded_at timestamp)",
            "create table if not exists monitoring._model_builds (run_id varchar, first_date date, last_date date, "
            "layer varchar, model varchar, status varchar, seconds double, rows_written bigint, rows_total bigint, "
            "query_id varchar, is_restated boolean, finished_at timestamp)",
        ),
    ),
    Migration(
        "raw._days: is_included and is_validated",
        (
            RenamedColumn("raw._days", "is_shown", "is_included"),
            RenamedColumn("raw._days", "is_settled", "is_validated"),
        ),
    ),
    Migration(
        "the answers that are excluded by product",
        (
            "create table if not exists raw._excluded_answers (source varchar, stream varchar, entity varchar, "
            "run_date date, reason varchar, run_id varchar, excluded_at timestamp)",
        ),
    ),
    Migration(
        "the rows that failed a dbt test",
        (
            "create table if not exists monitoring.failing_rows (run_id varchar, first_date date, last_date date, "
            "layer varchar, model varchar, test_name varchar, failing_row varchar, recorded_at timestamp)",
        ),
    ),
    # In the text of `raw._builds.days`; what is stored already is read as it is.
    Migration("the days of a build by stream", ()),
)


def open_version(connection: Connection, *, read_only: bool, ddl_commits: bool) -> None:
    """To be called when a warehouse is opened. For writing, it is brought to the present version, and what was done to
    one that has data is logged. `ddl_commits`: whether the engine commits at every DDL statement.

    Raises:
        PermanentError: it is of a newer version.
    """
    found = require_known(connection)
    if read_only or found == len(MIGRATIONS):
        return
    is_new = not _has_column(connection, "raw._days", "run_date")
    done = migrate(connection, ddl_commits=ddl_commits)
    if not is_new:
        _LOG.warning("Tables of the warehouse were upgraded to version %d: %s.", len(MIGRATIONS), "; ".join(done))


def version(connection: Connection) -> int:
    """The version of a warehouse; 0: one without the project's tables, or of v0.1.0 and before."""
    if not _has_column(connection, "raw._schema_version", "version"):
        return 0
    return int(connection.execute("select max(version) from raw._schema_version").fetchone()[0] or 0)


def migrate(
    connection: Connection, migrations: Sequence[Migration] = MIGRATIONS, *, ddl_commits: bool = False
) -> list[str]:
    """Brings the project's tables to the present version, one migration after the other; returns what was done.

    Raises:
        PermanentError: the warehouse is of a newer version, and nothing was changed.
    """
    done = []
    for number in range(require_known(connection, migrations) + 1, len(migrations) + 1):
        migration = migrations[number - 1]
        with nullcontext() if ddl_commits else transaction(connection):
            for step in migration.steps:
                if isinstance(step, str):
                    connection.execute(step)
                else:
                    step.take(connection)
            connection.execute(_VERSIONS)
            connection.execute(
                "insert into raw._schema_version (version, what, taken_at) select ?, ?, cast(? as timestamp)",
                [number, migration.what, datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")],
            )
        done.append(migration.what)
    return done


def require_known(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """The version of a warehouse that this code can read.

    Raises:
        PermanentError: it is a newer one.
    """
    found = version(connection)
    if found > len(migrations):
        raise PermanentError(
            f"The warehouse has version {found} of the project's tables (raw._schema_version), and this code knows up "
            f"to {len(migrations)}: a newer version of the project has written it. Nothing was changed. Use that "
            "version here too, or go back as docs/upgrades.md describes."
        )
    return found


def _has_column(connection: Connection, table: str, column: str) -> bool:
    found = connection.execute(
        "select 1 from information_schema.columns where lower(table_schema) = ? and lower(table_name) = ? "
        "and lower(column_name) = ?",
        [*table.split("."), column],
    ).fetchone()
    return bool(found)
