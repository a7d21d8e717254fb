"""Silver: bronze decoded into typed tables, each row accounted for before any is written."""

from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days import DayReport, day_by_day, run_days
from vp_pipeline.assets.keys import airbyte_key, asset_spec, bronze_key, check_specs, checks_of, silver_key
from vp_pipeline.assets.preview import column_schema, counted, preview
from vp_pipeline.failures import PermanentError
from vp_pipeline.quality.outcome import conservation
from vp_pipeline.resources import bronze, silver
from vp_pipeline.resources.lake import Lake
from vp_pipeline.resources.manifests import SilverManifest
from vp_pipeline.sources.landed import Decoded
from vp_pipeline.sources.source import Stream


def silver_assets(stream: Stream, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The tables of a stream: one step decodes an answer once for all of them."""
    tables = {silver_key(table): table for table in stream.tables}
    upstream = bronze_key(stream)
    above = checks_of(airbyte_key(stream), upstream)

    @dg.multi_asset(
        name=f"silver_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[upstream],
                description=f"{table.description} Grain: {table.grain}.",
                kinds={"parquet"},
                partitions=partitions,
                source=stream.source,
                metadata={"dagster/column_schema": column_schema(table)},
            ).replace_attributes(skippable=True)
            for key, table in tables.items()
        ],
        check_specs=check_specs(tables, partitions),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def decode(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> Iterator[object]:
        def build(day: date, keys: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            manifest = bronze.read_manifest(lake, stream, day)
            if manifest is None:
                raise PermanentError(
                    f"{upstream.to_user_string()} has no partition {day}: no complete sync was landed, and files that "
                    f"no manifest lists are not read. Materialize airbyte and bronze for {day} first."
                )
            decoded = stream.decode(bronze.lines_of(lake, manifest))
            return {key: _report(lake, decoded[tables[key].name], day) for key in tables if key in keys}

        yield from run_days(context, day_by_day(context, build), rests_on=lambda _: above)

    return decode


def _report(lake: Lake, decoded: Decoded, day: date) -> DayReport:
    """Writes one table's partition if its records add up; otherwise the partition stays as it was."""
    table = decoded.table
    outcome = conservation(
        f"silver/{table.source}/{table.name} for {day}",
        decoded.records_in,
        decoded.rows.num_rows,
        decoded.duplicates,
        len(decoded.quarantined),
    )
    if not outcome.passed:
        return DayReport([outcome])
    manifest = silver.write(lake, decoded, day)
    return DayReport([outcome], _metadata(lake, decoded, manifest), data_version=manifest.digest[:16])


def _metadata(lake: Lake, decoded: Decoded, manifest: SilverManifest) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": manifest.rows,
        "records_in": manifest.records_in,
        "duplicates": manifest.duplicates,
        "quarantined": manifest.quarantined,
        "bytes": sum(item.size for item in manifest.objects),
        "preview": dg.MetadataValue.md(preview(decoded.rows)),
        "manifest": dg.MetadataValue.path(lake.local_path(silver.manifest_path(decoded.table, manifest.run_date))),
        "file": dg.MetadataValue.path(lake.local_path(manifest.objects[0].path)),
    }
    if manifest.quarantine:
        metadata["quarantine"] = dg.MetadataValue.path(lake.local_path(manifest.quarantine.path))
        metadata["reasons"] = dg.MetadataValue.md(counted(row.reason for row in decoded.quarantined))
    return metadata
