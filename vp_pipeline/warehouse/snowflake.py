"""Production's warehouse: RAW in Snowflake, through dagster-snowflake.

Here: sessions, and how silver's files get into a table. Not here: what loading a day is on every engine
(`loading.py`), and what Snowflake's errors mean (`snowflake_errors.py`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.manifests import SilverManifest, verified
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.contract import RAW_COLUMNS, Column, Table
from vp_pipeline.warehouse import migrations
from vp_pipeline.warehouse.loading import Load, Tag, create_tables, load_day, row_counts
from vp_pipeline.warehouse.snowflake_errors import CONNECT, pipeline_errors

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

# What results depend on and an account may have set otherwise. In every session `timestamp` without a suffix has no
# zone, days are UTC's, weeks and dates as text are ISO's. dbt's sessions get them by a macro that `make generate`
# writes, people and dashboards by `infra/snowflake/06_users.sql`.
SESSION_PARAMETERS: Mapping[str, str | int | bool] = {
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "WEEK_START": 1,
    "WEEK_OF_YEAR_POLICY": 0,
    "DATE_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
}
# The same as `alter session set` and `alter user … set` take them, one each.
ASSIGNMENTS = tuple(
    f"{name.lower()} = " + (f"'{value}'" if isinstance(value, str) else str(value).lower())
    for name, value in SESSION_PARAMETERS.items()
)
# Snowflake shows the tag of every statement in its history and bills; this is the longest it takes.
_TAG_LIMIT = 2_000


class SnowflakeSession:
    """An open session; see `Connection`. Snowflake's errors are raised as ours."""

    def __init__(self, connection: "SnowflakeConnection") -> None:
        self._connection = connection

    def execute(self, query: str, parameters: Any = (), /) -> "SnowflakeCursor":
        """Runs one statement.

        Raises:
            TransientError: the connection was lost, or the session expired.
            PermanentError: Snowflake rejects the statement.
        """
        with pipeline_errors(query):
            cursor = self._connection.cursor()
            cursor.execute(query, list(parameters) or None)
            return cursor


