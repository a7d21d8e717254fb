"""Snowflake: the exact statements, the sessions, and what happens when it fails in the middle."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from snowflake.connector import errors

from vp_pipeline.failures import DamagedDataError, PermanentError, TransientError
from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.tables import MONTHLY_SOLD
from vp_pipeline.warehouse.snowflake import SESSION_PARAMETERS, SnowflakeWarehouse, query_tag
from vp_pipeline.warehouse.snowflake_errors import CONNECT, pipeline_errors
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import PASSWORD, Lost, SnowflakeStandIn, refusal, snowflake_stand_in
from vp_pipeline_tests.warehouse.test_duckdb_warehouse import partition

# The connector's own thread, which would cancel a statement of a server that is gone.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

DAY = date(2026, 3, 1)
FILE = "silver/keepa/monthly_sold/run_date=2026-03-01/part-00000.parquet"
COPY = (
    f"copy into raw.keepa_monthly_sold from @raw.silver_stage files = ('{FILE[7:]}') file_format = (format_name = "
    "'raw.silver_parquet') match_by_column_name = case_insensitive force = true"
)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3StandIn]:
    with s3_stand_in() as server:
        yield server


@pytest.fixture
def snowflake(s3: S3StandIn) -> Iterator[SnowflakeStandIn]:
    with snowflake_stand_in(s3.url) as server:
        yield server


@pytest.fixture
def lake(s3: S3StandIn, snowflake: SnowflakeStandIn) -> Lake:
    store = s3.new_lake()
    snowflake.deploy(store.url)
    return Lake(store)


def load(warehouse: SnowflakeWarehouse, lake: Lake, manifest: SilverManifest) -> None:
    with warehouse.connect() as session:
        warehouse.load_day(session, lake, {MONTHLY_SOLD: manifest}, datetime(2026, 3, 3))


def loaded(snowflake: SnowflakeStandIn) -> list[Any]:
    return sorted(value for (value,) in snowflake.query("select monthly_sold from raw.keepa_monthly_sold"))


def test_exactly_these_statements_load_a_day(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1, 2))
    begin = snowflake.statements.index(COPY) - 3
    assert snowflake.statements[begin:] == [
        "begin",
        "select content, decoder from raw._loads where table_name = ? and run_date = cast(? as date)",
        "delete from raw.keepa_monthly_sold where _run_date = cast(? as date)",
        COPY,
        "update raw.keepa_monthly_sold set _run_date = cast(? as date), _snapshot_at = snapshot_at, _source_object = "
        "?, _loaded_at = cast(? as timestamp_ntz) where _run_date is null",
        "select count(*) from raw.keepa_monthly_sold where _run_date = cast(? as date)",
        "delete from raw._loads where table_name = ? and run_date = cast(? as date)",
        'insert into raw._loads (table_name, run_date, content, "rows", decoder) select ?, cast(? as date), ?, ?, ?',
        "delete from raw._days where source = ? and stream = ? and run_date = cast(? as date)",
        "insert into raw._days (source, stream, run_date, is_included, is_validated, reason, run_id, changed_at) "
        "select ?, ?, cast(? as date), True, False, nullif(?, ''), ?, cast(? as timestamp)",
        "commit",
    ]


def test_every_statement_is_snowflakes_sql(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    for statement in snowflake.statements:
        (parsed,) = sqlglot.parse(statement, dialect="snowflake")
        assert not isinstance(parsed, sqlglot.exp.Command), statement


def test_a_file_that_was_loaded_before_is_loaded_again(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    """COPY's own history would skip it: `force`."""
    load(snowflake.warehouse(), lake, partition(lake, 1, 2))
    snowflake.query("delete from raw.keepa_monthly_sold where monthly_sold = 1")
    load(snowflake.warehouse(), lake, partition(lake, 1, 2))
    assert loaded(snowflake) == [1, 2]


