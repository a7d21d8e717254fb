"""The lease of one machine, between real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.holder import Holder, Process
from vp_pipeline.warehouse.lease.lease import Lease

# Holds the lease of a folder until its input ends; prints each report while it waits, and `held`.
_HOLD = """
import signal, sys
from functools import partial
from pathlib import Path
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease import lease
lease.REPORT_SECONDS = 0.6
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started by
signal.signal(signal.SIGTERM, signal.SIG_DFL)
report = partial(print, flush=True)
with lease.Lease(LeaseFile(Path(sys.argv[1]), 0.1)).hold(Holder("vp run", "2026-03-10", "1a2b3c4d-rest"), report):
    report("held")
    sys.stdin.read()
"""
# Adds one to the number in a file, slowly, a few times.
_COUNT = """
import sys, time
from pathlib import Path
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.lease import Lease
file = Path(sys.argv[1]) / "number"
for _ in range(10):
    with Lease(LeaseFile(file.parent, 0.001)).hold(Holder("counts"), lambda _: None):
        number = int(file.read_text() or 0) if file.exists() else 0
        time.sleep(0.002)
        file.write_text(str(number + 1))
"""


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def line(of: subprocess.Popen[str]) -> str:
    assert of.stdout is not None
    return of.stdout.readline().rstrip("\n")


def held_here(folder: Path, reports: list[str]) -> float:
    """Takes the lease in this process and gives it back; the seconds that it took."""
    began = time.monotonic()
    with Lease(LeaseFile(folder, 0.02)).hold(Holder("test"), reports.append):
        return time.monotonic() - began


def test_a_killed_holder_loses_it_at_once(tmp_path: Path) -> None:
    lease = Lease(LeaseFile(tmp_path))
    with process(_HOLD, tmp_path) as holder:
        assert line(holder) == "held"
        held = lease.current()
        assert held is not None
        assert (held.process.pid, held.run_id, held.days) == (holder.pid, "1a2b3c4d-rest", "2026-03-10")
        holder.kill()
        holder.wait()
        assert (tmp_path / "lease.json").exists()  # left behind
        assert lease.current() is None
        reports: list[str] = []
        assert held_here(tmp_path, reports) < 1
        assert reports == []
    assert lease.current() is None
    assert not (tmp_path / "lease.json").exists()


def test_who_waits_reports_for_whom_and_since_when_again_and_again(tmp_path: Path) -> None:
    with process(_HOLD, tmp_path) as holder:
        assert line(holder) == "held"
        with process(_HOLD, tmp_path) as waiting:
            first = line(waiting)
            assert first.startswith("Waiting for vp run of 2026-03-10 (run 1a2b3c4d) by ")
            assert f"(process {holder.pid}), since 20" in first
            assert first.endswith(f" UTC: {tmp_path} is held.")
            assert line(waiting) == first  # the moment is that of the holder
            assert holder.stdin is not None
            holder.stdin.close()
            while (printed := line(waiting)) == first:
                pass
            assert printed == "held"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_wait_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with process(_HOLD, tmp_path) as holder:
        assert line(holder) == "held"
        with process(_HOLD, tmp_path) as waiting:
            assert line(waiting).startswith("Waiting for")
            began = time.monotonic()
            waiting.send_signal(number)
            assert waiting.wait(10) != 0
            assert time.monotonic() - began < 3
        assert Lease(LeaseFile(tmp_path)).current() is not None  # the holder's still


def test_no_two_processes_hold_it_at_once(tmp_path: Path) -> None:
    commands: Sequence[list[str]] = [[sys.executable, "-c", _COUNT, str(tmp_path)]] * 4
    started = [subprocess.Popen(command) for command in commands]
    assert [each.wait(60) for each in started] == [0, 0, 0, 0]
    assert (tmp_path / "number").read_text() == "40"


def test_a_process_that_holds_it_may_hold_it_again(tmp_path: Path) -> None:
    outer, inner = Lease(LeaseFile(tmp_path)), Lease(LeaseFile(tmp_path))
    reports: list[str] = []
    with outer.hold(Holder("vp run", "2026-03-10"), reports.append):
        with inner.hold(Holder("a run from the UI", "2026-03-10", "1a2b3c4d"), reports.append):
            held = inner.current()
            assert held is not None
            assert (held.launcher, held.run_id) == ("vp run", "1a2b3c4d")
        assert outer.current() is not None
    assert outer.current() is None
    assert reports == []


def test_it_is_given_back_when_the_block_fails(tmp_path: Path) -> None:
    def fails() -> None:
        with Lease(LeaseFile(tmp_path)).hold(Holder("test"), print):
            raise KeyError("of the block")

    with pytest.raises(KeyError):
        fails()
    with process(_HOLD, tmp_path) as other:
        assert line(other) == "held"


def test_a_document_that_cannot_be_read_stops_nobody(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"process": "4"}', '{"process": "a:b:c"}'):
        (tmp_path / "lease.json").write_text(text)
        assert Lease(LeaseFile(tmp_path)).current() is None
        assert held_here(tmp_path, []) < 1


def test_a_process_is_known_by_more_than_its_number() -> None:
    own = Process.own()
    assert own.is_alive
    assert Process.parse(str(own)) == own
    assert Process(own.host, own.boot, own.pid, "1").is_alive is False  # began at another time
    assert Process(own.host, "another boot", own.pid, own.started).is_alive is False
    assert Process("another-machine", own.boot, 1, "1").is_alive is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    started = Path(f"/proc/{ended.pid}/stat").read_text().rsplit(")")[1].split()[19]
    seen = Process(own.host, own.boot, ended.pid, started)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has waited for it
    assert seen.is_alive is False
    ended.wait()
    assert seen.is_alive is False


# Loses its lease while it waits for something; prints why. Ignores the signals that are its arguments, and no other.
_LOSE = """
import signal, sys, time
from types import SimpleNamespace
from vp_pipeline.warehouse.lease.holder import Holder
from vp_pipeline.warehouse.lease.lease import Lease
store = SimpleNamespace(
    address="a warehouse", retry_seconds=0.1, heartbeat_seconds=0.05,
    take=lambda _: True, renew=lambda _: False, release=lambda _: None, current=lambda: "vp run of another machine",
)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
for ignored in sys.argv[1:]:
    signal.signal(getattr(signal, ignored), signal.SIG_IGN)
with Lease(store).hold(Holder("vp run"), lambda report: print(report, flush=True)):
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("ignored", "ended"),
    [((), signal.SIGINT), (("SIGINT",), signal.SIGTERM), (("SIGINT", "SIGTERM"), signal.SIGKILL)],
    ids=["front", "back", "back with Dagster"],
)
def test_a_lost_lease_ends_the_process_also_where_it_ignores_interrupts(
    ignored: tuple[str, ...], ended: signal.Signals
) -> None:
    """A shell starts `vp run &` with interrupts ignored, and Dagster ignores SIGTERM where they are."""
    done = subprocess.run(
        [sys.executable, "-c", _LOSE, *ignored],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=30,
        check=False,
    )
    assert "The lease on a warehouse was lost" in done.stdout
    assert done.returncode == -ended
