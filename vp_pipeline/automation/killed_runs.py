"""Runs whose process is gone: how they are recognized, and how they end.

A process that was killed writes no last event, so its run seems to be running for ever. Dagster's own monitoring asks
the launcher, and the default one cannot answer after a restart. Here the process is looked at: every run has the
process that executes it in a tag (`assets/exclusive.py`). Where that cannot be seen (it is of another machine, or the
run was killed before it had one) the heartbeat of the lease decides, and the silence of the run.

Here: the rule, and the end of such runs. Not here: who applies it (`sensors/killed.py`, and `vp run` at its start).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from vp_pipeline.assets.exclusive import PROCESS_TAG
from vp_pipeline.automation.jobs import LEASE_TAG
from vp_pipeline.warehouse.lease.holder import Process
from vp_pipeline.warehouse.lease.lease import REPORT_SECONDS, Lease

# A run that waits for the lease writes an event every minute, and one that holds it has a heartbeat.
SILENCE = timedelta(seconds=1.5 * REPORT_SECONDS)
# Of a run that nothing shows to be gone: it was created and not launched yet (the daemon that comes back launches it),
# it was just launched on a busy machine, or its job takes no lease and so has no heartbeat.
LONG_SILENCE = timedelta(minutes=10)
_UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def end_killed_runs(
    instance: dg.DagsterInstance,
    lease: Lease,
    location: str | None,
    server_since: datetime | None = None,
    now: datetime | None = None,
) -> list[dg.DagsterRun]:
    """Ends the runs whose process is gone, as failed (as canceled, if someone has terminated them), each with an event
    that has the reason; returns them. Runs in the queue and runs that wait for the lease stay.

    `location`: the code location; of others only runs that this project's executor has run are looked at.
    `server_since`: when the code server began, if it is this process: it watches the processes that it has launched,
    and those of a server before it are launched by nobody any more.
    """
    ended = []
    for run, reason in _killed(instance, lease, location, server_since, now or datetime.now(UTC)):
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, reason)
        else:
            instance.report_run_failed(run, reason)
        ended.append(run)
    return ended


def _killed(
    instance: dg.DagsterInstance, lease: Lease, location: str | None, server_since: datetime | None, now: datetime
) -> Iterator[tuple[dg.DagsterRun, str]]:
    """The unfinished runs whose process is gone, each with the reason."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(_UNFINISHED))):
        run = record.dagster_run
        process = _process_of(instance, run)
        if process is None and not _is_of(run, location):
            continue
        alive = process.is_alive if process else None
        if alive is None:
            newest = _newest_event(instance, record)
            of_old_server = process is None and server_since is not None and newest < server_since
            alive = now - newest < _allowed(run, process, of_old_server) or _holds(lease, run)
        if not alive:
            yield run, _reason(process)


def _process_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Process | None:
    """The process that executes a run; None: it has none yet, or one that another version has written. Dagster gives a
    run that is executed again the tags of the run before, also this one."""
    text = run.tags.get(PROCESS_TAG, "")
    before = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return None if before and before.tags.get(PROCESS_TAG) == text else Process.parse(text)


def _is_of(run: dg.DagsterRun, location: str | None) -> bool:
    return run.remote_job_origin is not None and run.remote_job_origin.location_name == location


def _allowed(run: dg.DagsterRun, process: Process | None, of_old_server: bool) -> timedelta:
    """How long a run may be silent whose process cannot be seen."""
    if process is None:
        return SILENCE if of_old_server and run.status != dg.DagsterRunStatus.NOT_STARTED else LONG_SILENCE
    return LONG_SILENCE if LEASE_TAG in run.tags else SILENCE


def _newest_event(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    """The moment of the last sign of life of a run."""
    newest = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    written = [datetime.fromtimestamp(event.event_log_entry.timestamp, UTC) for event in newest]
    return max([record.create_timestamp.astimezone(UTC), *written])


def _holds(lease: Lease, run: dg.DagsterRun) -> bool:
    holder = lease.current()
    return holder is not None and holder.run_id == run.run_id


def _reason(process: Process | None) -> str:
    which = f"{process.pid} on {process.host}" if process else "launched before the code server was started again"
    return (
        f"The process of this run ({which}) is gone. It was killed, or its machine went down. What it held is free. "
        "Run the same days again."
    )
