"""The jobs, by the names people look for."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DAILY = "daily_pipeline"
FRESHNESS = "freshness_checks"


def daily_pipeline(
    partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition
) -> UnresolvedAssetJobDefinition:
    """Everything, from the syncs to the published marts, for the days of the run; without the checks of freshness."""
    return dg.define_asset_job(
        DAILY,
        # Freshness is about days that a run may not have; it is asked on its own.
        selection=dg.AssetSelection.all() - dg.AssetSelection.checks(freshness),
        partitions_def=partitions,
        description="From the Airbyte syncs to the published marts, with every check, for one day or a range of days.",
    )


def freshness_job(freshness: dg.AssetChecksDefinition) -> UnresolvedAssetJobDefinition:
    """The checks of freshness, and nothing else."""
    return dg.define_asset_job(
        FRESHNESS,
        selection=dg.AssetSelection.checks(freshness),
        description="Whether the day that has just finished is there, layer by layer. Builds nothing.",
    )
