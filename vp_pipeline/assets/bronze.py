"""Bronze: the landed objects of each sync become a partition when all of them are whole."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.assets.keys import asset_spec, bronze_key, check_specs, checks_of, intake_key
from vp_pipeline.assets.metadata import derived_from
from vp_pipeline.lake import bronze, unanswered
from vp_pipeline.lake.manifests import ManifestObject, SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.freshness import POLICY
from vp_pipeline.quality.outcome import Outcome, conservation, first_blocking
from vp_pipeline.quality.responses.completeness import completeness, coverage, not_known
from vp_pipeline.quality.responses.schema_drift import known_fields, unaltered
from vp_pipeline.quality.responses.timeliness import timeliness
from vp_pipeline.quality.thresholds import VOLUME_DAYS
from vp_pipeline.quality.volume import Volume, volume
from vp_pipeline.sources.landed import Received
from vp_pipeline.sources.source import Stream


def bronze_asset(stream: Stream, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The landed objects of a stream."""
    key, upstream = bronze_key(stream), intake_key(stream)

    @dg.multi_asset(
        name=f"bronze_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[upstream],
                description="The records as they landed, never changed: gzip JSONL, one per line. A manifest lists the "
                "objects of each day.",
                kinds={"json", "gzip"},
                partitions=partitions,
                source=stream.source,
            ).replace_attributes(freshness_policy=POLICY)
        ],
        check_specs=check_specs([key], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def land(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> Iterator[object]:
        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            manifest = bronze.land(lake, stream, day)
            empty, expected = manifest.records == 0, stream.is_of_changes
            quiet = " (or nothing was updated on that day)" if expected else ""
            arrival = (
                f"Sync {manifest.sync.job_id} landed no records for {day}: check what the connection requests{quiet}."
                if empty
                else f"Every landed object is whole: {len(manifest.objects)}."
            )
            what = f"bronze/{stream.source}/{stream.name} for {day}"
            found = stream.inspect(bronze.lines_of(lake, manifest))
            before = bronze.recent(lake, stream, manifest.sync, VOLUME_DAYS)
            records = [Volume(earlier.records) for earlier in before]
            reported = manifest.sync.records
            landed = [
                # On a quiet day nothing is updated.
                Outcome("arrival", not empty, arrival, warning=expected),
                conservation("Landed", reported, manifest.records, duplicates=0, quarantined=0),
            ]
            received = _completeness(lake, stream, manifest.sync, found.received)
            if first_blocking(landed):  # one cause is one failure
                received = dataclasses.replace(received, warning=True)
            cause = first_blocking([*landed, received])
            return {
                key: checked(
                    context,
                    key,
                    [
                        *landed,
                        received,
                        timeliness(
                            what,
                            manifest.sync,
                            bronze.not_before(stream, manifest.sync),
                            found.received,
                            bronze.not_after(stream, manifest.sync),
                        ),
                        volume(what, day, stream.replay, Volume(manifest.records), records, cause),
                        unaltered(what, found),
                        known_fields(what, found),
                    ],
                    {
                        "dagster/row_count": manifest.records,
                        "bytes": sum(item.size for item in manifest.objects),
                        "objects": len(manifest.objects),
                        **found.figures,
                        "manifest": dg.MetadataValue.path(lake.location(bronze.manifest_path(stream, day))),
                        "landed": dg.MetadataValue.md(_listing(manifest.objects)),
                        "derived_from": derived_from([upstream], day),
                        "upstream_job": dg.MetadataValue.text(str(manifest.sync.job_id)),
                    },
                    data_version=manifest.digest[:16],
                )
            }

        yield from run_days(context, day_by_day(context, build), depends_on=lambda _: [checks_of(upstream)])

    return land


def _completeness(lake: Lake, stream: Stream, sync: SyncRecord, received: Sequence[Received]) -> Outcome:
    what = f"bronze/{stream.source}/{stream.name} for {sync.run_date}"
    if sync.request is None:
        return not_known(what, received)
    before = unanswered.before(lake, stream, sync.run_date)
    covered = coverage(sync.request, received, sync.refused)
    unanswered.record(lake, stream, sync.run_date, covered.since(sync.run_date, before))
    return completeness(what, sync.run_date, covered, before)


def _listing(objects: tuple[ManifestObject, ...]) -> str:
    rows = "\n".join(f"| `{o.path}` | {o.records:,} | {o.size:,} | `{o.sha256[:12]}` |" for o in objects)
    return f"| object | records | bytes | SHA-256 |\n|---|---:|---:|---|\n{rows}"
