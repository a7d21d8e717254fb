"""Snowflake on loopback: fakesnow's server, the statements that it was sent, and faults among them.

What fakesnow cannot do is a no-operation here (`NO_OPERATION`) or rewritten (`_rewritten`). The README
lists it, with the check that replaces it.
"""

import gzip
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import fakesnow.server
import s3fs
import snowflake.connector.errors as errors
import starlette.requests
import uvicorn
from fakesnow.instance import FakeSnow
from pydantic import SecretStr

from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse
from vp_pipeline_tests.stand_ins.s3 import KEYS

PASSWORD = "secret-of-the-stand-in/snowflake"
DATABASE = "VERACITYPRO"
# Roles, warehouses, grants, sessions and comments: the emulator has none of them.
NO_OPERATION = [
    r"\s*use (warehouse|role|secondary)",
    r"\s*(grant|revoke)\b",
    r"\s*comment on",
    r"\s*alter session",
    r"\s*alter schema \S+ enable managed access",
    r"\s*drop file format",
    r"\s*alter table .* modify column .* comment",
]
SWAP = re.compile(r"alter schema (\w+) swap with (\w+)")
CLONE = re.compile(r"create or replace schema (\w+)\.(\w+) clone (\w+)\.(\w+)")
DROP_STAGE = re.compile(r"drop stage (\w+)\.(\w+)\.(\w+)")
_STAGES = "_fs_global._fs_information_schema._fs_stages"
# Statements that define objects commit what is open, as Snowflake's reference has it; DuckDB's do not.
DDL = re.compile(r"\s*(create|drop|undrop|alter (?!session)|grant|revoke|comment|truncate)\b", re.IGNORECASE)
BEGIN = re.compile(r"\s*(begin|start transaction)\b", re.IGNORECASE)
END = re.compile(r"\s*(commit|rollback)\b", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)  # dbt's: which node sends the statement
# What a test injects for a statement: None to run it, another statement to run instead, or an error to raise.
Fault = Callable[[str], str | Exception | None]


class Lost(Exception):
    """The connection is lost at this statement, and the session with it."""


