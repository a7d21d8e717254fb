"""A deployment as on Kubernetes: web server, daemon and code server, each on a machine of its own, and a machine per
run. They share what production's share: PostgreSQL, S3, Snowflake, Airbyte, Slack.

Here: starting, killing and starting them again, and questions to the web server. Not here: a run's machine
(`run_pods.py`), and the services (`production.py`).
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import LOADED, DagsterDev, wait_until
from vp_pipeline_tests.stand_ins.postgres import Postgres
from vp_pipeline_tests.stand_ins.production import Production
from vp_pipeline_tests.stand_ins.run_pods import RunPods, processes_of, start
from vp_pipeline_tests.stand_ins.s3 import KEYS

_INFRA = PROJECT_ROOT / "infra"
_LOGS = "compute-logs"
_SERVICES = ("code-location", "daemon", "web")
_PORTS = {"code-location": "4000", "web": "3000"}
_START_SECONDS = 240


class Deployment(DagsterDev):
    """The three processes, on the machines below `folder`: the commands and variables of infra/kubernetes. `variables`:
    what all of them are given."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder, self.variables = folder, variables
        folder.mkdir(parents=True)
        ports = dict(zip(_SERVICES, _free_ports(len(_SERVICES)), strict=True))
        super().__init__(f"http://127.0.0.1:{ports['web']}", folder)
        workspace = yaml.safe_load((_INFRA / "dagster" / "workspace.yaml").read_text())
        workspace["load_from"][0]["grpc_server"] |= {"host": "127.0.0.1", "port": ports["code-location"]}
        (folder / "workspace.yaml").write_text(yaml.safe_dump(workspace))
        self._config = folder / "dagster.yaml"
        instance = yaml.safe_load((_INFRA / "kubernetes" / "base" / "dagster.yaml").read_text())
        launcher = {"folder": str(folder / "runs"), "config": str(self._config)}
        instance["run_launcher"] = {"module": RunPods.__module__, "class": RunPods.__name__, "config": launcher}
        self._config.write_text(yaml.safe_dump(instance))
        here = {"0.0.0.0": "127.0.0.1", "/srv/dagster/workspace.yaml": str(folder / "workspace.yaml")}
        self._containers = {
            name: _container(name, {**here, _PORTS[name]: str(port)} if name in _PORTS else here)
            for name, port in ports.items()
        }
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *services: str) -> None:
        """Starts processes, as Kubernetes does with one that has ended."""
        for name in services:
            command, own = self._containers[name]
            self._started[name] = start(name, command, self.folder / name, self._config, {**self.variables, **own})
        if services:
            wait_until(self._is_up, _START_SECONDS)

    def kill(self, machine: str) -> None:
        """SIGKILL to every process of a machine: one of the three, or `runs/<run id>`."""
        while found := processes_of(self.folder / machine):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if machine in self._started:
            self._started[machine].wait()

    def log(self, machine: str) -> str:
        return (self.folder / machine / "log").read_text(errors="replace")

    def close(self) -> None:
        for machine in (*_SERVICES, "runs"):
            self.kill(machine)

    def _is_up(self) -> bool:
        for name, process in self._started.items():
            assert process.poll() is None, self.log(name)[-3000:]
        try:
            (entry,) = self.ask(LOADED)["workspaceOrError"]["locationEntries"]
        except (OSError, ValueError):
            return False
        return bool(entry["locationOrLoadError"]["__typename"] == "RepositoryLocation")


@contextmanager
def deployment(made: Production, server: Postgres, folder: Path, **variables: str) -> Iterator[Deployment]:
    """A deployment on the stand-ins of `made`, whose records are in a new database of `server`."""
    started = Deployment(folder, {**variables_of(made, server, "dagster"), **variables})
    try:
        started.start(*_SERVICES)
        yield started
    finally:
        started.close()


def variables_of(made: Production, server: Postgres, database: str) -> dict[str, str]:
    """What every process of a deployment on the stand-ins of `made` is given, with its records in a new database."""
    server.new_database(database)
    bucket = f"{_LOGS}-{database}"
    made.s3.client().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": KEYS["AWS_REGION"]})
    of_dagster = {"DAGSTER_COMPUTE_LOGS_BUCKET": bucket, "AWS_ENDPOINT_URL": made.s3.url}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the image's own has the commands too
    own = {"PATH": path, "PYTHONPATH": str(PROJECT_ROOT), **KEYS, **server.variables(database), **of_dagster}
    return {**made.variables, **own}


def _container(name: str, here: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command of a manifest's container, with what differs `here`, and the variables that are its own."""
    deployed = next(iter(yaml.safe_load_all((_INFRA / "kubernetes" / "base" / f"{name}.yaml").read_text())))
    (container,) = deployed["spec"]["template"]["spec"]["containers"]
    own = {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
    return [here.get(word, word) for word in container["command"]], own


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
