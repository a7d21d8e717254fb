"""The commands, typed as a person would, in processes of their own."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import dagster as dg
import pytest

from vp_pipeline.partitions import newest_finished_day
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.contents import contents

pytestmark = pytest.mark.integration

VP = Path(sys.executable).with_name("vp")
DAY, AFTER = "2026-09-03", "2026-09-04"


def vp(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(VP), *arguments], env=environment, capture_output=True, text=True, check=False)


def words(text: str) -> str:
    """The text without the lines of boxes and the breaks that they put in."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def test_a_day_runs_shows_and_runs_again_without_a_change(environment: dict[str, str], tmp_path: Path) -> None:
    environment["VP_KEEPA_ASINS"] = GreenDays.PRODUCTS
    first = vp(environment, "run", "--date", DAY)
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stderr == ""
    for layer in ("airbyte", "bronze", "silver", "raw", "stg", "core", "mart", "published"):
        (row,) = re.findall(rf"^│ {layer} +│(.*)│$", first.stdout, flags=re.MULTILINE)
        assets, rows, passed, warned, failed, _ = (cell.strip().replace(",", "") for cell in row.split("│"))
        assert int(assets) > 0
        assert int(rows) > 0
        assert int(passed) > 0
        assert (warned, failed) == ("0", "0")
    before = contents(tmp_path / "data" / "warehouse.duckdb")

    (day,) = json.loads(vp(environment, "days", "--json").stdout)
    assert (day["day"], day["in_marts"], day["published"], day["failed_checks"]) == (DAY, True, True, [])
    assert len(day["publications"]) == 1

    second = vp(environment, "run", "--date", DAY)
    assert second.returncode == 0, second.stdout + second.stderr
    assert contents(tmp_path / "data" / "warehouse.duckdb") == before

    # Both runs are on the instance that the UI shows, as runs of the partition, with the link to the code location.
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        runs = instance.get_runs()
        assert [(r.status.value, r.tags["dagster/partition"], r.job_name) for r in runs] == [
            ("SUCCESS", DAY, "daily_pipeline")
        ] * 2
        assert all(r.remote_job_origin is not None for r in runs)
        mart = dg.AssetKey(["mart", "fct_price_history_daily"])
        assert set(instance.get_materialized_partitions(mart)) == {DAY}


