"""One builder of the definitions, used by the code location and by tests."""

import warnings
from collections.abc import Mapping

import dagster as dg

from vp_pipeline.assets.airbyte import airbyte_asset
from vp_pipeline.assets.bronze import bronze_asset
from vp_pipeline.assets.dbt import dbt_models
from vp_pipeline.assets.keys import airbyte_key, bronze_key, checks_of, raw_key, silver_key
from vp_pipeline.assets.raw import raw_assets
from vp_pipeline.assets.silver import silver_assets
from vp_pipeline.automation.jobs import daily_pipeline
from vp_pipeline.automation.schedules import daily_schedule
from vp_pipeline.partitions import daily_partitions
from vp_pipeline.resources.dbt import dbt_resource, manifest_path
from vp_pipeline.resources.lake import Lake
from vp_pipeline.resources.local_airbyte import LocalAirbyte
from vp_pipeline.resources.warehouse import DuckDBWarehouse
from vp_pipeline.settings import Settings
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.sources.source import Stream


def build_definitions(settings: Settings, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """The asset graph of an environment: the same everywhere, on that environment's resources."""
    # Checks evaluated by partition are a preview in Dagster: we know, and the release is pinned.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning, module=r"vp_pipeline\.")
    partitions = daily_partitions(settings.start_date)
    job = daily_pipeline(partitions)
    ingestion = [
        assets
        for source, stream in STREAMS
        for assets in (
            airbyte_asset(source, stream, partitions),
            bronze_asset(stream, partitions),
            silver_assets(stream, partitions),
            raw_assets(stream, partitions, settings.engine),
        )
    ]
    raw_checks = [check for _, stream in STREAMS for check in _checks_up_to_raw(stream)]
    return dg.Definitions(
        assets=[*ingestion, dbt_models(manifest_path(settings), settings, partitions, raw_checks)],
        jobs=[job],
        schedules=[daily_schedule(job)],
        resources={**resources(settings), **(resource_overrides or {})},
        # A process a step costs seconds a run; the steps of a day follow one another anyway.
        executor=dg.in_process_executor,
    )


def resources(settings: Settings) -> dict[str, object]:
    """The outside world in an environment; nothing is opened before a step needs it."""
    if settings.env == "production":
        from vp_pipeline.resources.production import production_resources  # a second that local need not pay

        return {**production_resources(settings), "dbt": dbt_resource(settings)}
    lake = Lake(settings.lake_dir)
    return {
        "lake": lake,
        "airbyte": LocalAirbyte(settings, lake),
        "warehouse": DuckDBWarehouse(settings.warehouse_path),
        "dbt": dbt_resource(settings),
    }


def _checks_up_to_raw(stream: Stream) -> list[dg.AssetCheckKey]:
    tables = [key(table) for table in stream.tables for key in (silver_key, raw_key)]
    return checks_of(airbyte_key(stream), bronze_key(stream), *tables)
