"""Runs of the command line: what a killed one leaves behind."""

import os
import socket
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.cli.local_runs.orphans import PROCESS_TAG, close_orphans


@dg.job
def nothing() -> None:
    """A job without steps."""


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_only_runs_whose_process_is_gone_are_closed(status: dg.DagsterRunStatus) -> None:
    me = f"{socket.gethostname()}:{os.getpid()}"
    started = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]
    with dg.DagsterInstance.ephemeral() as instance:
        alive, killed, another, by_hand = (
            instance.create_run_for_job(nothing, status=status, tags=tags).run_id
            for tags in (
                {PROCESS_TAG: f"{me}:{started}"},
                {PROCESS_TAG: f"{me}:1"},  # the number is used again by a process that began at another time
                {PROCESS_TAG: "another-machine:1:1"},
                {},
            )
        )
        assert close_orphans(instance) == [killed]
        found = {run.run_id: run.status for run in instance.get_runs()}
        assert found == {alive: status, killed: dg.DagsterRunStatus.FAILURE, another: status, by_hand: status}
