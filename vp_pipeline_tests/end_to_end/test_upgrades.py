"""What v0.1.0 has written is upgraded by running on: a warehouse, lake, outbox and Dagster home made by its own code.

Here: that upgrade as a whole, by the command. Not here: each migration (`warehouse/test_migrations.py`) and each
document (`test_stored_formats.py`).
"""

import os
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import orjson
import pytest

from vp_pipeline.quality.waivers import Waivers
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse.migrations import MIGRATIONS
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.contents import contents
from vp_pipeline_tests.dagster_dev import own_environment
from vp_pipeline_tests.project_copy import ProjectCopy

pytestmark = pytest.mark.slow
# The tag v0.1.0, and the commit that it is on: a clone may have the one without the other.
RELEASE = ("v0.1.0", "e6604dd1651c01c5fb896bf58cd1c87cdf887d99")
MART = "mart_product_daily"  # it changes every day
ONE, TWO, THREE, _ = map(str, GreenDays.DAYS)
# Tables of what the release's sandbox did not send: of the release's own days they have less than a fresh build, whose
# sandbox does. They are compared by the rows of the day that was asked for since.
SENT_SINCE = (
    *(f"keepa_{table}" for table in ("product_state", "identifier", "image", "variation", "bought_together")),
    *("keepa_buy_box_used", "fct_product_state"),
)
LAYERS = {"warehouse.duckdb": ("raw", "stg", "core", "mart", "monitoring"), "published.duckdb": ("mart", "monitoring")}


def release(folder: Path) -> Path:
    """The code of the release, unpacked in `folder`; nothing in the repository is changed."""
    folder.mkdir()
    for name in RELEASE:
        archive = folder / "release.tar"
        git = ["git", "-C", str(PROJECT_ROOT), "archive", "--output", str(archive), name]
        if subprocess.run(git, check=False, capture_output=True).returncode == 0:
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            return folder
    pytest.skip(
        f"This clone has neither {RELEASE[0]} nor its commit {RELEASE[1]} (is it shallow?): no upgrade was tested. "
        "`git fetch --unshallow --tags` brings them."
    )


def query(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def code_in(root: Path, environment: dict[str, str]) -> ProjectCopy:
    """The command `vp` of the code in `root`; the release has one source, and no setting that chooses some."""
    if root != PROJECT_ROOT:
        environment = {name: value for name, value in environment.items() if name != "VP_SOURCES"}
    return ProjectCopy(
        root, {**environment, "PYTHONPATH": str(root), "VP_KEEPA_ASINS": GreenDays.PRODUCTS, "VP_EXPORT_MART": MART}
    )


@dataclass(frozen=True)
class Left:
    """What v0.1.0 has left: its runs, the rows of their test results, its exports, the build that is published."""

    runs: list[tuple[object, ...]]
    results: list[tuple[object, ...]]
    exports: dict[str, bytes]
    build: str


def run_the_release(old: ProjectCopy) -> Left:
    """Two days of v0.1.0, the first with a waiver; the second is excluded then, as after a test that failed."""
    script = "import vp_pipeline; print(vp_pipeline.__file__)"
    imported = subprocess.check_output([sys.executable, "-c", script], env=old.environment, cwd=old.root, text=True)
    assert Path(imported.strip()).is_relative_to(old.root)
    old.vp("run", "--date", ONE, "--waive", "volume")
    old.vp("run", "--date", TWO)
    warehouse = old.data / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            f"update raw._days set is_shown = false, reason = 'sound failed' where run_date = date '{TWO}'"
        )
    return Left(
        query(warehouse, "select distinct run_id, run_date from monitoring._runs order by run_date"),
        query(warehouse, "select * from monitoring._test_results order by all"),
        objects(old.data / "lake" / "gold"),
        str(query(old.data / "published.duckdb", "select build_id from publication.build")[0][0]),
    )


