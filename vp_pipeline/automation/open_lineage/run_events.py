"""What Dagster recorded of a run, as OpenLineage events (openlineage.io/spec/2-0-2).

Here: jobs, runs, datasets and their names. The job of the run is the parent; each asset that it materialized is a job
of its own, with what it read and wrote, its columns, what those are derived from, and its rows. Times are UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import dagster as dg
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    error_message_run,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)

from vp_pipeline.assets.keys import DBT_LAYERS, INTAKES
from vp_pipeline.assets.metadata import LINEAGE
from vp_pipeline.partitions import parse_days
from vp_pipeline.settings import Settings

PRODUCER = f"urn:vp-pipeline:{version('vp-pipeline')}"
SCHEMA = "dagster/column_schema"
ROWS = "dagster/row_count"
_IN_THE_WAREHOUSE = ("raw", *DBT_LAYERS)
_IN_THE_LAKE = (*INTAKES, "bronze", "silver")
_ENDS = {
    dg.DagsterRunStatus.SUCCESS: RunState.COMPLETE,
    dg.DagsterRunStatus.FAILURE: RunState.FAIL,
    dg.DagsterRunStatus.CANCELED: RunState.ABORT,
}

Metadata = Mapping[str, Any]


@dataclass(frozen=True)
class Places:
    """Where datasets lie, by OpenLineage's naming: a namespace for the warehouse, one for the lake, and one for jobs.

    `database`: what precedes a table's schema in its name, on Snowflake in upper case as its catalogue has it.
    """

    jobs: str
    warehouse: str
    lake: str
    database: str | None = None

    def dataset(self, key: dg.AssetKey) -> tuple[str, str]:
        """The namespace and the name of an asset."""
        layer = key.path[0]
        if layer in _IN_THE_WAREHOUSE:
            name = ".".join(key.path)
            return self.warehouse, name if self.database is None else f"{self.database}.{name}".upper()
        return (self.lake if layer in _IN_THE_LAKE else self.jobs), "/".join(key.path)


@dataclass(frozen=True)
class Asset:
    """An asset as the graph has it: what it is derived from, and its metadata."""

    parents: Sequence[dg.AssetKey]
    metadata: Metadata


def places_of(settings: Settings) -> Places:
    """The namespaces of an environment; those of deployments differ."""
    if settings.env == "local":
        return Places("vp_pipeline.local", "duckdb", f"file://{settings.lake_dir}")
    jobs = f"vp_pipeline.{settings.deployment}"
    return Places(
        jobs, f"snowflake://{settings.snowflake_account}", str(settings.lake_url), settings.snowflake_database
    )


def run_events(
    record: dg.RunRecord,
    entries: Iterable[dg.EventLogEntry],
    asset_of: Callable[[dg.AssetKey], Asset],
    places: Places,
) -> list[RunEvent]:
    """The events of a run that has ended, in order: its own start, a start and an end for each asset that it wrote, and
    its own end.

    Args:
        record: the run, with its times.
        entries: its materializations and failures.
        asset_of: the asset of a key.
    """
    run = record.dagster_run
    written: dict[dg.AssetKey, list[dg.EventLogEntry]] = {}
    failures = []
    for entry in entries:
        if entry.asset_materialization is not None:
            written.setdefault(entry.asset_materialization.asset_key, []).append(entry)
        elif entry.is_dagster_event and entry.get_dagster_event().is_step_failure:
            failures.append(entry.get_dagster_event().message or "A step failed.")
    began = record.start_time or record.create_timestamp.timestamp()
    ended = record.end_time or began
    job = Job(places.jobs, run.job_name)
    reason: dict[str, Any] = (
        {"errorMessage": error_message_run.ErrorMessageRunFacet(failures[0], "Python")} if failures else {}
    )
    parent = parent_run.ParentRunFacet(
        parent_run.Run(run.run_id), parent_run.Job(namespace=places.jobs, name=run.job_name)
    )
    of_assets = [
        event
        for key, found in written.items()
        for event in _asset_events(run.run_id, key, found, asset_of(key), parent, began, places)
    ]
    return [
        _event(RunState.START, began, Run(run.run_id), job),
        *of_assets,
        _event(_ENDS[run.status], ended, Run(run.run_id, reason), job),
    ]


def _asset_events(
    run_id: str,
    key: dg.AssetKey,
    entries: Sequence[dg.EventLogEntry],
    asset: Asset,
    parent: parent_run.ParentRunFacet,
    began: float,
    places: Places,
) -> Iterator[RunEvent]:
    materializations = [entry.asset_materialization for entry in entries if entry.asset_materialization]
    days = parse_days(found.partition for found in materializations if found.partition)
    facets: dict[str, Any] = {"parent": parent}
    if days:
        begin, end = (_midnight(day) for day in (min(days), max(days) + timedelta(days=1)))
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(begin, end)
    run = Run(str(uuid5(NAMESPACE_URL, f"{run_id}/{key.to_user_string()}")), facets)
    job = Job(places.jobs, key.to_user_string())
    inputs = [InputDataset(*places.dataset(parent_key)) for parent_key in asset.parents]
    metadata = {**asset.metadata, **materializations[-1].metadata}
    output = OutputDataset(
        *places.dataset(key), facets=_columns(metadata, places), outputFacets=_rows(key, materializations)
    )
    yield _event(RunState.START, began, run, job, inputs)
    yield _event(RunState.COMPLETE, entries[-1].timestamp, run, job, inputs, [output])


def _columns(metadata: Metadata, places: Places) -> dict[str, Any]:
    """The facets of a dataset's columns: their types, and what they are derived from."""
    facets: dict[str, Any] = {}
    schema, lineage = _value(metadata.get(SCHEMA)), _value(metadata.get(LINEAGE))
    if isinstance(schema, dg.TableSchema):
        fields = [
            schema_dataset.SchemaDatasetFacetFields(column.name, column.type, column.description)
            for column in schema.columns
        ]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields)
    if isinstance(lineage, dg.TableColumnLineage):
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(
            {
                name: column_lineage_dataset.Fields(
                    [
                        column_lineage_dataset.InputField(*places.dataset(origin.asset_key), origin.column_name)
                        for origin in origins
                    ]
                )
                for name, origins in lineage.deps_by_column.items()
                if origins
            }
        )
    return facets


def _rows(key: dg.AssetKey, materializations: Sequence[dg.AssetMaterialization]) -> dict[str, Any]:
    """The rows written: of a day's partitions together, of a model those of its table."""
    rows = [_value(found.metadata[ROWS]) for found in materializations if ROWS in found.metadata]
    if not rows:
        return {}
    counted = rows[-1] if key.path[0] in DBT_LAYERS else sum(rows)
    return {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(counted)}


def _value(metadata: Any) -> Any:
    return metadata.value if isinstance(metadata, dg.MetadataValue) else metadata


def _event(
    state: RunState,
    at: float,
    run: Run,
    job: Job,
    inputs: Sequence[InputDataset] = (),
    outputs: Sequence[OutputDataset] = (),
) -> RunEvent:
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    return RunEvent(
        eventTime=moment, eventType=state, run=run, job=job, inputs=[*inputs], outputs=[*outputs], producer=PRODUCER
    )


def _midnight(day: Any) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()
