"""The Dagster instance of the command line: the one that `dagster dev` shows."""

import os
from pathlib import Path

import dagster as dg
import yaml
from filelock import FileLock

from vp_pipeline.dagster_internals.instance_config import open_instance
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import PROJECT_ROOT, Settings


def project_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance in DAGSTER_HOME, or else the project's own, which `dagster dev` uses in the project's folder.

    Raises:
        PermanentError: in production DAGSTER_HOME is not set, so records of the deployment would not be seen, nor made.
    """
    if settings.env == "production" and not os.environ.get("DAGSTER_HOME"):
        raise PermanentError(
            "VP_ENV is production, and DAGSTER_HOME is not set: Dagster's records would be a folder of this machine, "
            "which the deployment's web server and daemon do not see. Set DAGSTER_HOME to a folder with the "
            "deployment's dagster.yaml (infra/dagster, docs/production.md)."
        )
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
