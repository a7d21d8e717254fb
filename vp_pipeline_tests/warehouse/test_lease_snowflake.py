"""The lease as a row, between sessions of Snowflake's stand-in."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlglot

from vp_pipeline.failures import TransientError
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse.lease import lease as module
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.lease import GRACE_SECONDS, Lease
from vp_pipeline.warehouse.lease.row import EXPIRY_SECONDS, HEARTBEAT_SECONDS, REQUEST_SECONDS, RETRY_SECONDS, LeaseRow
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import SnowflakeStandIn, snowflake_stand_in

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeStandIn]:
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as server:
        server.deploy(s3.new_lake().url)
        yield server


@pytest.fixture
def snowflake(server: SnowflakeStandIn) -> SnowflakeStandIn:
    """Nobody holds the lease."""
    server.query("drop table if exists raw._lease")
    server.statements.clear()
    return server


def row(snowflake: SnowflakeStandIn, **options: float) -> LeaseRow:
    return LeaseRow(snowflake.warehouse(), **options)  # type: ignore[arg-type]


def expires(snowflake: SnowflakeStandIn) -> None:
    """As if the holder had been silent."""
    snowflake.query(
        f"update raw._lease set heartbeat = dateadd(second, -{EXPIRY_SECONDS + 1}, sysdate()) where holder <> ''"
    )


def test_one_holds_it_until_it_is_given_back_or_has_expired(snowflake: SnowflakeStandIn) -> None:
    first, second = row(snowflake), row(snowflake)
    assert first.current() is None
    assert first.take(Holder("schedule daily", "2026-03-10", "run-1"))
    assert not second.take(Holder("vp run"))
    held = second.current()
    assert held is not None
    assert (held.launcher, held.days, held.run_id) == ("schedule daily", "2026-03-10", "run-1")
    second.release(held)  # not its own
    assert second.current() is not None
    first.release(held)
    assert second.current() is None
    assert second.take(Holder("vp run", "", "run-2"))

    # Silent for too long: another one takes it, and the first one notices.
    expires(snowflake)
    assert first.current() is None
    assert first.take(Holder("vp run", "", "run-3"))
    assert not second.renew(Holder("vp run", "", "run-2"))
    assert first.renew(Holder("vp run", "", "run-3"))
    assert snowflake.query("select count(*) from raw._lease") == [(1,)]


def test_of_many_that_try_at_once_one_gets_it(snowflake: SnowflakeStandIn) -> None:
    rows = [row(snowflake) for _ in range(6)]
    rows[0].current()
    start = threading.Barrier(len(rows))

    def take(each: LeaseRow) -> bool:
        start.wait()
        try:
            return each.take(Holder("vp run"))
        except Exception:  # the emulator refuses an update at the same time; Snowflake lets it wait
            return False

    with ThreadPoolExecutor(len(rows)) as pool:
        assert sum(pool.map(take, rows)) == 1


def test_to_take_it_is_one_statement_that_is_committed_by_itself(snowflake: SnowflakeStandIn) -> None:
    assert row(snowflake).take(Holder("vp run"))
    kinds = [sqlglot.parse_one(statement, dialect="snowflake").key for statement in snowflake.statements]
    assert kinds == ["create", "update", "select"]
    assert f"dateadd(second, -{EXPIRY_SECONDS}, sysdate())" in snowflake.statements[1]


def test_a_holder_stops_before_another_one_may_begin() -> None:
    """It stops at the first try that fails when the grace is over. That try begins `RETRY_SECONDS` after one that has
    failed just before it was over, and takes three requests: signing in, the update, and looking whose it is."""
    assert HEARTBEAT_SECONDS + GRACE_SECONDS + RETRY_SECONDS + 3 * REQUEST_SECONDS < EXPIRY_SECONDS


def test_a_warehouse_sleeps_between_two_heartbeats_and_a_killed_run_frees_it_within_minutes() -> None:
    text = (PROJECT_ROOT / "infra" / "snowflake" / "02_warehouses.sql").read_text()
    (seconds,) = {int(found) for found in re.findall(r"auto_suspend = (\d+)", text)}
    assert 2 * seconds <= HEARTBEAT_SECONDS
    assert EXPIRY_SECONDS < 5 * 60


@pytest.mark.parametrize("cause", ["taken", "unreachable"])
def test_a_lease_that_is_lost_interrupts_its_holder(
    snowflake: SnowflakeStandIn, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[str] = []
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it

    def holds() -> None:
        lease = Lease(row(snowflake, heartbeat_seconds=0.2))
        with lease.hold(Holder("vp run", "2026-03-10"), reports.append):
            time.sleep(0.5)
            assert lease.current() is not None
            if cause == "taken":
                snowflake.query("update raw._lease set holder = 'another'")
            else:
                snowflake.faults.append(lambda _: _unreachable())
            signal.pause()

    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            holds()
    finally:
        signal.signal(signal.SIGINT, before)
    snowflake.faults.clear()
    assert time.monotonic() - began < 20
    assert "was lost, so this process stops writing" in reports[-1]


def _unreachable() -> Exception:
    from snowflake.connector import errors

    return errors.ProgrammingError(msg="statement cancelled", errno=604)


@pytest.mark.parametrize("failures", [2, 50])
def test_a_server_that_is_away_for_a_moment_is_asked_again(snowflake: SnowflakeStandIn, failures: int) -> None:
    left = iter(range(failures))
    snowflake.faults.append(lambda _: _unreachable() if next(left, None) is not None else None)
    reports: list[str] = []

    def holds() -> str:
        with Lease(row(snowflake, retry_seconds=0.01)).hold(Holder("vp run"), reports.append):
            return "held"

    try:
        if failures == 2:
            assert holds() == "held"
        else:
            with pytest.raises(TransientError, match="statement cancelled"):
                holds()
    finally:
        snowflake.faults.clear()
    assert "statement cancelled" in reports[0]
