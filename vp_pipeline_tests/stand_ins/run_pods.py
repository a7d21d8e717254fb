"""What Kubernetes does for Dagster's launcher, on this machine: a process per run, in a folder and under a host name of
its own, which outlives the daemon that started it.

Here: the commands that dagster-k8s's K8sRunLauncher starts its pods with, and what it reports of them. Not here: the
other processes of a deployment (`deployment.py`).
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

from dagster import DagsterRun
from dagster._config import Field, StringSource
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData

_AS_HOST = 'hostname "$1"; shift; exec "$@"'


class RunPods(RunLauncher, ConfigurableClass):
    """`folder`: where each run gets a folder of its own. `config`: the `dagster.yaml` that it finds in it."""

    def __init__(self, folder: str, config: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._folder, self._config, self._inst_data = Path(folder), Path(config), inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"folder": Field(StringSource), "config": Field(StringSource)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(**config_value, inst_data=inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        assert run.job_code_origin is not None
        arguments = ExecuteRunArgs(run.job_code_origin, run.run_id, instance_ref=None).get_command_args()
        start(f"run-{run.run_id[:8]}", arguments, self._folder / run.run_id, self._config)

    def terminate(self, run_id: str) -> bool:
        raise NotImplementedError("nobody terminates a run here")

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """As a pod that is gone is reported. Its processes are those that have its folder in their environment."""
        alive = processes_of(self._folder / run.run_id)
        return CheckRunHealthResult(WorkerStatus.RUNNING if alive else WorkerStatus.FAILED, "its pod is gone")


def start(
    host: str, command: Sequence[str], folder: Path, config: Path, variables: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Starts a process in a new session, with the working folder, Dagster home and data folder of a machine of its
    own: nothing of `folder` is known to another process. Where it may, it has its own host name too: processes of
    another host cannot be looked at, only what they write. What it prints is in `log` in the folder."""
    home = folder / "home"
    for each in (home, folder / "tmp"):
        each.mkdir(parents=True, exist_ok=True)
    shutil.copy(config, home / "dagster.yaml")
    own = {"DAGSTER_HOME": home, "VP_DATA_DIR": folder / "data", "TMPDIR": folder / "tmp", "HOME": folder}
    named = ["unshare", "--uts", "sh", "-c", _AS_HOST, "sh", host] if _may_have_names() else []
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*named, *command],
            cwd=folder,
            env={**os.environ, **(variables or {}), **{name: str(path) for name, path in own.items()}},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def processes_of(folder: Path) -> list[int]:
    """The living processes of a machine that `start` has made, and of those below it."""
    wanted, found = f"DAGSTER_HOME={folder}/", []
    for process in Path("/proc").iterdir():
        try:
            # A process that has ended and was not waited for has no environment any more.
            if process.name.isdigit() and f"\0{wanted}".encode() in b"\0" + (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@cache
def _may_have_names() -> bool:
    return shutil.which("unshare") is not None and not subprocess.run(["unshare", "--uts", "true"]).returncode
