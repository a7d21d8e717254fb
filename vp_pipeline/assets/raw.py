"""RAW: the silver partitions of a day loaded into the warehouse in one transaction."""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from vp_pipeline.assets import inventory
from vp_pipeline.assets.code_changes import require_restated_silver, require_same_code
from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import run_days, together
from vp_pipeline.assets.days.report import DayReport, Reports, checked
from vp_pipeline.assets.inventory import take_inventory
from vp_pipeline.assets.keys import (
    asset_spec,
    bronze_key,
    check_specs,
    checks_of,
    intake_key,
    raw_key,
    silver_key,
)
from vp_pipeline.assets.metadata import column_schema, derived_from
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import silver
from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import parse_days
from vp_pipeline.quality.outcome import Outcome, conservation
from vp_pipeline.settings import Settings
from vp_pipeline.sources.contract import RAW_COLUMNS, Table
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.loading import Load, Warehouse
from vp_pipeline.warehouse.loads import give_up, outdated_days
from vp_pipeline.warehouse.missing_days import record_loaded


def raw_assets(stream: Stream, partitions: dg.PartitionsDefinition, settings: Settings) -> dg.AssetsDefinition:
    """The RAW tables of a stream: one step, and one transaction per day for all of them, so that a day is complete.

    With the days of the run those are loaded that RAW does not hold as silver does, because the warehouse was deleted
    or restored from a backup, and those that it has from silver of other code. Where one of the latter cannot be, its
    rows are of code that is not there any more: the build of the models after it excludes the day.
    """
    tables = {raw_key(table): table for table in stream.tables}
    first = raw_key(stream.tables[0])
    above = checks_of(intake_key(stream), bronze_key(stream), *(silver_key(table) for table in tables.values()))

    def depends_on(_: dg.AssetKey) -> Sequence[Sequence[dg.AssetCheckKey]]:
        return [above]

    @dg.multi_asset(
        name=f"raw_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[silver_key(table)],
                description=f"{table.description} Grain: {table.grain}, within a run_date.",
                kinds={settings.engine},  # a second tag would cut names in the catalog
                partitions=partitions,
                source=stream.source,
                metadata={
                    "dagster/column_schema": column_schema(table),
                    "dagster/relation_identifier": f"raw.{table.raw_name}",
                },
            )
            for key, table in tables.items()
        ],
        check_specs=[
            *check_specs(tables, partitions),
            inventory.same_days_spec(first, partitions),
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def load(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[object]:
        tag = {"run": context.run_id, "asset": f"raw/{stream.source}_{stream.name}"}

        def build(same_days: Outcome, day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            manifests = {table: _manifest(lake, stream, table, day) for table in tables.values()}
            with warehouse.connect(tag={**tag, "partition": day.isoformat()}) as connection:
                loads = warehouse.load_day(connection, lake, manifests)
            return {
                key: checked(
                    context,
                    key,
                    [*_outcomes(manifests[table], loads[table]), *([same_days] if key == first else [])],
                    _metadata(lake, table, manifests[table], loads[table]),
                    data_version=manifests[table].content[:16],
                )
                for key, table in tables.items()
            }

        def build_all(admitted: Admitted) -> Reports:
            require_same_code(context, settings, warehouse, lake)
            require_restated_silver(lake, stream)
            with warehouse.connect(tag=tag) as connection:
                outdated = outdated_days(connection, stream.tables, stream.code.own)
                found = take_inventory(context.instance, connection, lake, stream)
            same_days = inventory.same_days(f"{stream.source}/{stream.name}", found, parse_days(context.partition_keys))
            again = {*outdated, *found.missing}
            yield from together(context, partial(build, same_days), again, depends_on=depends_on, restated=outdated)(
                admitted
            )
            with warehouse.connect(tag=tag) as connection:
                if outdated:
                    left = outdated_days(connection, stream.tables, stream.code.own)
                    give_up(connection, stream.tables, left)
                record_loaded(connection, lake, stream)

        yield from run_days(context, build_all, depends_on=depends_on)

    return load


def _manifest(lake: Lake, stream: Stream, table: Table, day: date) -> SilverManifest:
    manifest = silver.read_manifest(lake, table, day)
    if manifest.decoder != stream.code.own:
        raise PermanentError(
            f"silver/{table.source}/{table.name} for {day} is as other code decoded it, and could not be decoded "
            f"again: see its checks for {day}. What RAW has of the day was made by that code too, so the models "
            "exclude it."
        )
    return manifest


def _outcomes(manifest: SilverManifest, load: Load) -> list[Outcome]:
    what = f"raw.{manifest.source}_{manifest.table} for {manifest.run_date}"
    done = "the same rows were there already" if load.unchanged else f"{load.rows:,} rows loaded"
    return [
        Outcome("loaded", True, f"{what}: {done}."),
        conservation(what, manifest.rows, load.rows, duplicates=0, quarantined=0),
    ]


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