def test_a_failed_gate_ends_with_one_readable_block(environment: dict[str, str], tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "broken.json").write_text('{"products": [')
    failed = vp(environment, "run", "--date", DAY, "--recordings", str(answers))
    assert failed.returncode == 1
    assert "broken.json" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--date", "2024-12-31"], "before the first partition, 2025-01-01 (VP_START_DATE)"),
        (["run", "--date", "tomorrow"], "tomorrow is not a day. Write it as 2026-03-01, or yesterday, or latest."),
        (["run", "--date", f"{newest_finished_day() + timedelta(days=1)}"], "is not over yet"),
        (["run", "--from", "2026-01-02"], "--from and --to go together"),
        (["run", "--from", "2026-01-02", "--to", "2026-01-01"], "The range is backwards"),
        (["run", "--date", "2026-01-02", "--to", "2026-01-03"], "either --date, or --from and --to"),
        (["run", "--recordings", "/nowhere"], "/nowhere is not a folder"),
        (["sandbox", "--recordings", "/nowhere"], "/nowhere"),
        (["maintain", "--keep"], "No such option"),
    ],
)
def test_a_mistake_ends_in_a_sentence(environment: dict[str, str], arguments: list[str], message: str) -> None:
    failed = vp(environment, *arguments)
    assert failed.returncode in (1, 2)
    assert message in words(failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("VP_ENV", "staging", "VP_ENV cannot be used: Input should be 'local'"),
        ("VP_DATADIR", "x", "Did you mean VP_DATA_DIR?"),
        ("VP_DATA_DIR", "/proc/nowhere", "The data folder cannot be written"),
    ],
)
def test_a_wrong_variable_ends_in_a_sentence(
    environment: dict[str, str], variable: str, value: str, message: str
) -> None:
    failed = vp({**environment, variable: value}, "run", "--date", DAY)
    assert failed.returncode == 1
    assert message in words(failed.stdout + failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr


def test_all_that_would_stop_a_run_is_found_before_its_first_step(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data" / "warehouse.duckdb").mkdir(parents=True)
    (tmp_path / "data" / "lake").touch()
    wrong = {"VP_EXPORT_MART": "nope", "KEEPA_API_KEY": "k", "VP_KEEPA_RECORDINGS": ""}
    began = time.monotonic()
    failed = vp({**environment, **wrong}, "run", "--date", "yesterday")
    assert time.monotonic() - began < 30
    assert failed.returncode == 1
    assert failed.stdout == ""
    for problem in (
        "warehouse.duckdb is no DuckDB database. Restore it from a backup, or move it away",
        "lake is a file, and a folder is needed there: move it away, or set VP_DATA_DIR.",
        "VP_EXPORT_MART is nope, which is not a mart with a grain. Known: ",
        "KEEPA_API_KEY is set, but VP_KEEPA_ASINS names no product to request.",
        "Nothing was run.",
    ):
        assert problem in words(failed.stderr), failed.stderr
    assert "Traceback" not in failed.stderr
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        assert instance.get_runs() == []


def test_the_sandbox_on_a_taken_port_is_a_sentence(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = vp(environment, "sandbox", "--port", f"{taken.getsockname()[1]}")
    assert refused.returncode == 1
    assert "cannot be used: Address already in use" in words(refused.stderr)
    assert "Traceback" not in refused.stdout + refused.stderr


def test_the_sandbox_is_served_by_hand(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [str(VP), "sandbox", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        stdout: IO[str] | None = server.stdout
        assert stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+/keepa", stdout.readline())
        assert found
        url = f"{found[0]}/as-of/{DAY}/product?key=k&domain=1&asin=B0SBXTWO06&stats=90"
        with urlopen(url, timeout=10) as response:
            envelope = json.load(response)
        server.terminate()
    end_of_day = 1000 * (date.fromisoformat(DAY) - date(1970, 1, 1)).days * 86_400 + 86_400_000 - 1
    assert envelope["timestamp"] == end_of_day
    assert envelope["products"][0]["stats"]["current"]


def test_maintain_only_lists_by_default(environment: dict[str, str]) -> None:
    listed = vp(environment, "maintain")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "0 items, 0 bytes: eligible for deletion; nothing was deleted" in words(listed.stdout)


@pytest.mark.slow
def test_a_run_whose_process_was_killed_blocks_no_later_run(environment: dict[str, str]) -> None:
    """SIGKILL in the middle of dbt leaves a run that seems to be running, holding the warehouse's pool."""
    environment["VP_KEEPA_ASINS"] = GreenDays.PRODUCTS
    command = [str(VP), "run", "--from", DAY, "--to", AFTER]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "raw_keepa_product …" in line:
                run.kill()
                break
    again = vp(environment, "run", "--failed")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "was left by a process that is gone" in again.stdout
    assert f": {DAY} to {AFTER}\n" in again.stdout
    assert f"✓ {DAY} to {AFTER} (2 days)" in again.stdout
    nothing = vp(environment, "run", "--failed")
    assert nothing.returncode == 0
    assert "none, so there is nothing to run" in nothing.stdout
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        assert [r.status.value for r in instance.get_runs()] == ["SUCCESS", "FAILURE"]


def test_an_interrupt_while_the_api_is_away_stores_no_secret(environment: dict[str, str]) -> None:
    """The interrupt lands in the wait between two tries, whose error holds the URL, and in the URL is the key."""
    secret = "a/secret+key0123456789"
    away = {"KEEPA_API_KEY": secret, "VP_KEEPA_URL": "http://127.0.0.1:9", "VP_KEEPA_ASINS": "B0SBXTWO06"}
    home = Path(environment["DAGSTER_HOME"])
    with (
        subprocess.Popen([str(VP), "run"], env={**environment, **away}, stdout=subprocess.PIPE, text=True) as run,
        dg.DagsterInstance.from_config(str(home)) as instance,
    ):
        assert run.stdout is not None
        for line in run.stdout:
            if "airbyte_keepa_product …" in line:
                break
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(
            "Retrying in" in entry.user_message for r in instance.get_runs() for entry in instance.all_logs(r.run_id)
        ):
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        printed = run.stdout.read()
        assert run.wait() == 1
    assert "Interrupted." in printed
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"Retrying in" in stored
    for spelling in (secret, "a%2Fsecret%2Bkey0123456789"):
        assert spelling not in printed
        assert spelling.encode() not in stored
