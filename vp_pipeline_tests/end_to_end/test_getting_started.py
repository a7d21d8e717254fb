"""`docs/getting-started.md`, followed literally in a copy of the project: its own data folder, every source."""

import shutil
from pathlib import Path

import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.guide import Command, follow, steps
from vp_pipeline_tests.project_copy import project_copy

GUIDE = PROJECT_ROOT / "docs" / "getting-started.md"
# The environment and the list of pins are this project's, so that `make setup` finds nothing to do.
MADE_BY_SETUP = ("Makefile", "constraints.txt", ".venv")
OWN = ("VP_DATA_DIR", "DAGSTER_HOME", "VP_SOURCES", "VP_START_DATE")


@pytest.mark.slow
@pytest.mark.skipif(
    not (PROJECT_ROOT / ".venv" / ".ready").exists(), reason="the commands are those that `make setup` made"
)
def test_the_page_followed_command_by_command(tmp_path: Path) -> None:
    copied = project_copy(tmp_path)
    for name in MADE_BY_SETUP:
        (copied.root / name).symlink_to(PROJECT_ROOT / name)
    shutil.copystat(PROJECT_ROOT / "pyproject.toml", copied.root / "pyproject.toml")
    environment = {name: value for name, value in copied.environment.items() if name not in OWN}
    for step in steps(GUIDE):
        assert isinstance(step, Command)
        follow(step, copied.root, {**environment, "PYTHONPATH": str(copied.root)})
    assert (copied.root / "data" / "published.duckdb").exists()
