"""Publishing: the marts that consumers read, replaced as a whole by a build whose checks are green.

Here: the asset. Not here: how it is done (`publishing/publisher.py` and what implements it).
"""

from collections.abc import Iterator, Sequence
from datetime import date

import dagster as dg

from vp_pipeline.assets.days import Admitted, DayReport, run_days
from vp_pipeline.assets.keys import OWNER, PUBLISHED, check_specs
from vp_pipeline.publishing.publication import SCHEMAS, Publication
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.quality.freshness import POLICY
from vp_pipeline.quality.outcome import Outcome


def published_marts(
    models: dg.AssetsDefinition,
    checks: Sequence[dg.AssetCheckKey],
    partitions: dg.PartitionsDefinition,
    engine: str,
) -> dg.AssetsDefinition:
    """The published marts. `models`: the dbt models. `checks`: the blocking checks of everything that they
    are made from, in flow order, and their own. `engine`: whose pool it takes."""

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                PUBLISHED,
                deps=sorted(key for key in models.keys if key.path[0] in SCHEMAS),
                description="What consumers read: all marts and the reconciliation, of one build whose checks were "
                "green. Replaced as a whole, in one step.",
                kinds={engine, "table"},
                group_name="published",
                owners=[OWNER],
                partitions_def=partitions,
                freshness_policy=POLICY,
            )
        ],
        check_specs=check_specs([PUBLISHED], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=engine,
    )
    def publish(context: dg.AssetExecutionContext, publisher: dg.ResourceParam[Publisher]) -> Iterator[object]:
        def build(admitted: Admitted) -> Iterator[tuple[dg.AssetKey, date, DayReport]]:
            publication = publisher.publish(context.run_id)
            for day in admitted:
                yield PUBLISHED, day, _report(publisher, publication, day, context.run_id)

        yield from run_days(context, build, depends_on=lambda _: checks)

    return publish


def rolled_back(now: Publication, taken_back: str | None) -> dg.AssetObservation:
    """What Dagster is told when a person takes a build back."""
    return dg.AssetObservation(
        PUBLISHED,
        description=f"Taken back by hand: consumers read build {now.build_id} again instead of {taken_back}.",
        metadata={"build": now.build_id, "taken_back": taken_back or ""},
    )


def _report(publisher: Publisher, publication: Publication, day: date, run_id: str) -> DayReport:
    if day not in publication.days:
        remedy = f"Materialize all dbt models for {day}, then publish again."
        reason = f"The last build of the marts does not hold {day}. {remedy}"
        return DayReport([Outcome("whole", False, reason)])
    rows = sum(publication.rows.values())
    what = f"build {publication.build_id}: {len(publication.rows)} tables, {rows:,} rows, {len(publication.days)} days"
    unchanged = publication.run_id != run_id
    said = f"Consumers read {what} already." if unchanged else f"Consumers read {what}."
    listing = "\n".join(f"| {name} | {count:,} |" for name, count in sorted(publication.rows.items()))
    metadata = {
        "dagster/row_count": rows,
        "build": publication.build_id,
        "unchanged": dg.MetadataValue.bool(unchanged),
        "replaces": publication.replaces or "nothing: it is the first",
        "days": f"{len(publication.days)}, {publication.days[0]} to {publication.days[-1]}",
        "tables": dg.MetadataValue.md(f"| table | rows |\n|---|---:|\n{listing}"),
        "address": dg.MetadataValue.path(publisher.marts.address),
    }
    return DayReport([Outcome("whole", True, said)], metadata, data_version=publication.content[:16])
