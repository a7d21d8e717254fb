"""What a person makes again on purpose: days of silver from bronze, and models as a whole."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.end_to_end.test_command_line import vp, words

pytestmark = pytest.mark.slow

DAY, NEXT = map(str, GreenDays.DAYS[:2])


@pytest.fixture
def copied(green_days: GreenDays, tmp_path: Path) -> dict[str, str]:
    """The environment of two days."""
    return green_days.copy(2, tmp_path)


def silver(data: Path) -> dict[str, bytes]:
    folder = data / "lake" / "silver"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_silver_is_decoded_again_from_bronze(copied: dict[str, str], tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = silver(data), contents(data / "published.duckdb", ("mart",))
    shutil.rmtree(data / "lake" / "silver" / "keepa")
    done = vp(copied, "rebuild", "silver", "--to", DAY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"1 day is decoded again from bronze: {DAY}" in done.stdout
    assert "airbyte" not in done.stdout
    assert {name for name in silver(data) if f"run_date={NEXT}" in name} == set()
    done = vp(copied, "rebuild", "silver")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"2 days are decoded again from bronze: {DAY} to {NEXT}" in done.stdout
    assert (silver(data), contents(data / "published.duckdb", ("mart",))) == before


def test_models_are_built_as_a_whole(copied: dict[str, str], tmp_path: Path) -> None:
    published = tmp_path / "data" / "published.duckdb"
    before = contents(published, ("mart",))
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb")) as connection:
        connection.execute("update core.core_keepa_price_daily set close_price_minor = close_price_minor + 1")
    done = vp(copied, "run", "--full-refresh", "--select", "core_keepa_price_daily+")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Restated \d+ models: .*core_keepa_price_daily.* \(requested\)", words(done.stdout))
    assert "Not published" not in done.stdout
    assert contents(published, ("mart",)) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rebuild", "silver", "--from", "2030-01-01"), "Bronze holds no day from 2030-01-01, so there is nothing to"),
        (("run", "--full-refresh", "--select", "key:silver/*"), "no model is selected"),
    ],
)
def test_where_there_is_nothing_to_make_again_the_reason_is_given(
    copied: dict[str, str], arguments: tuple[str, ...], message: str
) -> None:
    failed = vp(copied, *arguments)
    assert failed.returncode == 1
    assert message in words(failed.stdout + failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr
