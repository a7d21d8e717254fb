"""What the tests of the doctor share."""

from pathlib import Path

import pytest

from vp_pipeline_tests.cli.typed import Shell
from vp_pipeline_tests.dagster_dev import own_environment


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in a folder where nothing is wrong, and nothing has been run."""
    own = own_environment(tmp_path)
    variables = {name: own[name] for name in ("VP_DATA_DIR", "DAGSTER_HOME", "VP_SOURCES")}
    (tmp_path / "data").mkdir()
    return Shell(tmp_path, monkeypatch, variables)