@dataclass(frozen=True)
class SnowflakeWarehouse:
    """A warehouse in a Snowflake database; see `Warehouse`. One of `private_key_path` and `password` is given.

    `stage`: an external stage over the lake's `silver/`. They are looked up when a session is
    opened. `timeout_seconds`: how long a request may wait for a response.
    `address`: host, port and protocol of an emulator.
    """

    account: str
    user: str
    role: str
    warehouse: str
    database: str
    stage: str
    file_format: str
    private_key_path: Path | None = None
    private_key_passphrase: SecretStr | None = None
    password: SecretStr | None = None
    timeout_seconds: int = 600
    address: Mapping[str, object] = field(default_factory=dict)
    row_as_json: ClassVar[str] = "to_json(object_construct_keep_null(*))"

    @contextmanager
    def connect(self, *, read_only: bool = False, tag: Tag | None = None) -> Iterator[SnowflakeSession]:
        """A session that is closed at the end of the block, whatever happens in it.

        Raises:
            TransientError: Snowflake does not respond.
            PermanentError: it rejects the user, the private key cannot be read, or the database is of a newer version
                than this code.
        """
        with self.session(tag) as session:
            migrations.open_version(session, read_only=read_only, ddl_commits=True)
            yield session

    @contextmanager
    def session(self, tag: Tag | None = None) -> Iterator[SnowflakeSession]:
        """As `connect`, for what creates the database itself: the project's tables are not looked at.

        Raises:
            TransientError: Snowflake does not respond.
            PermanentError: it rejects the user, or the private key cannot be read.
        """
        from dagster_snowflake import SnowflakeResource  # a deferred import: it takes seconds

        secrets: dict[str, Any] = {"password": self.password.get_secret_value() if self.password else None}
        if self.private_key_path is not None:
            secrets = {"private_key": self._private_key()}
        resource = SnowflakeResource(
            account=self.account,
            user=self.user,
            role=self.role,
            warehouse=self.warehouse,
            database=self.database,
            autocommit=True,  # outside of our own begin and commit
            paramstyle="qmark",  # the same `?` as DuckDB's, bound by the server
            login_timeout=min(60, self.timeout_seconds),
            network_timeout=self.timeout_seconds,
            additional_snowflake_connection_args={
                "session_parameters": {"QUERY_TAG": query_tag(tag or {}), **SESSION_PARAMETERS},
                **self.address,
            },
            **secrets,
        )
        with pipeline_errors(CONNECT):
            opened = resource.get_connection()
            connection = opened.__enter__()
        try:
            yield SnowflakeSession(connection)
        finally:
            connection.close()  # dagster-snowflake leaves it open after an error

    def load_day(
        self,
        connection: SnowflakeSession,
        lake: Lake,
        partitions: Mapping[Table, SilverManifest],
        now: datetime | None = None,
    ) -> dict[Table, Load]:
        return load_day(_Snowflake(self.stage, self.file_format), connection, lake, partitions, now)

    def create_tables(self, connection: Any, tables: Iterable[Table]) -> None:
        create_tables(_Snowflake(self.stage, self.file_format), connection, tables)

    def row_counts(self, relations: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        if not relations:
            return {}
        with self.connect(read_only=True) as connection:
            return row_counts(connection, relations)

    def _private_key(self) -> str:
        """The key as PEM without passphrase, for the connector."""
        from cryptography.hazmat.primitives import serialization

        assert self.private_key_path is not None
        secret = self.private_key_passphrase
        passphrase = secret.get_secret_value().encode() if secret else None
        try:
            key = serialization.load_pem_private_key(self.private_key_path.read_bytes(), passphrase)
        except (OSError, ValueError, TypeError) as error:
            raise PermanentError(
                f"The private key {self.private_key_path} cannot be read ({type(error).__name__}). Correct "
                "VP_SNOWFLAKE_PRIVATE_KEY_PATH and VP_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: a PEM file (PKCS#8)."
            ) from None
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def query_tag(tag: Tag) -> str:
    """A session's tag: the run, asset and partition of its statements."""
    return json.dumps({"app": "vp_pipeline", **tag})[:_TAG_LIMIT]


@dataclass(frozen=True)
class _Snowflake:
    """What is specific to Snowflake; see `Engine`."""

    stage: str
    file_format: str

    def column(self, column: Column) -> str:
        # COPY fills the file's columns first; RAW's own are filled by the statement after it, so they must take null.
        nullable = column.nullable or column in RAW_COLUMNS
        return f"{column.name} {self._type(column)}{'' if nullable else ' not null'}"

    def reported_type(self, column: Column) -> str:
        if column.type.digits is not None:
            return column.type.sql.replace("decimal", "number")
        return {"bigint": "number(38,0)", "varchar": "text"}.get(column.type.sql, self._type(column))

    def verified_files(self, lake: Lake, manifest: SilverManifest, remedy: str) -> tuple[str, ...]:
        return tuple(item.path for item, _ in verified(lake, manifest.objects, remedy))

    def insert(
        self, connection: SnowflakeSession, table: Table, files: tuple[str, ...], day: date, loaded_at: datetime
    ) -> None:
        for path in files:
            for statement, parameters in self.statements(table, path, day, loaded_at):
                connection.execute(statement, parameters)

    def statements(
        self, table: Table, path: str, day: date, loaded_at: datetime
    ) -> Iterator[tuple[str, Sequence[object]]]:
        """The statements that load one file: exactly this one, whether or not it was loaded before (`force`)."""
        name = f"raw.{table.raw_name}"
        # The stage is over silver alone: Snowflake may read no other part of the lake.
        quoted = path.removeprefix("silver/").replace("'", "''")
        yield (
            f"copy into {name} from @{self.stage} files = ('{quoted}') "
            f"file_format = (format_name = '{self.file_format}') "
            "match_by_column_name = case_insensitive force = true",
            (),
        )
        # COPY by column name cannot add columns of its own. Only rows of this transaction have no _run_date.
        yield (
            f"update {name} set _run_date = cast(? as date), _snapshot_at = snapshot_at, _source_object = ?, "
            "_loaded_at = cast(? as timestamp_ntz) where _run_date is null",
            (day.isoformat(), path, loaded_at.isoformat(sep=" ")),
        )

    def _type(self, column: Column) -> str:
        return {"timestamp": "timestamp_ntz"}.get(column.type.sql, column.type.sql)
