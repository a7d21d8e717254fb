"""Where results of checks are stored: a check has one when it was evaluated, and no other.

Stock Dagster stores one for every check of a run when the run is planned. Of a run that fails, those that it never came
to are "execution failed" afterwards: red, as if they had been evaluated, in place of their last real result.

Private names:

- `SqlEventLogStorage`: what every event log in a database has in common.
  Guard: `dagster_internals/test_sqlite_storage.py::test_a_check_that_was_not_evaluated_has_no_result`
"""

import dagster as dg
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage


class NoPlannedChecks(SqlEventLogStorage):
    """Keeps no result of a check that was planned only."""

    def store_asset_check_event(self, event: dg.EventLogEntry, event_id: int | None) -> None:
        if event.dagster_event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            super().store_asset_check_event(event, event_id)
