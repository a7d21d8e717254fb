"""RAW: the silver partitions of a day loaded into the warehouse in one transaction."""

from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.assets.keys import (
    airbyte_key,
    asset_spec,
    bronze_key,
    check_specs,
    checks_of,
    raw_key,
    silver_key,
)
from vp_pipeline.assets.metadata import column_schema, derived_from
from vp_pipeline.lake import silver
from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.outcome import Outcome, conservation
from vp_pipeline.sources.contract import RAW_COLUMNS, Table
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.loading import Load, Warehouse


def raw_assets(stream: Stream, partitions: dg.PartitionsDefinition, engine: str) -> dg.AssetsDefinition:
    """The RAW tables of a stream: one step, and one transaction per day for all of them, so that a day is complete.

    `engine`: the warehouse's, and the pool of what writes it.
    """
    tables = {raw_key(table): table for table in stream.tables}
    above = checks_of(airbyte_key(stream), bronze_key(stream), *(silver_key(table) for table in tables.values()))

    @dg.multi_asset(
        name=f"raw_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[silver_key(table)],
                description=f"{table.description} Grain: {table.grain}, within a run_date.",
                kinds={engine, "table"},
                partitions=partitions,
                source=stream.source,
                metadata={
                    "dagster/column_schema": column_schema(table),
                    "dagster/relation_identifier": f"raw.{table.raw_name}",
                },
            )
            for key, table in tables.items()
        ],
        check_specs=check_specs(tables, partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=engine,
    )
    def load(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[object]:
        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            manifests = {table: silver.read_manifest(lake, table, day) for table in tables.values()}
            tag = {"run": context.run_id, "asset": f"raw/{stream.source}_{stream.name}", "partition": day.isoformat()}
            with warehouse.connect(tag=tag) as connection:
                loads = warehouse.load_day(connection, lake, manifests)
            return {
                key: checked(
                    context,
                    key,
                    [_conservation(manifests[table], loads[table])],
                    _metadata(lake, table, manifests[table], loads[table]),
                    data_version=manifests[table].content[:16],
                )
                for key, table in tables.items()
            }

        yield from run_days(context, day_by_day(context, build), depends_on=lambda _: above)

    return load


def _conservation(manifest: SilverManifest, load: Load) -> Outcome:
    what = f"raw.{manifest.source}_{manifest.table} for {manifest.run_date}"
    return conservation(what, manifest.rows, load.rows, duplicates=0, quarantined=0)


def _metadata(lake: Lake, table: Table, manifest: SilverManifest, load: Load) -> dict[str, Any]:
    day = manifest.run_date
    return {
        "dagster/row_count": load.rows,
        "unchanged": dg.MetadataValue.bool(load.unchanged),
        "added_columns": ", ".join(column.name for column in RAW_COLUMNS),
        "derived_from": derived_from([silver_key(table)], day),
        "silver_manifest": dg.MetadataValue.path(lake.location(silver.manifest_path(table, day))),
        "silver_file": dg.MetadataValue.path(lake.location(manifest.objects[0].path)),
    }
