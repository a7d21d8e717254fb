"""The jobs, by the names people look for."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

DAILY = "daily_pipeline"
LANDED = "landed_pipeline"
LATE_DATA = "late_data"
DELIVERIES = "deliveries"

# A day of the pipeline: people hear of each.
WHOLE_DAYS = (DAILY, LANDED)


def daily_pipeline(partitions: dg.PartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything, from the syncs to the marts, for the days of the run."""
    return dg.define_asset_job(
        DAILY,
        selection=dg.AssetSelection.all(),
        partitions_def=partitions,
        description="From the Airbyte syncs to the marts, with every check, for one day or a range of days.",
    )


def landed_pipeline(partitions: dg.PartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything after the syncs, for days whose syncs were made by an Airbyte on a schedule of its own."""
    return dg.define_asset_job(
        LANDED,
        selection=dg.AssetSelection.all() - dg.AssetSelection.groups("airbyte"),
        partitions_def=partitions,
        description="The daily pipeline without its syncs: for what an Airbyte on its own schedule has landed.",
    )


def deliveries(keys: Sequence[dg.AssetKey], partitions: dg.PartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """What leaves the pipeline after a publication, alone."""
    return dg.define_asset_job(
        DELIVERIES,
        selection=dg.AssetSelection.assets(*keys),
        partitions_def=partitions,
        description="The refresh of Power BI and the exports, for what is published already.",
    )
