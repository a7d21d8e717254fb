"""Which statuses are the end of a run or of a backfill, and which are in progress.

Dagster keeps these lists in private modules. Here they are made of the public statuses, and of the stored values where
an enumeration is private; `dagster_internals/test_tags_and_statuses.py` compares them with
Dagster's own. For one run, `dg.DagsterRun.is_finished` is public.
"""

from dagster import DagsterRunStatus

FINISHED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
# Of runs that hold something or will write something. A run in a queue has not begun.
IN_PROGRESS = (
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
    DagsterRunStatus.SUSPENDED,
)
# By value: importing the enumeration takes 0.1 s.
FINISHED_BACKFILLS = frozenset({"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"})
