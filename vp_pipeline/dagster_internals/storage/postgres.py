"""Dagster's own PostgreSQL storage, in which a check has a result when it was evaluated (`evaluated_checks.py`).

`infra/dagster/dagster.yaml` names `EvaluatedPostgresStorage`. What is stored, and where, is Dagster's: the stock
storage reads what this one has written, and the other way round.

Private names:

- `ConfigurableClassData`: how dagster.yaml configures a storage.
  Guard: `dagster_internals/test_postgres_storage.py::test_what_is_stored_is_what_dagster_reads`
- `DagsterPostgresStorage._event_log_storage`: its events, which the other storage replaces.
  Guard: `dagster_internals/test_postgres_storage.py::test_a_check_that_was_not_evaluated_has_no_result`
"""

from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config

from vp_pipeline.dagster_internals.storage.evaluated_checks import NoPlannedChecks


class EvaluatedPostgresEventLogStorage(NoPlannedChecks, PostgresEventLogStorage):
    """Differs from Dagster's in which results of checks it stores."""


class EvaluatedPostgresStorage(DagsterPostgresStorage):
    """`storage: postgres` with `EvaluatedPostgresEventLogStorage`, in the same tables."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        self._event_log_storage = EvaluatedPostgresEventLogStorage(postgres_url, should_autocreate_tables)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "EvaluatedPostgresStorage":
        """From `storage: custom` of dagster.yaml: the entries of `storage: postgres`."""
        return cls(
            pg_url_from_config(config_value), config_value.get("should_autocreate_tables", True), inst_data=inst_data
        )
