"""Delivery: what leaves the pipeline after a publication. Power BI is refreshed, and changed rows are exported.

Here: the assets, and when there is something to deliver. Not here: how (`delivery/`). Both run after the publication
and never before; when one fails, the run is red and the data is published.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import Build, run_days
from vp_pipeline.assets.days.report import Reports, checked
from vp_pipeline.assets.keys import EXPORT, POSTGRES, POWER_BI, PUBLISHED, asset_spec, check_specs, checks_of
from vp_pipeline.dbt.grain import grain_of
from vp_pipeline.delivery import change_export
from vp_pipeline.delivery.export_endpoint import ExportEndpoint, post_exports
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.postgres import Postgres
from vp_pipeline.delivery.power_bi import PowerBi
from vp_pipeline.delivery.power_bi_refresh import refresh_once
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.manifests import ExportManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.quality.outcome import Outcome

# What was done, as a sentence and as metadata.
Delivered = tuple[str, Mapping[str, object]]


def power_bi_asset(
    box: Box, checks: Sequence[Sequence[dg.AssetCheckKey]], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The refresh of the Power BI model: one per publication, whatever the number of days and retries. `checks`: the
    blocking checks of everything upstream of the publication, so that a failed day is reported with its first cause."""

    @_delivery(POWER_BI, "The Power BI semantic model, refreshed after each publication.", {"powerbi"}, partitions)
    def refresh(
        context: dg.AssetExecutionContext,
        marts: dg.ResourceParam[PublishedMarts],
        power_bi: dg.ResourceParam[PowerBi],
    ) -> Iterator[object]:
        def deliver() -> Delivered:
            published = _published(marts)
            content = {"build": published.build_id, "run": context.run_id, "days": [f"{d}" for d in published.days]}
            result = refresh_once(power_bi, box, f"refresh:{published.content}", content, context.log.info)
            if result is None:
                off = "Power BI is off (VP_POWER_BI_… is not set): nothing was refreshed."
                summary = f"{off} The request is in {box.location}."
                return summary, {"refreshed": False, "build": published.build_id}
            return f"Refresh {result.request_id} completed.", {
                "refreshed": True,
                "build": published.build_id,
                "request_id": result.request_id,
                "tables": len(result.tables),
                **({} if result.seconds is None else {"seconds": result.seconds}),
            }

        yield from run_days(
            context,
            _once(context, POWER_BI, marts, deliver),
            depends_on=lambda _: [[*group, *checks_of(PUBLISHED)] for group in checks],
        )

    return refresh


def postgres_asset(
    manifest: Path, checks: Sequence[Sequence[dg.AssetCheckKey]], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The copy of the publication in PostgreSQL. `manifest`: dbt's, which has keys and descriptions. `checks`: as for
    `power_bi_asset`."""

    @_delivery(POSTGRES, "The publication in a schema of PostgreSQL, replaced in one step.", {"postgres"}, partitions)
    def copy(
        context: dg.AssetExecutionContext,
        marts: dg.ResourceParam[PublishedMarts],
        postgres: dg.ResourceParam[Postgres],
    ) -> Iterator[object]:
        def deliver() -> Delivered:
            done = postgres.copy(marts, manifest, context.log.info)
            how = "copied to" if done.is_new else "already in"
            return f"{done.tables} tables with {done.rows:,} rows {how} the schema {postgres.schema}.", {
                "dagster/row_count": done.rows,
                "tables": done.tables,
                "schema": postgres.schema,
                "copied": done.is_new,
            }

        yield from run_days(
            context,
            _once(context, POSTGRES, marts, deliver),
            depends_on=lambda _: [[*group, *checks_of(PUBLISHED)] for group in checks],
        )

    return copy


def export_asset(
    mart: str,
    manifest: Path,
    box: Box,
    checks: Sequence[Sequence[dg.AssetCheckKey]],
    partitions: dg.PartitionsDefinition,
) -> dg.AssetsDefinition:
    """The changed rows of a mart. `manifest`: dbt's, which has the mart's grain. `checks`: as for `power_bi_asset`."""
    folder = change_export.folder(mart)
    description = f"The rows of {mart} that changed since the last export, in {folder}/ and, when set, posted."

    @_delivery(EXPORT, description, {"parquet", "csv"}, partitions)
    def export(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        marts: dg.ResourceParam[PublishedMarts],
        endpoint: dg.ResourceParam[ExportEndpoint],
    ) -> Iterator[object]:
        def deliver() -> Delivered:
            made = change_export.export(lake, mart, grain_of(manifest, mart), marts)
            posted = post_exports(endpoint, box, lake, mart, context.log.info)
            last = made or change_export.newest(lake, mart)
            assert last is not None
            sent = f"{posted} batches posted" if endpoint.is_on else "posting is off (VP_EXPORT_URL is not set)"
            return f"{_summary(mart, made)}; {sent}.", {
                "dagster/row_count": made.upserts + made.deletes if made else 0,
                "mart": mart,
                "export": last.sequence,
                "file": dg.MetadataValue.path(lake.location(last.objects[0].path)),
                "posted_batches": posted,
            }

        yield from run_days(
            context,
            _once(context, EXPORT, marts, deliver),
            depends_on=lambda _: [[*group, *checks_of(PUBLISHED)] for group in checks],
        )

    return export


def _summary(mart: str, made: ExportManifest | None) -> str:
    if made is not None and made.is_full:
        return f"All {made.upserts:,} rows of {mart} exported, because {made.why_full}"
    changes = f"{made.upserts:,} rows upserted, {made.deletes:,} deleted" if made else "No row changed"
    return f"{changes} in {mart} since the last export"


def _delivery(
    key: dg.AssetKey, description: str, kinds: set[str], partitions: dg.PartitionsDefinition
) -> Callable[[Callable[..., Iterator[object]]], dg.AssetsDefinition]:
    return dg.multi_asset(
        name="_".join(key.path),
        specs=[asset_spec(key, deps=[PUBLISHED], description=description, kinds=kinds, partitions=partitions)],
        check_specs=check_specs([key], partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )


def _once(
    context: dg.AssetExecutionContext, key: dg.AssetKey, marts: PublishedMarts, deliver: Callable[[], Delivered]
) -> Build:
    """One delivery for all days of a run: consumers read the publication as a whole."""

    def build(admitted: Admitted) -> Reports:
        days = set(_published(marts).days)
        if not days & admitted.keys():
            raise PermanentError(
                f"Nothing is delivered: the publication does not include {', '.join(map(str, admitted))}. Materialize "
                "published/marts for it first."
            )
        summary, metadata = deliver()
        delivered = Outcome("delivered", True, summary)
        for day in admitted:
            missing = Outcome("delivered", False, f"The publication does not include {day}.")
            outcome = delivered if day in days else missing
            yield key, day, checked(context, key, [outcome], {"summary": summary, **metadata})

    return build


def _published(marts: PublishedMarts) -> Publication:
    found = marts.current()
    if found is None:
        raise PermanentError("Nothing was published yet, so there is nothing to deliver. Run a day first.")
    return found
