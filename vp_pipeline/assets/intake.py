"""The intake of each stream: an Airbyte sync, or the consumption of a topic. One asset a stream."""

from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.assets.keys import asset_spec, check_specs, intake_key
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.source import Source, Stream, SyncRequest

# How a stream's records come, by the replay mode.
_HOW = {
    "window": "Synced by Airbyte. A past day can be requested again.",
    "updated": "Synced by Airbyte. A day has what was last updated on it. A past day can be requested again only in "
    "part: what was updated again since is in a later day.",
    "snapshot": "Synced by Airbyte. The API only has the current state: a past day comes from the sandbox or from "
    "bronze.",
    "appended": "Consumed from the topic, each message once. A day has what happened on it; what comes late is added.",
}
_KINDS = {"airbyte": {"airbyte", "json"}, "topic": {"kafka", "json"}}

_NAMED = 10  # entities in a list


class SyncConfig(dg.Config):
    """`resync`: request the day again although a finished sync of it exists; of a topic, read messages again of which
    the lake has lost the object."""

    resync: bool = False


def intake_asset(stream: Stream, source: Source, partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The sync of a stream of a source, by the resource that is named like its layer."""
    key = intake_key(stream)

    @dg.multi_asset(
        name=f"{stream.intake}_{stream.source}_{stream.name}",
        specs=[
            asset_spec(
                key,
                deps=[],
                description=f"{stream.description} {_HOW[stream.replay]}",
                kinds=_KINDS[stream.intake],
                partitions=partitions,
                source=stream.source,
                metadata={"replay": stream.replay},
            )
        ],
        check_specs=check_specs([key], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={stream.intake},
    )
    def sync(context: dg.AssetExecutionContext, config: SyncConfig) -> Iterator[object]:
        intake: Any = getattr(context.resources, stream.intake)

        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            sync = intake.sync(source, stream, day, resync=config.resync, log=context.log.info)
            job = sync.record
            seconds = (job.ended_at - job.started_at).total_seconds()
            summary = f"Sync {job.job_id} landed {job.records:,} records from {job.origin} in {seconds:.1f} s."
            if sync.figures:
                counts = (f"{name} {count:,}" for name, count in sync.figures.items())
                summary += f" Of the vendor: {', '.join(counts)}."
            if job.request and job.request.recent:
                summary += (
                    f" It requested the last days of {len(job.request.recent):,} of {len(job.request.entities):,}."
                )
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
                        **_amounts(job.request),
                    },
                    data_version=job.digest[:16],
                )
            }

        yield from run_days(context, day_by_day(context, build), depends_on=lambda _: [])

    return sync


def _amounts(request: SyncRequest | None) -> Mapping[str, object]:
    """Of how many entities the last days were requested, and of which all of it, for what reason."""
    if request is None or not (request.recent or request.why_whole):
        return {}
    reasons: dict[str, list[str]] = {}
    for entity, why in sorted(request.why_whole.items()):
        reasons.setdefault(why, []).append(entity)
    rows = [f"| {why} | {len(of)} | {_named(of)} |" for why, of in sorted(reasons.items())]
    found: dict[str, object] = {"requested_recent": len(request.recent), "requested_whole": len(request.why_whole)}
    if rows:
        table = "\n".join(["| all of it, because | | |", "|---|---:|---|", *rows])
        found["why_whole"] = dg.MetadataValue.md(table)
    return found


def _named(entities: list[str]) -> str:
    more = f" and {len(entities) - _NAMED:,} more" if len(entities) > _NAMED else ""
    return f"{', '.join(entities[:_NAMED])}{more}"
