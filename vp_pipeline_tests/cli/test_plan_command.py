"""`vp plan` where nothing differs; where something does, see `end_to_end/test_code_changes.py`."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from vp_pipeline.dbt.project import manifest_path
from vp_pipeline_tests.conftest import GreenDays, pipeline_settings

# Prints the exit code, the heavy modules that were imported, and the processor time of the whole process.
_SCRIPT = """
import json, sys, time
from vp_pipeline.cli.main import app
code = app(["plan"], standalone_mode=False)
heavy = sorted({"boto3", "dagster", "dbt", "pandas", "pyarrow"} & set(sys.modules))
print(json.dumps([code, heavy, time.process_time()]))
"""
# Processor time: 1.0 to 1.5 s on two cores that other processes kept busy, half of it imports. Dagster alone adds more.
SECONDS = 2.5


def require_nothing_differs(environment: Mapping[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=dict(environment), capture_output=True, text=True, check=True
    )
    text, printed = started.stdout.splitlines()
    assert text == "Nothing differs: all that is built was made by the code that is there now."
    code, heavy, seconds = json.loads(printed)
    assert (code, heavy) == (0, [])
    assert seconds < SECONDS


def test_where_nothing_is_built_nothing_differs(environment: dict[str, str], tmp_path: Path) -> None:
    manifest_path(pipeline_settings(tmp_path))  # parsed, as after any run
    require_nothing_differs(environment)


@pytest.mark.slow
def test_that_nothing_differs_is_reported_without_dagster_and_dbt(green_days: GreenDays, tmp_path: Path) -> None:
    require_nothing_differs(green_days.copy(2, tmp_path))
