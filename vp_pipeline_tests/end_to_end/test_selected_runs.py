"""`vp run --select` and `--exclude`, in processes of their own: which models are built, and what reaches consumers."""

import re
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.end_to_end.test_command_line import vp, words

pytestmark = pytest.mark.slow

DAY, NEXT = "2026-09-03", "2026-09-04"


@pytest.fixture
def published(environment: dict[str, str], tmp_path: Path) -> Path:
    """The published file of two days."""
    done = vp(environment, "run", "--from", DAY, "--to", NEXT)
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path / "data" / "published.duckdb"


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


def test_everything_but_a_model_without_readers(environment: dict[str, str], published: Path) -> None:
    done = vp(environment, "run", "--exclude", "mart_deals")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"to be built too: mart_deals \(reads ", words(done.stdout))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "mart_dealz+"], "Nothing matches mart_dealz+ (--select, --exclude). Did you mean mart_deals"),
        (["--select", "mart_deals tag:prices"], "Nothing matches tag:prices"),
        (["--select", "mart_deals", "--exclude", "fct_price_stat"], "Did you mean fct_price_stats"),
        (["--select", 'key:"mart/mart_dealz"+'], 'Did you mean key:"mart/mart_deals"'),
        (["--select", "group:mart"], "Did you mean group:marts"),
        (["--select", "key:mart/* and ("], "Nothing matches key:mart/* and ("),
        (["--select", "mart/mart_dealz"], 'Did you mean key:"mart/mart_deals"'),
        (["--select", "mart_deals", "--exclude", "mart_deals"], "Nothing is selected"),
        (["--select", "mart_deals", "--resync"], "no sync is selected"),
    ],
)
def test_a_mistaken_selection_ends_in_a_sentence(
    environment: dict[str, str], arguments: list[str], message: str
) -> None:
    failed = vp(environment, "run", "--date", DAY, *arguments)
    assert failed.returncode == 1
    assert message in words(failed.stdout + failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr
