"""The jobs that materialize assets. Not here: those that look after the pipeline (`retention.py`, `health.py`)."""

from collections.abc import Mapping, Sequence

import dagster as dg

from vp_pipeline.assets.keys import DBT_LAYERS, INTAKES, LAYERS, bronze_key, intake_key, of_layers
from vp_pipeline.dagster_internals.job_types import AssetJob
from vp_pipeline.sources.source import Stream

DAILY = "daily_pipeline"
FRESHNESS = "freshness_checks"
LANDED = "landed_pipeline"
LATE_DATA = "late_data"
DELIVERIES = "deliveries"
DBT = "dbt_models"

# Of jobs that write nothing that a run writes: they take no lease, so that they report while a run is in progress.
LEASE_TAG = "vp/lease"
WITHOUT_LEASE = {LEASE_TAG: "none"}

# The end of the names of jobs that run a day of the pipeline, of all sources or of one: each of their runs is notified.
_WHOLE_DAY = "_pipeline"

# Layers with a name of their own for the job that builds them alone.
_NAMES: Mapping[str, str] = {"published": "republish", "delivery": DELIVERIES}


def daily_pipeline(partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition) -> AssetJob:
    """Everything, from the syncs to the published marts, for the days of the run; without the checks of freshness."""
    return dg.define_asset_job(
        DAILY,
        # Freshness is about days that a run may not have; it has a job of its own.
        selection=dg.AssetSelection.all() - dg.AssetSelection.checks(freshness),
        partitions_def=partitions,
        description="From the Airbyte syncs to the published marts, with every check, for one day or a range of days.",
    )


def source_pipelines(
    sources: Sequence[str], partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition
) -> Sequence[AssetJob]:
    """A day of one source alone, to the published marts: a job for each, where there are several. Every model is built,
    so that its days are validated; the days of the others stay as they are."""
    return [
        dg.define_asset_job(
            f"{source}{_WHOLE_DAY}",
            selection=_with_the_marts(dg.AssetSelection.tag("source", source), freshness),
            partitions_def=partitions,
            description=f"From the syncs of {source} to the published marts; the other sources stay as they are.",
        )
        for source in (sources if len(sources) > 1 else ())
    ]


def late_data_job(
    streams: Sequence[Stream], days: int, partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition
) -> AssetJob:
    """The streams that can be requested again, to the published marts."""
    names = ", ".join(f"{stream.source}/{stream.name}" for stream in streams)
    own = dg.AssetSelection.assets(*map(intake_key, streams)).downstream()
    return dg.define_asset_job(
        LATE_DATA,
        selection=_with_the_marts(own, freshness),
        partitions_def=partitions,
        description=f"The last {days} days of {names} again, for late data.",
    )


def _with_the_marts(ingestion: dg.AssetSelection, freshness: dg.AssetChecksDefinition) -> dg.AssetSelection:
    """With every model: what was loaded is validated by a build of all of them."""
    return (ingestion | of_layers(*DBT_LAYERS, "published", "delivery")) - dg.AssetSelection.checks(freshness)


def runs_whole_days(job_name: str) -> bool:
    """Whether a job runs days of the pipeline to their publication."""
    return job_name.endswith(_WHOLE_DAY)


def requests_data(job_name: str) -> bool:
    """Whether a job begins with syncs."""
    return job_name == LATE_DATA or (runs_whole_days(job_name) and job_name != LANDED)


def from_bronze(
    streams: Sequence[Stream], freshness: dg.AssetChecksDefinition, *, include_bronze: bool
) -> dg.AssetSelection:
    """What follows the syncs of the streams, to the published marts."""
    own = dg.AssetSelection.assets(*map(bronze_key, streams)).downstream(include_self=include_bronze)
    return _with_the_marts(own, freshness)


def run_request(
    repository: dg.RepositoryDefinition, selected: dg.AssetSelection, run_key: str, day: str, tags: Mapping[str, str]
) -> dg.RunRequest:
    """A run of a selection on one day, with the selection's own checks: asked for assets alone, Dagster adds every
    check of theirs, also those that the job leaves out."""
    return dg.RunRequest(
        run_key=run_key,
        partition_key=day,
        asset_selection=sorted(selected.resolve(repository.asset_graph)),
        asset_check_keys=sorted(selected.resolve_checks(repository.asset_graph)),
        tags=tags,
    )


def freshness_job(freshness: dg.AssetChecksDefinition) -> AssetJob:
    """The checks of freshness, and nothing else."""
    return dg.define_asset_job(
        FRESHNESS,
        selection=dg.AssetSelection.checks(freshness),
        description="Whether the day that has just finished is there, layer by layer. Builds nothing.",
        executor_def=dg.in_process_executor,
        tags=WITHOUT_LEASE,
    )


def landed_pipeline(partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition) -> AssetJob:
    """Everything after the syncs, for days whose syncs were made by an Airbyte on a schedule of its own."""
    return dg.define_asset_job(
        LANDED,
        selection=dg.AssetSelection.all() - of_layers(*INTAKES) - dg.AssetSelection.checks(freshness),
        partitions_def=partitions,
        description="The daily pipeline without its syncs: for what an Airbyte on its own schedule has landed.",
    )


def partial_jobs(
    streams: Sequence[Stream], partitions: dg.PartitionsDefinition, freshness: dg.AssetChecksDefinition
) -> Sequence[AssetJob]:
    """Each layer alone, and all of dbt: what someone launches after a fix, on the layer above as it is."""
    layers = [
        dg.define_asset_job(
            _NAMES.get(layer, f"{layer}_layer"),
            selection=of_layers(layer) - dg.AssetSelection.checks(freshness),
            partitions_def=partitions,
            description=f"The layer {layer} alone, from what is above it already.",
            tags={"layer": layer},
        )
        for layer in LAYERS
        if layer not in INTAKES or layer in {stream.intake for stream in streams}
    ]
    dbt = dg.define_asset_job(
        DBT,
        selection=of_layers(*DBT_LAYERS),
        partitions_def=partitions,
        description=f"All dbt models ({', '.join(DBT_LAYERS)}) and their tests, from RAW as it is.",
        tags={"layer": "dbt"},
    )
    return [*layers, dbt]
