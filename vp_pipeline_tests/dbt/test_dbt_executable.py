"""Another dbt (VP_DBT_EXECUTABLE): the same events, results and tables as of the dbt in this process."""

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest

from vp_pipeline.dbt.invocation import build_dbt
from vp_pipeline.dbt.project import DBT_PROJECT_DIR, manifest_path, target_dir
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import PROJECT_ROOT, Settings
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in, pipeline_settings
from vp_pipeline_tests.contents import SCHEMAS, contents
from vp_pipeline_tests.dagster_dev import wait_until

OWN = Path(sys.executable).with_name("dbt")


def events(settings: Settings, folder: Path, *command: str) -> tuple[list[tuple[str, str]], int, set[str]]:
    """Name and level of each event of a command, its exit code, and the statuses of its results."""
    manifest_path(settings)
    folder.mkdir(exist_ok=True)
    started = build_dbt(settings).start(command, folder, "the-run")
    found = [(event["info"]["name"], event["info"]["level"]) for event in started.events()]
    results = folder / "run_results.json"
    statuses = {each["status"] for each in json.loads(results.read_text())["results"]} if results.exists() else set()
    return found, started.wait(), statuses


def without_startup(found: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """What is reported of nodes: not what dbt says of its version, or of parsing."""
    return {(name, level) for name, level in found if name.startswith("Log") or level == "error"}


@pytest.mark.integration
@pytest.mark.parametrize(
    "command", [("seed", "--select", "seed_marketplaces"), ("build", "--select", "stg_keepa_price")]
)
def test_a_command_has_the_events_and_results_of_one_in_this_process(command: tuple[str, ...], tmp_path: Path) -> None:
    """A seed succeeds; a model without RAW does not."""
    here, there = pipeline_settings(tmp_path / "here"), pipeline_settings(tmp_path / "there", dbt_executable=OWN)
    for settings in (here, there):
        settings.data_dir.mkdir()
    expected, expected_code, expected_statuses = events(here, tmp_path / "a", *command)
    found, code, statuses = events(there, tmp_path / "b", *command)
    assert without_startup(found) == without_startup(expected) != set()
    assert (code, statuses) == (expected_code, expected_statuses)
    assert target_dir(here) != target_dir(there)


@pytest.mark.integration
def test_what_is_no_event_is_shown_where_dbt_cannot_begin(tmp_path: Path) -> None:
    program = tmp_path / "dbt"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *" parse "*) exec {OWN} "$@";; *) echo no such container; exit 125;; esac\n'
    )
    program.chmod(0o755)
    settings = pipeline_settings(tmp_path / "data", dbt_executable=program)
    manifest_path(settings)
    started = build_dbt(settings).start(["seed"], tmp_path, "the-run")
    assert [event["info"]["msg"] for event in started.events()] == ["no such container"]
    assert started.wait() == 125


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = pipeline_settings(tmp_path, dbt_executable=tmp_path / "nothing")
    with pytest.raises(PermanentError, match=r"^VP_DBT_EXECUTABLE is .*/nothing, which cannot be run: No such file"):
        manifest_path(settings)


_RUN = """
import sys
from pathlib import Path
from vp_pipeline.dbt.executable import DbtProcess
folder = Path(sys.argv[1])
for event in DbtProcess(folder / "dbt", ["build"], folder, folder, {}).events():
    print(event["info"]["msg"], flush=True)
"""


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends it")
def test_a_killed_run_leaves_no_dbt_behind(tmp_path: Path) -> None:
    program = tmp_path / "dbt"
    program.write_text("""#!/bin/sh\necho '{"info": {"msg": "'$$'", "level": "info"}}'\nexec sleep 300\n""")
    program.chmod(0o755)
    command = [sys.executable, "-c", _RUN, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        dbt = int(run.stdout.readline())
        run.kill()
    wait_until(lambda: not is_running(dbt), 30)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_day_with_another_version_of_dbt_is_the_same_day(green_days: GreenDays, tmp_path: Path) -> None:
    """Of an environment that has nothing but dbt: an earlier version of it, with the adapter of DuckDB."""
    folder = tmp_path / "dbt"
    uv = [Path(sys.executable).with_name("uv")]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    packages = ["dbt-core>=1.11,<1.11.16", "dbt-duckdb", "duckdb>=2"]
    installed = subprocess.run(
        [*uv, "pip", "install", "-q", "--python", folder / "bin" / "python", *packages], cwd=PROJECT_ROOT, check=False
    )
    if installed.returncode:
        pytest.skip("no other version of dbt can be installed here")
    other = tmp_path / "pipeline"
    other.mkdir()
    options = {"keepa_asins": GreenDays.PRODUCTS, "dbt_executable": folder / "bin" / "dbt"}
    with pipeline_in(other, Pipeline, **options) as pipeline:
        report = pipeline.run(GreenDays.DAYS[0])
        assert report.succeeded, report.reasons
        parsed = json.loads((target_dir(pipeline.settings) / "manifest.json").read_text())
        assert parsed["metadata"]["dbt_version"] != metadata.version("dbt-core")
        rows = pipeline.contents()
    schemas = [schema for schema in SCHEMAS if schema != "monitoring"]
    expected = contents(green_days.after(1) / "data" / "warehouse.duckdb", schemas)
    assert {name: rows[name] for name in expected} == expected
    assert DBT_PROJECT_DIR in target_dir(pipeline.settings).parents
