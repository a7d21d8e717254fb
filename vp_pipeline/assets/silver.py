"""Silver: bronze decoded into typed tables, every row counted before any is written."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.code_changes import require_same_code
from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import run_days, together
from vp_pipeline.assets.days.report import DayReport, DayState, Reports, checked, not_built
from vp_pipeline.assets.keys import asset_spec, bronze_key, check_specs, checks_of, intake_key, silver_key
from vp_pipeline.assets.metadata import PREVIEW, column_schema, counted, derived_from, preview
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import bronze, silver
from vp_pipeline.lake.decoded_days import restating
from vp_pipeline.lake.manifests import BronzeManifest, SilverManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.contract import duplicates, keeps_contract, quarantine
from vp_pipeline.quality.outcome import Outcome, conservation, first_blocking
from vp_pipeline.quality.thresholds import VOLUME_DAYS
from vp_pipeline.quality.volume import Volumes, like_with_like, volumes
from vp_pipeline.settings import Settings
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.landed import Decoded
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.loading import Warehouse


def silver_assets(stream: Stream, partitions: dg.PartitionsDefinition, settings: Settings) -> dg.AssetsDefinition:
    """The tables of a stream: one step decodes each response once for all of them, and writes all of a day or nothing.

    Days that other code decoded than the code that is there now are decoded again from bronze, with those of the run.
    """
    tables = {silver_key(table): table for table in stream.tables}
    upstream = bronze_key(stream)
    above = checks_of(intake_key(stream), upstream)

    def depends_on(_: dg.AssetKey) -> Sequence[Sequence[dg.AssetCheckKey]]:
        return [above]

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
            ).replace_attributes(code_version=stream.code.own)
            for key, table in tables.items()
        ],
        check_specs=check_specs(tables, partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def decode(
        context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[object]:
        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            manifest = bronze.read_manifest(lake, stream, day)
            if manifest is None:
                raise PermanentError(
                    f"{upstream.to_user_string()} has no partition {day}: no complete sync was landed, and files that "
                    f"no manifest lists are not read. Materialize airbyte and bronze for {day} first."
                )
            decoded = stream.decode(bronze.lines_of(lake, manifest), bronze.not_before(stream, manifest.sync))
            outcomes = {key: _outcomes(decoded, decoded[table.name], manifest) for key, table in tables.items()}
            cause = first_blocking(outcome for of_table in outcomes.values() for outcome in of_table)
            reports = {
                key: checked(
                    context, key, [*outcomes[key], _volume(lake, stream, decoded[table.name], manifest, cause)]
                )
                for key, table in tables.items()
            }
            if any(report.state is DayState.BLOCKED for report in reports.values()):
                # A day is written completely or not at all, so its good tables are not built either. The quarantine
                # is written: people need it to look into the day.
                for table in tables.values():
                    silver.write_quarantine(lake, decoded[table.name], day)
                return {key: not_built(report) for key, report in reports.items()}
            return {
                key: _write(lake, stream, decoded[table.name], manifest, reports[key]) for key, table in tables.items()
            }

        def build_all(admitted: Admitted) -> Reports:
            require_same_code(context, settings, warehouse, lake)
            with restating(lake, stream) as stale:
                if stale:
                    context.log.warning("%s They are decoded again from bronze.", _changed(stream, stale))
                yield from together(context, build, stale, depends_on=depends_on, restated=stale)(admitted)

        yield from run_days(context, build_all, depends_on=depends_on)

    return decode


def _changed(stream: Stream, stale: Sequence[date]) -> str:
    name = f"{stream.source}/{stream.name}"
    days = (
        f"1 day of silver ({stale[0]}) was"
        if len(stale) == 1
        else f"{len(stale)} days of silver ({stale[0]} to {stale[-1]}) were"
    )
    return f"The decoder of {name} is not the one of before: {days} decoded by other code."


def _outcomes(day_of_stream: Mapping[str, Decoded], table: Decoded, manifest: BronzeManifest) -> list[Outcome]:
    what, day = _what(table, manifest), manifest.sync.run_date
    return [
        Outcome("decoded", True, f"{what}: decoded from {manifest.records:,} records."),
        conservation(what, table.records_in, table.readable, table.duplicates, len(table.quarantined)),
        keeps_contract(what, table.table, table.rows),
        quarantine(what, day, table, day_of_stream.values()),
        duplicates(what, table),
    ]


def _volume(lake: Lake, stream: Stream, table: Decoded, manifest: BronzeManifest, cause: Outcome | None) -> Outcome:
    day = manifest.sync.run_date
    today = volumes(manifest, table.rows.num_rows, _recent_rows(stream, table, manifest))
    return like_with_like(
        _what(table, manifest), day, stream.replay, today, _earlier(lake, stream, table.table, day), cause
    )


def _recent_rows(stream: Stream, table: Decoded, manifest: BronzeManifest) -> int:
    """Rows of entities of which the last days only were requested."""
    request = manifest.sync.request
    if request is None or not request.recent or stream.entity is None:
        return 0
    columns = list(stream.entity.columns)
    counts = table.rows.select(columns).group_by(columns).aggregate([([], "count_all")]).to_pylist()
    return sum(row["count_all"] for row in counts if ":".join(str(row[name]) for name in columns) in request.recent)


def _what(table: Decoded, manifest: BronzeManifest) -> str:
    return f"silver/{table.table.source}/{table.table.name} for {manifest.sync.run_date}"


def _earlier(lake: Lake, stream: Stream, table: Table, day: date) -> list[Volumes]:
    found = []
    for earlier in silver.days_before(lake, table, day)[:VOLUME_DAYS]:
        landed = bronze.read_manifest(lake, stream, earlier)
        decoded = silver.read_manifest(lake, table, earlier)
        # Other code may find other rows in the same records: that is no change of the data.
        if landed is not None and decoded.decoder == stream.code.own:
            found.append(volumes(landed, decoded.rows, decoded.recent_rows))
    return found


def _write(lake: Lake, stream: Stream, decoded: Decoded, manifest: BronzeManifest, report: DayReport) -> DayReport:
    day = manifest.sync.run_date
    recent_rows = _recent_rows(stream, decoded, manifest)
    written = silver.write(lake, decoded, day, bronze=manifest.digest, decoder=stream.code.own, recent_rows=recent_rows)
    metadata = _metadata(lake, decoded, written)
    metadata["derived_from"] = derived_from([bronze_key(stream)], day)
    if decoded.table.name in stream.charts:
        metadata["histories"] = dg.MetadataValue.md(stream.charts[decoded.table.name](decoded.rows))
    return dataclasses.replace(report, metadata=metadata, data_version=written.content[:16])


def _metadata(lake: Lake, decoded: Decoded, manifest: SilverManifest) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": manifest.rows,
        "records_in": manifest.records_in,
        "duplicates": manifest.duplicates,
        "quarantined": manifest.quarantined,
        "unreadable": decoded.unreadable,
        "bytes": sum(item.size for item in manifest.objects),
        PREVIEW: dg.MetadataValue.md(preview(decoded.rows)),
        "manifest": dg.MetadataValue.path(lake.location(silver.manifest_path(decoded.table, manifest.run_date))),
        "file": dg.MetadataValue.path(lake.location(manifest.objects[0].path)),
    }
    if manifest.quarantine:
        metadata["quarantine"] = dg.MetadataValue.path(lake.location(manifest.quarantine.path))
        metadata["reasons"] = dg.MetadataValue.md(counted(row.reason for row in decoded.quarantined))
    return metadata
