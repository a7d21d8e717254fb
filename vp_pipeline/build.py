"""One builder of the definitions, used by the code location and by tests."""

import warnings
from collections.abc import Mapping

import dagster as dg

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.assets.airbyte import airbyte_asset
from vp_pipeline.assets.bronze import bronze_asset
from vp_pipeline.assets.dbt import dbt_models
from vp_pipeline.assets.delivery import export_asset, power_bi_asset
from vp_pipeline.assets.keys import EXPORT, POWER_BI, PUBLISHED, airbyte_key, bronze_key, checks_of, raw_key, silver_key
from vp_pipeline.assets.publish import published_marts
from vp_pipeline.assets.raw import raw_assets
from vp_pipeline.assets.silver import silver_assets
from vp_pipeline.automation.definitions import automation_definitions
from vp_pipeline.automation.sensors.marts import rebuilt_by_condition
from vp_pipeline.dbt.project import build_dbt, manifest_path
from vp_pipeline.delivery.export_endpoint import build_endpoint, export_box
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.power_bi import build_power_bi
from vp_pipeline.delivery.power_bi_refresh import power_bi_box
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import daily_partitions
from vp_pipeline.publishing.duckdb import DuckDBPublications, DuckDBPublishedFile
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.quality.freshness import freshness_checks
from vp_pipeline.settings import Settings
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.loading import Warehouse


def build_definitions(settings: Settings, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """The asset graph of an environment: the same everywhere, on that environment's resources."""
    # Checks evaluated by partition are a preview in Dagster: we know, and the release is pinned.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning, module=r"vp_pipeline\.")
    partitions = daily_partitions(settings.start_date)
    fresh = freshness_checks([key for _, stream in STREAMS for key in _first_of_each_layer(stream)] + [PUBLISHED])
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
    units = [(stream.source, stream.name) for _, stream in STREAMS]
    models = rebuilt_by_condition(dbt_models(manifest_path(settings), settings, partitions, raw_checks, units))
    gates = [*raw_checks, *sorted(models.check_keys, key=lambda check: str(check))]
    boxes = delivery_boxes(settings)
    delivery = [
        power_bi_asset(boxes[POWER_BI], gates, partitions),
        export_asset(settings.export_mart, manifest_path(settings), boxes[EXPORT], gates, partitions),
    ]
    assets = dg.Definitions(
        assets=[*ingestion, models, published_marts(models, gates, partitions, settings.engine), *delivery],
        asset_checks=[fresh],
        resources={**resources(settings), **(resource_overrides or {})},
        # A process a step costs seconds a run; the steps of a day follow one another anyway.
        executor=dg.in_process_executor,
    )
    streams = [stream for _, stream in STREAMS]
    return dg.Definitions.merge(
        assets, automation_definitions(settings, build_lake(settings), streams, partitions, boxes, fresh)
    )


def resources(settings: Settings) -> dict[str, object]:
    """The outside world in an environment; nothing is opened before a step needs it."""
    lake = build_lake(settings)
    everywhere: dict[str, object] = {
        "lake": lake,
        "warehouse": build_warehouse(settings),
        "publisher": build_publisher(settings),
        "power_bi": build_power_bi(settings),
        "endpoint": build_endpoint(settings),
        "dbt": build_dbt(settings),
    }
    if settings.env == "production":
        from vp_pipeline.environments.production import build_published_marts, remote_airbyte

        return {**everywhere, "airbyte": remote_airbyte(settings, lake), "marts": build_published_marts(settings)}
    return {
        **everywhere,
        "airbyte": LocalAirbyte(settings, lake),
        "marts": PublishedMarts(DuckDBPublishedFile(settings.published_path)),
    }


def build_lake(settings: Settings) -> Lake:
    """The lake of an environment."""
    if settings.env == "production":
        from vp_pipeline.environments.production import production_lake  # a second that local need not pay

        return production_lake(settings)
    return Lake(settings.lake_dir)


def build_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of an environment."""
    if settings.env == "production":
        from vp_pipeline.environments.production import snowflake_warehouse

        return snowflake_warehouse(settings)
    return DuckDBWarehouse(settings.warehouse_path)


def delivery_boxes(settings: Settings) -> dict[dg.AssetKey, Box]:
    """The outboxes of the assets that deliver."""
    return {POWER_BI: power_bi_box(settings), EXPORT: export_box(settings)}


def build_publisher(settings: Settings) -> Publisher:
    """Where an environment's consumers read."""
    if settings.env == "production":
        from vp_pipeline.environments.production import snowflake_publisher

        return snowflake_publisher(settings)
    return Publisher(DuckDBPublications(settings.published_path, DuckDBWarehouse(settings.warehouse_path)))


def _first_of_each_layer(stream: Stream) -> list[dg.AssetKey]:
    """A day of a stream is written as a whole, so one table tells of all."""
    return [bronze_key(stream), silver_key(stream.tables[0]), raw_key(stream.tables[0])]


def _checks_up_to_raw(stream: Stream) -> list[dg.AssetCheckKey]:
    tables = [key(table) for table in stream.tables for key in (silver_key, raw_key)]
    return checks_of(airbyte_key(stream), bronze_key(stream), *tables)