def test_a_copy_that_loads_fewer_rows_is_rolled_back(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    before = snowflake.query("select * from raw._loads")
    snowflake.faults.append(
        lambda sql: sql.replace("count(*)", "count(*) - 1") if sql.startswith("select count(*)") else None
    )
    with pytest.raises(PermanentError, match=r"took 1 rows for 2026-03-01 where the manifest has 2.*rolled back"):
        load(snowflake.warehouse(), lake, partition(lake, 5, 6))
    assert loaded(snowflake) == [1]
    assert snowflake.query("select * from raw._loads") == before
    assert snowflake.statements[-1] == "rollback"


@pytest.mark.parametrize("at", ["copy into", "update raw", "insert into raw._loads", "commit"])
def test_a_connection_that_is_lost_leaves_yesterday(snowflake: SnowflakeStandIn, lake: Lake, at: str) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    snowflake.faults.append(lambda sql: Lost() if sql.startswith(at) else None)
    with pytest.raises(TransientError, match=r"Snowflake reports .*What was not committed is rolled back"):
        load(snowflake.warehouse(timeout_seconds=1), lake, partition(lake, 5, 6))
    snowflake.down = False
    snowflake.faults.clear()
    assert loaded(snowflake) == [1]
    load(snowflake.warehouse(), lake, partition(lake, 5, 6))
    assert loaded(snowflake) == [5, 6]


def test_an_expired_token_is_a_transient_failure(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    snowflake.faults.append(
        lambda sql: refusal(390112, "Your session has expired.") if sql.startswith("copy") else None
    )
    with pytest.raises(TransientError, match=r"Snowflake reports .* for `copy into"):
        load(snowflake.warehouse(timeout_seconds=2), lake, partition(lake, 5, 6))
    snowflake.faults.clear()
    assert loaded(snowflake) == [1]


def test_a_rejected_statement_is_named(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    snowflake.faults.append(
        lambda sql: refusal(3001, "Insufficient privileges on stage") if sql.startswith("copy") else None
    )
    with pytest.raises(PermanentError, match=r"reports 3001 for `copy into raw\.keepa_.*Insufficient privileges"):
        load(snowflake.warehouse(), lake, partition(lake, 5))
    assert loaded(snowflake) == [1]


@pytest.mark.parametrize(
    "error", [errors.HttpError(msg="404 Not Found", errno=290404), errors.ForbiddenError(msg="403", errno=250001)]
)
def test_an_account_that_is_not_there_is_named_at_once(error: errors.Error) -> None:
    with pytest.raises(PermanentError, match=r"Correct VP_SNOWFLAKE_ACCOUNT"), pipeline_errors(CONNECT):
        raise error


def test_an_object_that_is_removed_before_the_copy_is_named(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    load(snowflake.warehouse(), lake, partition(lake, 1))
    manifest = partition(lake, 5)
    lake.delete(FILE)
    with pytest.raises(DamagedDataError, match=rf"The object {FILE} is missing\. Decode the day again"):
        load(snowflake.warehouse(), lake, manifest)
    assert loaded(snowflake) == [1]


def test_a_server_that_does_not_respond_times_out(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    snowflake.down = True
    with pytest.raises(TransientError, match="for `connect`"), snowflake.warehouse(timeout_seconds=1).connect():
        pass


def test_a_session_is_closed_on_every_path(snowflake: SnowflakeStandIn, lake: Lake) -> None:
    import fakesnow.server

    there = len(fakesnow.server.sessions)
    with pytest.raises(PermanentError, match="nothing"), snowflake.warehouse().connect() as session:
        session.execute("select * from raw.nothing")
    assert len(fakesnow.server.sessions) == there
    with snowflake.warehouse().connect():
        pass
    assert len(fakesnow.server.sessions) == there


def test_a_session_has_its_purpose_and_the_parameters_that_results_depend_on(
    snowflake: SnowflakeStandIn, lake: Lake
) -> None:
    tag = {"run": "r1", "asset": "raw/keepa_product", "partition": "2026-03-01"}
    with snowflake.warehouse().connect(tag=tag) as session:
        sent = session._connection._session_parameters["QUERY_TAG"]
    assert json.loads(sent) == {"app": "vp_pipeline", **tag}
    assert {name: snowflake.logins[-1][name] for name in SESSION_PARAMETERS} == SESSION_PARAMETERS
    needed = {"TIMEZONE": "UTC", "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ", "WEEK_START": 1, "WEEK_OF_YEAR_POLICY": 0}
    assert needed.items() <= SESSION_PARAMETERS.items()
    assert len(query_tag({"run": "x" * 9_000})) == 2_000


@pytest.mark.parametrize("passphrase", [None, "secret-of-the-stand-in/key"])
def test_a_key_pair_signs_in(snowflake: SnowflakeStandIn, tmp_path: Path, passphrase: str | None) -> None:
    key = rsa.generate_private_key(65537, 2048)
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    path = tmp_path / "key.p8"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    options = {"password": None, "private_key_path": path, "private_key_passphrase": SecretStr(passphrase or "")}
    with snowflake.warehouse(**options).connect() as session:
        assert session.execute("select 1").fetchall() == [(1,)]
    if passphrase:
        wrong = snowflake.warehouse(**{**options, "private_key_passphrase": SecretStr("another")})
        with pytest.raises(PermanentError, match="VP_SNOWFLAKE_PRIVATE_KEY_PASSPHRASE") as refused, wrong.connect():
            pass
        assert passphrase not in str(refused.value)


def test_no_password_is_included(snowflake: SnowflakeStandIn) -> None:
    assert PASSWORD not in repr(snowflake.warehouse())
