"""`vp plan` where nothing differs; where something does, see `end_to_end/test_code_changes.py`."""

import os
import subprocess
import sys
from pathlib import Path

from vp_pipeline.dbt.project import manifest_path
from vp_pipeline_tests.conftest import pipeline_settings

_SCRIPT = """
import sys
from vp_pipeline.cli.main import app
app(["plan"], standalone_mode=False)
print(sorted({"boto3", "dagster", "dbt", "pandas"} & set(sys.modules)))
"""


def test_that_nothing_differs_is_reported_without_dagster_and_dbt(tmp_path: Path) -> None:
    manifest_path(pipeline_settings(tmp_path))  # parsed, as after any run
    environment = {**os.environ, "VP_ENV": "local", "VP_DATA_DIR": str(tmp_path)}
    started = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert started.stdout.splitlines() == [
        "Nothing differs: all that is built was made by the code that is there now.",
        "[]",
    ]
