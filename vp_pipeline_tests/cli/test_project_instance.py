"""Which Dagster instance the command line uses."""

from pathlib import Path

import pytest

from vp_pipeline.cli.local_runs.instance import project_instance
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import load_settings
from vp_pipeline_tests.test_service_settings import COMPLETE


def test_production_has_the_records_of_its_deployment_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load_settings(COMPLETE)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with pytest.raises(PermanentError, match="DAGSTER_HOME is not set"):
        project_instance(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with project_instance(settings) as instance:
        assert instance.root_directory == str(tmp_path)
