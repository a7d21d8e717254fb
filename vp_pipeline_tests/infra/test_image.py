"""The image and docker-compose.yml, followed step by step: every command of them is run as it is written, by the user
and with the variables of the files, and a day goes through the deployment that they make."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import wait_until
from vp_pipeline_tests.infra.image import Image, Process, build, instructions
from vp_pipeline_tests.stand_ins.postgres import Postgres, postgres

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
DOCKERFILE = PROJECT_ROOT / "Dockerfile"


def test_every_base_is_pinned_and_no_process_is_root() -> None:
    steps = [*instructions(DOCKERFILE)]
    bases = [argument.split(" AS ") for name, argument in steps if name == "FROM"]
    stages = {base[1] for base in bases if len(base) == 2}
    pulled = [base[0] for base in bases if base[0] not in stages]
    pulled += [service["image"] for name, service in COMPOSE["services"].items() if name not in OURS]
    assert pulled
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in pulled)
    last = [name for name, _ in steps][::-1]
    assert last.index("USER") < last.index("FROM")
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in OURS.values())


def test_the_instance_of_compose_differs_where_it_has_to() -> None:
    ours = yaml.safe_load((PROJECT_ROOT / "infra" / "compose" / "dagster.yaml").read_text())
    deployed = yaml.safe_load((PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml").read_text())
    assert {name for name in {*ours, *deployed} if ours.get(name) != deployed.get(name)} == {"compute_logs"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """What the Dockerfile makes."""
    if os.geteuid() != 0 or not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("mount namespaces need root")
    folder = tmp_path_factory.mktemp("image")
    yield build(DOCKERFILE, folder)
    shutil.rmtree(folder)  # a gigabyte


@pytest.mark.slow
def test_a_day_goes_through_the_deployment(image: Image, tmp_path: Path) -> None:
    assert image.run(["vp", "--version"]).startswith("vp ")
    assert not {"pip", "uv"} & set(image.run(["ls", "/srv/venv/bin"]).split())
    shutil.copy(PROJECT_ROOT / "infra" / "compose" / "dagster.yaml", image.root / "srv" / "dagster")
    with postgres() as server, ExitStack() as ends:
        server.new_database("dagster")
        processes = {name: started(image, name, server, tmp_path) for name in in_order()}
        for process in processes.values():
            ends.callback(process.kill)
        for name, process in processes.items():
            wait_until(lambda name=name, process=process: healthy(image, name, process, server, tmp_path), 240)  # type: ignore[misc]
        assert {user_of(process) for process in processes.values()} == {10001}
        day = str(newest_finished_day())
        run = launch(day)
        assert wait_until(lambda: ended(run), 300) == "SUCCESS"
        days = json.loads(image.run(["vp", "days", "--json"], variables("code-location", server)))
        assert [each["day"] for each in days if each["published"]] == [day]


def in_order() -> Iterator[str]:
    yield "code-location"
    yield from OURS.keys() - {"code-location"}


def variables(name: str, server: Postgres) -> Mapping[str, str]:
    """Those of a service, with what differs here: all services have one address, and the database another port."""
    found = {key: str(value) for key, value in OURS[name]["environment"].items()}
    return {**found, **server.variables("dagster"), "DAGSTER_CODE_LOCATION_HOST": "127.0.0.1"}


def started(image: Image, name: str, server: Postgres, folder: Path) -> Process:
    command = OURS[name].get("command", image.command)
    with (folder / f"{name}.log").open("w") as log:
        return image.start(command, variables(name, server), read_only=True, stdout=log, stderr=subprocess.STDOUT)


def healthy(image: Image, name: str, process: Process, server: Postgres, folder: Path) -> bool:
    """What the service's own health check finds."""
    assert process.poll() is None, (folder / f"{name}.log").read_text()[-3000:]
    command = OURS[name]["healthcheck"]["test"][1:] if "healthcheck" in OURS[name] else image.health
    with (folder / f"{name}.health.log").open("w") as log:
        return image.start(command, variables(name, server), read_only=True, stdout=log, stderr=log).wait() == 0


def user_of(process: Process) -> int:
    return int(re.findall(r"^Uid:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)[0])


def ask(query: str, **values: object) -> Any:
    body = json.dumps({"query": query, "variables": values}).encode()
    request = urllib.request.Request("http://127.0.0.1:3000/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["data"]


def launch(day: str) -> str:
    """A run of the daily job, as the UI launches it."""
    selector = {
        "repositoryLocationName": "vp_pipeline",
        "repositoryName": "__repository__",
        "jobName": "daily_pipeline",
    }
    tags = [{"key": "dagster/partition", "value": day}]
    params = {"selector": selector, "executionMetadata": {"tags": tags}, "runConfigData": {}}
    query = """mutation($p: ExecutionParams!) {launchRun(executionParams: $p) {
        __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}"""
    launched = ask(query, p=params)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def ended(run: str) -> str | None:
    status = str(ask("query($r: ID!) {runOrError(runId: $r) {... on Run {status}}}", r=run)["runOrError"]["status"])
    return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None