@pytest.mark.exhaustive
def test_a_folder_of_v0_1_0_ends_as_a_fresh_build(green_days: GreenDays, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    environment = own_environment(tmp_path / "old")
    left = run_the_release(code_in(release(tmp_path / "release"), environment))
    new = code_in(PROJECT_ROOT, environment)
    warehouse = new.data / "warehouse.duckdb"

    before = warehouse.read_bytes()  # looking at it changes nothing, and needs no upgrade
    assert "mart_deals" in new.vp("plan", code=2)
    assert left.build in new.vp("published", "list")
    assert warehouse.read_bytes() == before

    assert "Restated" in new.vp("run", "--date", THREE)
    assert upgrades_logged(environment["DAGSTER_HOME"]) == 1
    versions = query(warehouse, "select version from raw._schema_version order by 1")
    assert versions == [(number + 1,) for number in range(len(MIGRATIONS))]
    # The excluded day was decoded again, so it was validated again; it is sound.
    assert query(warehouse, "select run_date from raw._days where not is_included or not is_validated") == []
    new.vp("run", "--date", TWO)
    assert new.vp("plan").startswith("Nothing differs")
    assert upgrades_logged(environment["DAGSTER_HOME"]) == 1
    assert_is_kept(left, new.data)
    assert_history(environment["DAGSTER_HOME"], [str(run) for run, _ in left.runs])

    fresh = green_days.after(3) / "data"
    for file, schemas in LAYERS.items():
        ours, theirs = contents(new.data / file, schemas), contents(fresh / file, schemas)
        assert ours.keys() == theirs.keys()
        for table in ours:
            assert comparable(table, ours[table]) == comparable(table, theirs[table]), f"{file} {table}"


def comparable(table: str, rows: list[Any]) -> list[Any]:
    return [row for row in rows if date.fromisoformat(THREE) in row] if table.endswith(SENT_SINCE) else rows


def upgrades_logged(home: str) -> int:
    """How many events in the logs of runs report that the warehouse was upgraded."""
    found = 0
    for file in (Path(home) / "storage" / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            counted = "select count(*) from event_logs where event like ?"
            found += connection.execute(counted, [f"%upgraded to version {len(MIGRATIONS)}%"]).fetchone()[0]
    return found


def assert_is_kept(left: Left, data: Path) -> None:
    """What v0.1.0 recorded is where it is read now; the exports continue it in their new folder."""
    assert {run for run, _ in left.runs} <= {
        run for (run,) in query(data / "warehouse.duckdb", "select distinct run_id from monitoring.mon_pipeline_run")
    }
    results = set(query(data / "warehouse.duckdb", "select * from monitoring._test_results"))
    assert len(left.results) > 100
    assert set(left.results) < results
    assert f"{MART}/_manifests/000001.json" in left.exports
    kept = objects(data / "lake" / "gold")
    assert {path: kept[path] for path in left.exports} == left.exports
    numbers = [path[-11:] for path in objects(data / "lake" / "change_exports") if "_manifests" in path]
    assert numbers
    assert min(numbers) > max(path[-11:] for path in left.exports if "_manifests" in path)
    manifests = objects(data / "lake" / "silver" / "keepa" / "price" / "_manifests").values()
    assert {orjson.loads(content)["version"] for content in manifests} == {2}


def assert_history(home: str, runs: list[str]) -> None:
    """Dagster shows the runs of v0.1.0, with their waivers, and the results of their checks."""
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("DAGSTER_HOME", home)
        with dg.DagsterInstance.get() as instance:
            found = [run for run in map(instance.get_run_by_id, runs) if run is not None]
            assert [run.status for run in found] == [dg.DagsterRunStatus.SUCCESS] * len(runs)
            assert [Waivers.of(run.tags).names for run in found] == [{"volume"}, set()]
            for run in runs:
                events = instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
                assert len(events) > 100
                assert all(each.get_dagster_event().asset_check_evaluation_data.passed for each in events)


def objects(folder: Path) -> dict[str, bytes]:
    return {os.fspath(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
