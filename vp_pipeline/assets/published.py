"""Publishing: the marts that consumers read, replaced as a whole by a build whose checks are green.

Here: the asset. Not here: how it is done (`publishing/publisher.py` and its implementations).
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import run_days
from vp_pipeline.assets.days.report import Reports, checked, waivers_of_run
from vp_pipeline.assets.days.shared_run import streams_of_run
from vp_pipeline.assets.keys import PUBLISHED, asset_spec, check_specs
from vp_pipeline.failures import remedies
from vp_pipeline.publishing.losses import LossError
from vp_pipeline.publishing.publication import SCHEMAS, Publication
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.quality.freshness import POLICY
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.loading import Warehouse


def published_marts(
    models: dg.AssetsDefinition,
    checks: Sequence[Sequence[dg.AssetCheckKey]],
    streams: Sequence[Stream],
    partitions: dg.PartitionsDefinition,
    engine: str,
) -> dg.AssetsDefinition:
    """The published marts. `models`: the dbt models. `checks`: the blocking checks of everything that they
    are derived from, in flow order, and their own, in a group for each stream. `streams`: those
    of the graph. `engine`: the warehouse's."""

    @dg.multi_asset(
        name="publish",
        specs=[
            asset_spec(
                PUBLISHED,
                deps=sorted(key for key in models.keys if key.path[0] in SCHEMAS),
                description="What consumers read: all marts and the reconciliation, of one build whose checks were "
                "green. Replaced as a whole, in one step.",
                kinds={engine, "table"},
                partitions=partitions,
            ).replace_attributes(freshness_policy=POLICY)
        ],
        check_specs=check_specs([PUBLISHED], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def publish(
        context: dg.AssetExecutionContext,
        publisher: dg.ResourceParam[Publisher],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[object]:
        def build(admitted: Admitted) -> Reports:
            kept = Outcome("keeps_all", True, "Consumers keep every day and product that they had.")
            try:
                publication = publisher.publish(context.run_id)
            except LossError as error:
                kept = waivers_of_run(context).apply(PUBLISHED, Outcome("keeps_all", False, str(error)))
                if kept.blocks:
                    for day in admitted:
                        then = (
                            f"Then run the day again: {remedies.run(day)}. To take them away: "
                            f"{remedies.waive(day, kept.check)}."
                        )
                        refused = dataclasses.replace(kept, description=f"{kept.description} {then}")
                        yield PUBLISHED, day, checked(context, PUBLISHED, [refused])
                    return
                publication = publisher.publish(context.run_id, may_lose=True)
            unchanged = publication.run_id != context.run_id
            metadata = _metadata(publisher, publication, unchanged)
            without = _without(warehouse, publication, streams_of_run(context, streams))
            for day in admitted:
                outcomes = [_whole(publication, day, unchanged, without(day)), kept]
                yield PUBLISHED, day, checked(context, PUBLISHED, outcomes, metadata, publication.content[:16])

        yield from run_days(context, build, depends_on=lambda _: checks)

    return publish


def rolled_back(now: Publication, from_build: str | None) -> dg.AssetObservation:
    """What Dagster records when a person rolls back from a build."""
    return dg.AssetObservation(
        PUBLISHED,
        description=f"Rolled back by hand: consumers read build {now.build_id} again instead of {from_build}.",
        metadata={"build": now.build_id, "rolled_back_from": from_build or ""},
    )


def _without(
    warehouse: Warehouse, publication: Publication, streams: Sequence[Stream]
) -> Callable[[date], Mapping[str, str]]:
    """Of a day the streams that the publication has nothing of, each with the reason."""
    with warehouse.connect(read_only=True) as connection:
        excluded = ledger.excluded(connection)
        there = set(ledger.stream_days_of(connection, publication.build_id))

    def of(day: date) -> Mapping[str, str]:
        every = [StreamDay(day, *stream.unit) for stream in streams]
        missing = [each for each in every if each not in there and (there or day not in publication.days)]
        reasons = {each: f"it is excluded: {excluded[each]}" for each in missing if each in excluded}
        return {f"{each.source}/{each.stream}": reasons.get(each, "RAW has no rows of it") for each in missing}

    return of


def _whole(publication: Publication, day: date, unchanged: bool, without: Mapping[str, str]) -> Outcome:
    reasons = {stream: reason.rstrip(".") for stream, reason in without.items()}
    why = "; ".join(reasons.values() if len(reasons) == 1 else map(": ".join, reasons.items()))
    remedy = f"Build it again with all models: {remedies.run(day)}."
    if day not in publication.days:
        return Outcome("whole", False, f"The last build of the marts does not include {day}, because {why}. {remedy}")
    rows = sum(publication.rows.values())
    build = f"build {publication.build_id}: {len(publication.rows)} tables, {rows:,} rows, {len(publication.days)} days"
    read = f"Consumers read {build}{' already' if unchanged else ''}."
    if without:
        return Outcome(
            "whole", False, f"{read} Of {day} it is without {', '.join(without)}, because {why}. {remedy}", warning=True
        )
    return Outcome("whole", True, read)


def _metadata(publisher: Publisher, publication: Publication, unchanged: bool) -> dict[str, Any]:
    days = publication.days
    listing = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(publication.rows.items()))
    return {
        "dagster/row_count": sum(publication.rows.values()),
        "build": publication.build_id,
        "unchanged": dg.MetadataValue.bool(unchanged),
        "replaces": publication.replaces or "nothing: it is the first",
        "days": f"{len(days)}, {days[0]} to {days[-1]}" if days else "none",
        "tables": dg.MetadataValue.md(f"| table | rows |\n|---|---:|\n{listing}"),
        "address": dg.MetadataValue.path(publisher.marts.address),
    }
