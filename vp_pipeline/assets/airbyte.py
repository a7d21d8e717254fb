"""The Airbyte syncs: one asset a stream."""

from collections.abc import Iterator, Mapping, Set
from datetime import date

import dagster as dg

from vp_pipeline.airbyte.interface import Airbyte
from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.assets.keys import airbyte_key, asset_spec, check_specs
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.source import AirbyteSource, Stream


class SyncConfig(dg.Config):
    """`resync`: request the day from the API again although a finished sync of it exists."""

    resync: bool = False


def airbyte_asset(source: AirbyteSource, stream: Stream, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The sync of a stream."""
    key = airbyte_key(stream)
    replay = {
        "window": "A past day can be requested again.",
        "updated": "A day has what was last updated on it. A past day can be requested again only in part: what was "
        "updated again since is in a later day.",
        "snapshot": "The API only has the current state: a past day comes from the sandbox or from bronze.",
    }[stream.replay]

    @dg.multi_asset(
        name=f"airbyte_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[],
                description=f"{stream.description} Synced by Airbyte. {replay}",
                kinds={"airbyte", "json"},
                partitions=partitions,
                source=stream.source,
                metadata={"replay": stream.replay, "connector": str(source.manifest.name)},
            )
        ],
        check_specs=check_specs([key], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def sync(
        context: dg.AssetExecutionContext, config: SyncConfig, airbyte: dg.ResourceParam[Airbyte]
    ) -> Iterator[object]:
        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            sync = airbyte.sync(source, stream, day, resync=config.resync, log=context.log.info)
            job = sync.record
            seconds = (job.ended_at - job.started_at).total_seconds()
            summary = f"Sync {job.job_id} landed {job.records:,} records from {job.origin} in {seconds:.1f} s."
            if sync.figures:
                counts = (f"{name} {count:,}" for name, count in sync.figures.items())
                summary += f" Of the vendor: {', '.join(counts)}."
            if sync.reused:
                summary = f"Nothing was requested: {sync.reused}. Set `resync: true` to request it again."
            return {
                key: checked(
                    context,
                    key,
                    [Outcome("synced", True, summary)],
                    {
                        "dagster/row_count": job.records,
                        "bytes": job.bytes,
                        "objects": len(job.objects),
                        "seconds": seconds,
                        "job_id": dg.MetadataValue.text(str(job.job_id)),
                        "origin": job.origin,
                        **sync.figures,
                        "reused": dg.MetadataValue.bool(sync.reused is not None),
                    },
                    data_version=job.digest[:16],
                )
            }

        yield from run_days(context, day_by_day(context, build), depends_on=lambda _: [])

    return sync
