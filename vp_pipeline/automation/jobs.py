"""The jobs, by the names people look for."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DAILY = "daily_pipeline"


def daily_pipeline(partitions: dg.PartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything, from the syncs to the marts, for the days of the run."""
    return dg.define_asset_job(
        DAILY,
        selection=dg.AssetSelection.all(),
        partitions_def=partitions,
        description="From the Airbyte syncs to the marts, with every check, for one day or a range of days.",
    )
