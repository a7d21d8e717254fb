"""An instance on a configuration file with other folders."""

from pathlib import Path

from vp_pipeline.dagster_internals.instance_config import open_instance
from vp_pipeline.settings import PROJECT_ROOT


def test_the_folders_are_the_ones_that_were_given(tmp_path: Path) -> None:
    overrides = {
        "storage": {"sqlite": {"base_dir": str(tmp_path / "storage")}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(tmp_path)},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(tmp_path / "compute_logs")},
        },
    }
    with open_instance(tmp_path, PROJECT_ROOT, overrides) as instance:
        assert Path(instance.storage_directory()).is_relative_to(tmp_path)
        assert instance.get_runs() == []
    assert (tmp_path / "storage").is_dir()
