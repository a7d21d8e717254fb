"""The Dagster instance of the command line: the one that `dagster dev` shows."""

import os
from pathlib import Path

import dagster as dg
import yaml
from filelock import FileLock

from vp_pipeline.dagster_internals.instance_config import open_instance
from vp_pipeline.settings import PROJECT_ROOT


def project_instance() -> dg.DagsterInstance:
    """The instance in DAGSTER_HOME, or else the project's own, which `dagster dev` uses in the project's folder."""
    home = Path(os.environ.get("DAGSTER_HOME") or PROJECT_ROOT / ".dagster")
    home.mkdir(exist_ok=True)
    # Two processes that create the storage of a new instance at the same time fail over each other's tables.
    with FileLock(home / "instance.lock"):
        return dg.DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else _instance_in(home)


def _instance_in(home: Path) -> dg.DagsterInstance:
    # dagster.yaml names its folders relative to the project, and this command may run elsewhere.
    config = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())
    folders = {
        "storage": {"custom": {**config["storage"]["custom"], "config": {"base_dir": str(home / "storage")}}},
        "local_artifact_storage": {**config["local_artifact_storage"], "config": {"base_dir": str(home)}},
        "compute_logs": {**config["compute_logs"], "config": {"base_dir": str(home / "compute_logs")}},
    }
    return open_instance(home, PROJECT_ROOT, folders)
