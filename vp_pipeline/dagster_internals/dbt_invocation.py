"""The parts of dagster-dbt that make Dagster's events from dbt's, and its selection from Dagster's.

dagster-dbt runs dbt as a subprocess, three seconds a command; `dbt/in_process.py` and `dbt/invocation.py` run it in
this process and use these parts for everything else.

Private names:

- `DbtCliInvocation`: makes Dagster's events from dbt's.
  Guard: `dbt/test_dbt_in_process.py::test_dagster_dbt_has_the_private_parts_that_are_used`
- `extract_runtime_selection_from_args`, `get_updated_cli_invocation_params_for_context`: dbt's selection of what a step
  is to build.
  Guard: `dbt/test_dbt_in_process.py::test_dagster_dbt_has_the_private_parts_that_are_used`
"""

from dagster_dbt.asset_utils import (
    extract_runtime_selection_from_args,
    get_updated_cli_invocation_params_for_context,
)
from dagster_dbt.core.dbt_cli_invocation import DbtCliInvocation

__all__ = ["DbtCliInvocation", "extract_runtime_selection_from_args", "get_updated_cli_invocation_params_for_context"]
