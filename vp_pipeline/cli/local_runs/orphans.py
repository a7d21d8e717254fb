"""Runs whose process was killed: how they are recognized, and how they are closed.

A run of the command line has the process that executes it in a tag: host, process id, and the time at which that
process started, because ids are used again.
"""

import os
import socket
from pathlib import Path

import dagster as dg

# The pools of the warehouses' engines: a step that writes one holds its pool.
POOLS = ("duckdb", "snowflake")
PROCESS_TAG = ".dagster/vp_process"  # the prefix hides it in the UI


def process_tags() -> dict[str, str]:
    """The tag of a run that this process executes."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"}


def close_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Ends the runs whose process was killed, and frees their slots in the pools.

    Without this a killed run shows as running forever, and holds the warehouse's pool against every later one.
    Returns the ids of the runs that were ended.
    """
    closed = []
    # Planning a long range takes a while: a run may be left before it has started, too.
    unfinished = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED]
    for record in instance.get_run_records(dg.RunsFilter(statuses=unfinished)):
        run = record.dagster_run
        process = run.tags.get(PROCESS_TAG)
        if process is not None and not _is_alive(process):
            instance.report_run_failed(run, "The process of this run is gone: it was killed or the machine went down.")
            closed.append(run.run_id)
    _free_pools(instance)
    return closed


def _free_pools(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    for run_id in {run_id for pool in POOLS for run_id in storage.get_concurrency_info(pool).active_run_ids}:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


def _is_alive(process: str) -> bool:
    host, pid, started = process.rsplit(":", 2)
    if host != socket.gethostname():
        return True  # of another machine: its processes cannot be seen from here
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; a process that has the same id later has another one."""
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
