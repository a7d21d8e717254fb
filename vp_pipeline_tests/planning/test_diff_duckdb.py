"""The copy that a diff works on: it is whole, it is made while nobody writes, and nothing of it is left."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.failures import TransientError
from vp_pipeline.planning.diff_duckdb import FOLDER, DuckDBDiff
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse import duckdb as warehouse
from vp_pipeline_tests.conftest import pipeline_settings

# Writes rows that are in the log only, as a process leaves them that is killed.
_KILLED = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("pragma disable_checkpoint_on_shutdown")
connection.execute("create table a as select * from range(1000)")
os._exit(1)
"""
_HOLDS = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = pipeline_settings(tmp_path)
    with duckdb.connect(str(made.warehouse_path)) as connection:
        connection.execute("create table b as select 1 as n")
    return made


@contextmanager
def warehouse_copy(settings: Settings) -> Iterator[Settings]:
    with DuckDBDiff(settings).copy() as copy:
        yield copy.settings


def left(settings: Settings) -> set[str]:
    return {path.name for path in settings.data_dir.iterdir()}


def test_the_copy_is_another_file_and_is_removed(settings: Settings) -> None:
    before = settings.warehouse_path.read_bytes()
    with warehouse_copy(settings) as scratch:
        assert scratch.data_dir.parent == settings.data_dir
        with duckdb.connect(str(scratch.warehouse_path)) as connection:
            connection.execute("insert into b values (2)")
    assert settings.warehouse_path.read_bytes() == before
    assert left(settings) == {"warehouse.duckdb"}


def test_what_is_in_the_log_only_is_copied_too(settings: Settings) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(settings.warehouse_path)], check=False)
    assert "warehouse.duckdb.wal" in left(settings)
    with warehouse_copy(settings) as scratch, duckdb.connect(str(scratch.warehouse_path)) as connection:
        assert connection.execute("select count(*) from a").fetchone() == (1000,)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_after_an_error(settings: Settings, error: type[BaseException]) -> None:
    with pytest.raises(error), warehouse_copy(settings):
        raise error
    assert left(settings) == {"warehouse.duckdb"}


def test_what_a_killed_diff_left_is_removed_by_the_next(settings: Settings) -> None:
    stale = settings.data_dir / FOLDER / "dbt" / "run_results.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    with warehouse_copy(settings) as scratch:
        assert {path.name for path in scratch.data_dir.iterdir()} == {"warehouse.duckdb"}
    assert left(settings) == {"warehouse.duckdb"}


def test_a_second_diff_at_once_is_refused(settings: Settings) -> None:
    with warehouse_copy(settings) as scratch:
        with pytest.raises(TransientError, match="Another vp diff is running"), warehouse_copy(settings):
            pass
        assert scratch.warehouse_path.exists()


def test_a_warehouse_that_a_run_holds_is_not_copied(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "_LOCK_WAIT_SECONDS", 0.0)
    command = [sys.executable, "-c", _HOLDS, str(settings.warehouse_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        with pytest.raises(TransientError, match="is held by another process"), warehouse_copy(settings):
            pass
    assert left(settings) == {"warehouse.duckdb"}
