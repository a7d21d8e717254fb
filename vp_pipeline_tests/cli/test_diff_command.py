"""`vp diff` where there is nothing to compare; with something, see `planning/test_diff.py`."""

from pathlib import Path

import duckdb
from typer.testing import CliRunner

from vp_pipeline.cli.main import app
from vp_pipeline.failures import PermanentError


def reason(data_dir: Path) -> str:
    result = CliRunner().invoke(app, ["diff"], env={"VP_DATA_DIR": str(data_dir), "VP_ENV": "local"})
    assert isinstance(result.exception, PermanentError), result.output
    return str(result.exception)


def test_without_a_build_or_a_publication_the_reason_is_given(tmp_path: Path) -> None:
    assert reason(tmp_path).startswith("Nothing was published yet")
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    assert reason(tmp_path).startswith("Nothing was published yet")
    assert [path.name for path in tmp_path.iterdir()] == ["warehouse.duckdb"]
