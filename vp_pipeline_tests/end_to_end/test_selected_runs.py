"""`vp run --select` and `--exclude`: which models are built, what reaches consumers, and mistaken selections."""

import re
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from vp_pipeline.cli.run import Chosen, run_days
from vp_pipeline.failures import PermanentError
from vp_pipeline_tests.conftest import GreenDays, pipeline_settings
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.dagster_dev import own_environment
from vp_pipeline_tests.end_to_end.test_command_line import vp, words

pytestmark = pytest.mark.slow

DAY, NEXT = map(str, GreenDays.DAYS[:2])


@pytest.fixture
def environment(green_days: GreenDays, tmp_path: Path) -> dict[str, str]:
    """That of commands on two published days."""
    return green_days.copy(2, tmp_path)


@pytest.fixture
def published(environment: dict[str, str]) -> Path:
    """What consumers read of them."""
    return Path(environment["VP_DATA_DIR"]) / "published.duckdb"


def spoil(data: Path) -> None:
    """Wrong rows in a mart, made by other code than there is: the next build restates it."""
    with duckdb.connect(str(data / "warehouse.duckdb")) as connection:
        connection.execute("update mart.mart_rank_movers set product_key = 'nowhere'")
        connection.execute("delete from raw._models where model = 'mart_rank_movers'")


def materialized(environment: dict[str, str]) -> dict[str, set[str]]:
    """What the newest run materialized: asset → days."""
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        (run,) = instance.get_runs(limit=1)
        found: dict[str, set[str]] = {}
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION):
            assert entry.dagster_event is not None
            materialization = entry.dagster_event.step_materialization_data.materialization
            found.setdefault(materialization.asset_key.to_user_string(), set()).add(materialization.partition or "")
        return found


def test_a_selection_that_leaves_nothing_out_reaches_consumers(
    environment: dict[str, str], published: Path, tmp_path: Path
) -> None:
    before = contents(published, ("mart",))
    spoil(tmp_path / "data")
    done = vp(environment, "run", "--select", "mart_rank_movers+ mart_deals")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"✓ {NEXT}" in done.stdout  # the newest day that is published
    assert "Not published" not in done.stdout
    both = {"mart/mart_rank_movers", "mart/mart_deals"}
    following = {"published/marts", "delivery/export", "delivery/power_bi"}
    assert materialized(environment) == {key: {NEXT} for key in both | following}
    assert contents(published, ("mart",)) == before

    # The same in Dagster's syntax, and of another day.
    done = vp(environment, "run", "--date", DAY, "--select", 'key:"mart/mart_rank_movers" or key:"mart/mart_deals"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert materialized(environment) == {key: {DAY} for key in both | following}


def test_what_is_missing_is_named_before_the_run(environment: dict[str, str], published: Path) -> None:
    before = published.read_bytes()
    done = vp(environment, "run", "--select", "core_keepa_rank_daily+", "--exclude", "key:mart/* and not key:*rank*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not published afterwards; to be built too: " in words(done.stdout)
    assert "mart_product_daily (reads core_keepa_rank_daily" in words(done.stdout)
    assert {name.split("/")[0] for name in materialized(environment)} == {"core", "mart"}
    assert published.read_bytes() == before

    # The rest of them, and all is whole again.
    done = vp(environment, "run", "--select", "core_keepa_rank_daily+", "--exclude", "core_keepa_rank_daily")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "published/marts" in materialized(environment)


@pytest.mark.exhaustive
def test_everything_but_a_model_without_readers(environment: dict[str, str], published: Path) -> None:
    done = vp(environment, "run", "--exclude", "mart_deals")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"to be built too: mart_deals \(reads ", words(done.stdout))


MISTAKEN = (
    (Chosen(("mart_dealz+",)), "Nothing matches mart_dealz+ (--select, --exclude). Did you mean mart_deals"),
    (Chosen(("mart_deals tag:prices",)), "Nothing matches tag:prices"),
    (Chosen(("mart_deals",), ("fct_price_stat",)), "Did you mean fct_price_stats"),
    (Chosen(('key:"mart/mart_dealz"+',)), 'Did you mean key:"mart/mart_deals"'),
    (Chosen(("group:mart",)), "Did you mean group:marts"),
    (Chosen(("key:mart/* and (",)), "Nothing matches key:mart/* and ("),
    (Chosen(("mart/mart_dealz",)), 'Did you mean key:"mart/mart_deals"'),
    (Chosen(("mart_deals",), ("mart_deals",)), "Nothing is selected"),
    (Chosen(("mart_deals",)), "no sync is selected"),
)


def test_a_mistaken_selection_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", own_environment(tmp_path)["DAGSTER_HOME"])
    settings = pipeline_settings(tmp_path / "data")
    for chosen, message in MISTAKEN:
        with pytest.raises(PermanentError, match=re.escape(message)):
            run_days(settings, GreenDays.DAYS[:1], resync=True, chosen=chosen)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs() == []


def test_the_command_prints_that_sentence_alone(environment: dict[str, str]) -> None:
    failed = vp(environment, "run", "--select", "mart_dealz+")
    assert failed.returncode == 1
    assert "Nothing matches mart_dealz+" in words(failed.stdout + failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr
