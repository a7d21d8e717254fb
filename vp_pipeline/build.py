"""One builder of the definitions, used by the code location and by tests."""

import warnings
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version

import dagster as dg

from vp_pipeline.assets.bronze import bronze_asset
from vp_pipeline.assets.dbt.models import dbt_models
from vp_pipeline.assets.dbt.upstream import in_groups, units_of_models, upstream_of_models
from vp_pipeline.assets.delivery import export_asset, postgres_asset, power_bi_asset
from vp_pipeline.assets.exclusive import exclusive_executor
from vp_pipeline.assets.intake import intake_asset
from vp_pipeline.assets.keys import PUBLISHED, bronze_key, checks_of, intake_key, raw_key, silver_key
from vp_pipeline.assets.published import published_marts
from vp_pipeline.assets.raw import raw_assets
from vp_pipeline.assets.silver import silver_assets
from vp_pipeline.automation.definitions import automation_definitions
from vp_pipeline.automation.sensors.marts import rebuilt_by_condition
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.environments.environment import build_environment, build_resources
from vp_pipeline.environments.preflight import require_ready
from vp_pipeline.partitions import daily_partitions
from vp_pipeline.quality.freshness import freshness_checks
from vp_pipeline.settings import Settings
from vp_pipeline.sources.source import Stream


def build_definitions(settings: Settings, resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """The asset graph of an environment: the same everywhere, on that environment's resources."""
    # Checks evaluated by partition are a preview in Dagster: we know, and the release is pinned.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning, module=r"vp_pipeline\.")
    environment = build_environment(settings)
    first_day = environment.first_day()
    partitions = daily_partitions(first_day)
    fresh = freshness_checks([key for stream in settings.streams for key in _first_of_each_layer(stream)] + [PUBLISHED])
    ingestion = [
        assets
        for source in settings.enabled_sources
        for stream in source.streams
        for assets in (
            intake_asset(stream, source, partitions),
            bronze_asset(stream, partitions),
            silver_assets(stream, partitions, settings),
            raw_assets(stream, partitions, settings),
        )
    ]
    raw_checks = {stream.unit: _checks_up_to_raw(stream) for stream in settings.streams}
    manifest, boxes = manifest_path(settings), environment.build_box
    models = dbt_models(manifest, settings, partitions, raw_checks)
    units = units_of_models(upstream_of_models(models), settings.streams)
    gates = in_groups(raw_checks, units, raw_checks.keys(), sorted(models.check_keys, key=str))
    marts = [
        models,
        published_marts(models, gates, settings.streams, partitions, settings.engine),
        power_bi_asset(boxes("power_bi"), gates, partitions),
        export_asset(settings.exported_mart, manifest, boxes("export"), gates, partitions),
        *([postgres_asset(manifest, gates, partitions)] if settings.postgres_url else []),
    ]
    assets = dg.Definitions(
        assets=[*ingestion, *rebuilt_by_condition(marts, {model for model, of in units.items() if len(of) > 1})],
        asset_checks=[fresh],
        resources={**build_resources(settings), **(resource_overrides or {})},
        # A process per step costs seconds in a run; the steps of a day follow one another anyway.
        executor=exclusive_executor(environment.build_lease(), partial(require_ready, settings)),
        metadata={"version": version("vp-pipeline")},
    )
    return dg.Definitions.merge(assets, automation_definitions(settings, first_day, fresh))


def _first_of_each_layer(stream: Stream) -> list[dg.AssetKey]:
    """A day of a stream is written as a whole, so one table stands for all of them."""
    return [bronze_key(stream), silver_key(stream.tables[0]), raw_key(stream.tables[0])]


def _checks_up_to_raw(stream: Stream) -> list[dg.AssetCheckKey]:
    tables = [key(table) for table in stream.tables for key in (silver_key, raw_key)]
    return checks_of(intake_key(stream), bronze_key(stream), *tables)
