"""The types of jobs and schedules before the code location has resolved them, for annotations.

Private names:

- `UnresolvedAssetJobDefinition`: what `dg.define_asset_job` returns has no public name.
  Guard: `dagster_internals/test_job_types.py::test_they_are_what_dagster_builds`
- `UnresolvedPartitionedAssetScheduleDefinition`: nor has what `dg.build_schedule_from_partitioned_job` returns.
  Guard: `dagster_internals/test_job_types.py::test_they_are_what_dagster_builds`
"""

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import UnresolvedPartitionedAssetScheduleDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

AssetJob = UnresolvedAssetJobDefinition
Schedule = dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition
