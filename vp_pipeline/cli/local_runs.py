"""Runs started from the command line, on the same Dagster instance that `dagster dev` shows.

Here: the instance, and one run of the daily job in this process. Not here: what is printed (`report.py`).
"""

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

import dagster as dg
import yaml
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.instance.ref import InstanceRef
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.partition_status_cache import AssetPartitionStatus
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)
from dagster._core.workspace.load import location_origins_from_yaml_paths
from filelock import FileLock

from vp_pipeline.automation.jobs import DAILY
from vp_pipeline.settings import PROJECT_ROOT

# The engines of the warehouses: who writes one holds its pool.
POOLS = ("duckdb", "snowflake")
PROCESS_TAG = ".dagster/vp_process"  # the prefix hides it in the UI


def project_instance() -> dg.DagsterInstance:
    """The instance in DAGSTER_HOME, or else the project's own, which `dagster dev` uses in the project's folder."""
    home = Path(os.environ.get("DAGSTER_HOME") or PROJECT_ROOT / ".dagster")
    home.mkdir(exist_ok=True)
    # Two that make the storage of a new instance at the same time fail over each other's tables.
    with FileLock(home / "instance.lock"):
        return _instance(home)


def _instance(home: Path) -> dg.DagsterInstance:
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    # dagster.yaml names its folders relative to the project, and this command may run elsewhere.
    config = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())
    placed = {
        "storage": {"custom": {**config["storage"]["custom"], "config": {"base_dir": str(home / "storage")}}},
        "local_artifact_storage": {**config["local_artifact_storage"], "config": {"base_dir": str(home)}},
        "compute_logs": {**config["compute_logs"], "config": {"base_dir": str(home / "compute_logs")}},
    }
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), config_dir=str(PROJECT_ROOT), overrides=placed))


def daily_run(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    days: Sequence[date],
    *,
    resync: bool = False,
    tags: Mapping[str, str] | None = None,
    selection: Set[dg.AssetKey] | None = None,
) -> tuple[str, Iterator[dg.DagsterEvent]]:
    """One run of the daily job over `days` (consecutive, in order): its id, and its events as they happen. `selection`:
    these of its assets only.

    The run executes in this process as the events are taken. It belongs to the code location, so that the UI can show,
    compare and re-execute it.
    """
    job = definitions.resolve_job_def(DAILY)
    if selection is not None:
        job = job.get_subset(asset_selection=set(selection))
    syncs = [node.name for node in job.nodes if node.name.startswith("airbyte_")]
    run_config: dict[str, object] = {
        # Events go to the instance, where the UI reads them; on the console they would bury the report.
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        "ops": {name: {"config": {"resync": resync}} for name in syncs},
    }
    run = instance.create_run_for_job(
        job,
        run_config=run_config,
        asset_selection=frozenset(selection) if selection is not None else None,
        tags={**partition_tags(days), PROCESS_TAG: _this_process(), **(tags or {})},
        remote_job_origin=_code_location().get_job_origin(DAILY),
    )
    return run.run_id, execute_run_iterator(InMemoryJob(job), run, instance)


def failed_days(instance: dg.DagsterInstance, definitions: dg.Definitions, days: Sequence[date]) -> list[date]:
    """The days of which an asset's newest run failed before it was done, as the UI counts them, in order."""
    graph = definitions.resolve_asset_graph()
    keys = [day.isoformat() for day in days]
    failed: set[str] = set()
    for node in graph.asset_nodes:
        if node.is_materializable and node.partitions_def is not None:
            found = instance.get_status_by_partition(node.key, keys, node.partitions_def) or {}
            failed |= {key for key, status in found.items() if status == AssetPartitionStatus.FAILED}
    return [day for day in days if day.isoformat() in failed]


@contextmanager
def quiet_process() -> Iterator[TextIO]:
    """Gives the terminal to the caller alone: what else this process and its children print goes to the run's logs.

    Dagster captures file descriptors 1 and 2 for the compute logs that the UI shows, and echoes them; here the echo
    goes nowhere.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        with os.fdopen(os.dup(kept[0]), "w", encoding="utf-8") as terminal:
            yield terminal
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)


def partition_tags(days: Sequence[date]) -> dict[str, str]:
    """What makes a run one of these partitions."""
    if len(days) == 1:
        return {PARTITION_NAME_TAG: days[0].isoformat()}
    return {
        ASSET_PARTITION_RANGE_START_TAG: days[0].isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: days[-1].isoformat(),
    }


def close_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Ends the runs whose process was killed, and gives back their places in the pools.

    Without this a killed run shows as running forever, and holds the warehouse's pool against every later one.
    Returns the ids of the runs that were ended.
    """
    closed = []
    # A long range takes a while to be planned: a run may be left before it has started, too.
    going_on = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED]
    for record in instance.get_run_records(dg.RunsFilter(statuses=going_on)):
        run = record.dagster_run
        process = run.tags.get(PROCESS_TAG)
        if process is not None and not _is_alive(process):
            instance.report_run_failed(run, "The process of this run is gone: it was killed or the machine went down.")
            closed.append(run.run_id)
    storage = instance.event_log_storage
    for holder in {run_id for pool in POOLS for run_id in storage.get_concurrency_info(pool).active_run_ids}:
        held_by = instance.get_run_by_id(holder)
        if held_by is None or held_by.status in FINISHED_STATUSES:
            storage.free_concurrency_slots_for_run(holder)
    return closed


def _code_location() -> RemoteRepositoryOrigin:
    origins = location_origins_from_yaml_paths([str(PROJECT_ROOT / "workspace.yaml")])
    (origin,) = origins
    return RemoteRepositoryOrigin(origin, "__repository__")


def _this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _is_alive(process: str) -> bool:
    host, pid, started = process.rsplit(":", 2)
    if host != socket.gethostname():
        return True  # another machine's: not ours to judge
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; a number that is used again by another process differs in it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except FileNotFoundError:
        if Path("/proc").is_dir():
            return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    return "unknown"