class SnowflakeStandIn:
    """The server. `statements`: what was sent, in order. `logins`: the parameters of each session."""

    def __init__(self, s3_url: str, keys: Mapping[str, str] | None = None) -> None:
        self.statements: list[str] = []
        self.logins: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.down = False
        self._open: dict[
            int, Callable[[], Any]
        ] = {}  # sessions within an explicit transaction, and how each is rolled back
        logging.getLogger("fakesnow.server").setLevel(logging.ERROR)
        self._fake = FakeSnow(nop_regexes=NO_OPERATION)
        of_role = keys or {}
        lake = s3fs.S3FileSystem(
            endpoint_url=s3_url,
            key=of_role.get("aws_access_key_id", KEYS["AWS_ACCESS_KEY_ID"]),
            secret=of_role.get("aws_secret_access_key", KEYS["AWS_SECRET_ACCESS_KEY"]),
            token=of_role.get("aws_session_token"),
            use_listings_cache=False,
            skip_instance_cache=True,
            config_kwargs={"s3": {"addressing_style": "path"}},
        )
        self._fake.duck_conn.register_filesystem(lake)
        self._connect = self._fake.connect
        self._fake.connect = self._recording  # type: ignore[method-assign]
        fakesnow.server.shared_fs = self._fake
        config = uvicorn.Config(self._app, interface="asgi3", port=0, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def warehouse(self, **options: Any) -> SnowflakeWarehouse:
        settings: dict[str, Any] = {
            "account": "org-standin",
            "user": "PIPELINE",
            "role": "VP_PIPELINE",
            "warehouse": "VP_LOAD",
            "database": DATABASE,
            "stage": "raw.silver_stage",
            "file_format": "raw.silver_parquet",
            "password": SecretStr(PASSWORD),
            "timeout_seconds": 10,
            "address": {"host": "127.0.0.1", "port": self.port, "protocol": "http"},
        }
        return SnowflakeWarehouse(**{**settings, **options})

    def deploy(self, lake_url: str, database: str = DATABASE, *, again: bool = False) -> None:
        """What `infra/snowflake` makes, as far as the emulator knows it. `again`: what is there stays as it is."""
        for each in (database, f"{database}_DIFF"):
            self.query(f"create database if not exists {each}")
        raw = f"{database}.raw"
        self.query(f"create schema if not exists {raw}")  # fakesnow knows no other options of what follows
        self.query(f"create file format if not exists {raw}.silver_parquet type = parquet")
        stage = "create stage if not exists" if again else "create or replace stage"
        self.query(f"{stage} {raw}.silver_stage url = '{lake_url}/silver/'")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, past the faults and the record."""
        connection = self._connect(DATABASE)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def tables(self, schema: str) -> list[str]:
        found = self.query(
            f"select lower(table_name) from information_schema.tables where lower(table_schema) = '{schema}' order by 1"
        )
        return [name for (name,) in found]

    def administer(self, statement: str) -> None:
        """Runs an administrator's statement, also where the emulator knows it not."""
        if found := CLONE.fullmatch(statement):
            self._clone_schema(*found.groups())
        elif found := DROP_STAGE.fullmatch(statement):
            named = " and ".join(
                f"{column} = '{name.upper()}'"
                for column, name in zip(("database_name", "schema_name", "name"), found.groups(), strict=True)
            )
            assert self._fake.duck_conn.execute(f"delete from {_STAGES} where {named}").fetchall() == [(1,)]
        else:
            self.query(statement)

    def _clone_schema(self, *names: str) -> None:
        """Copies a schema's tables, and its stages, which keep their addresses; the emulator clones tables only."""
        database, schema, of_database, of_schema = (name.upper() for name in names)
        self.query(f"create database if not exists {database}")
        self.query(f"drop schema if exists {database}.{schema} cascade")
        self.query(f"create schema {database}.{schema}")
        for table in self.tables(of_schema.lower()):
            self.query(f"create table {database}.{schema}.{table} clone {of_database}.{of_schema}.{table}")
        moved = f"'{database}' as database_name, '{schema}' as schema_name"
        self._fake.duck_conn.execute(
            f"insert or replace into {_STAGES} select * replace ({moved}) from {_STAGES} "
            f"where database_name = '{of_database}' and schema_name = '{of_schema}'"
        )

    def _swap(self, one: str, other: str) -> None:
        """Exchanges two schemas' tables, one after the other: the emulator cannot do it in one step."""
        of_one, of_other = self.tables(one), self.tables(other)
        self.query("create schema between_swap")
        moves = [(one, "between_swap", of_one), (other, one, of_other), ("between_swap", other, of_one)]
        for source, target, tables in moves:
            for name in tables:
                self.query(f"create table {target}.{name} as select * from {source}.{name}")
                self.query(f"drop table {source}.{name}")
        self.query("drop schema between_swap")

    def abort_detached(self) -> int:
        """Rolls back what is open in sessions whose process was killed; returns how many there were. Snowflake does it
        once such a transaction has kept another one waiting for five minutes."""
        detached, self._open = self._open, {}
        for roll_back in detached.values():
            roll_back()
        return len(detached)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("login-request"):
            receive, send = await self._recorded_login(receive), _with_master_token(send)
        if self.down:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await fakesnow.server.app(scope, receive, send)

    async def _recorded_login(self, receive: Any) -> Any:
        """Keeps the parameters of a session; the server reads the same request after it."""
        request = await starlette.requests.Request({"type": "http", "headers": []}, receive).body()
        text = gzip.decompress(request) if request[:2] == b"\x1f\x8b" else request
        self.logins.append(json.loads(text)["data"]["SESSION_PARAMETERS"])

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": request, "more_body": False}

        return again

    def _recording(self, *args: Any, **options: Any) -> Any:
        connection = self._connect(*args, **options)
        make_cursor = connection.cursor
        session = id(connection)

        def cursor(*args: Any, **options: Any) -> Any:
            made = make_cursor(*args, **options)
            execute = made.execute

            def recording(command: str, *args: Any, **options: Any) -> Any:
                if not options.get("server"):
                    return execute(command, *args, **options)
                self.statements.append(command)
                for fault in list(self.faults):
                    injected = fault(command)
                    if isinstance(injected, Lost):
                        self.down = True
                        self._open.pop(session, None)
                        connection.close()  # as Snowflake does: the session ends, and its transaction with it
                    if isinstance(injected, Exception):
                        raise injected
                    command = injected or command
                bare = _COMMENT.sub("", command)
                self._follow(session, bare, execute)
                if swap := SWAP.fullmatch(command):
                    self._swap(*swap.groups())
                    command = "select 'Statement executed successfully.'"
                try:
                    return execute(_rewritten(command), *args, **options)
                except duckdb.ConstraintException as error:
                    raise refusal(100072, f"NULL result in a non-nullable column ({error})") from None

            made.execute = recording
            return made

        connection.cursor = cursor
        return connection

    def _follow(self, session: int, statement: str, execute: Callable[[str], Any]) -> None:
        """Keeps whether a session is within a transaction; a statement that defines an object commits what is open."""
        if session in self._open and DDL.match(statement):
            execute("commit")
        if BEGIN.match(statement):
            self._open[session] = lambda: execute("rollback")
        elif END.match(statement) or DDL.match(statement):
            self._open.pop(session, None)


def _with_master_token(send: Any) -> Any:
    """The connector ends a session on the server only if it was given a master token, and fakesnow gives none."""
    messages: list[Any] = []

    async def forward(message: Any) -> None:
        messages.append(message)
        if len(messages) == 2:
            response = json.loads(message["body"])
            response["data"]["masterToken"] = response["data"]["token"]
            body = json.dumps(response).encode()
            await send({**messages[0], "headers": [(b"content-type", b"application/json")]})
            await send({**message, "body": body})

    return forward


def _rewritten(statement: str) -> str:
    """A qualified temporary table is made as a permanent one; a checksum of rows is DuckDB's,
    exact: a sum of floating-point numbers depends on the order of the rows."""
    statement = re.sub(
        r"hash_agg\(\*\) from ([\w.]+)",
        r"cast(sum(hash(whole) % 1000000007) as varchar) from \1 as whole",
        statement,
    )
    statement = re.sub(r"hash\((\w+)\.\*\)", r"hash(\1)", statement)
    return re.sub(r"(?i)create( or replace)? temporary (table|view)", r"create\1 \2", statement, count=1)


def refusal(number: int, text: str) -> Exception:
    """An error as Snowflake words it."""
    return errors.ProgrammingError(msg=text, errno=number, sqlstate="22000")


@contextmanager
def snowflake_stand_in(s3_url: str, keys: Mapping[str, str] | None = None) -> Iterator[SnowflakeStandIn]:
    """`keys`: of the role in which it reads silver; None: of nobody, where nothing is enforced."""
    server = SnowflakeStandIn(s3_url, keys)
    try:
        yield server
    finally:
        server.close()
