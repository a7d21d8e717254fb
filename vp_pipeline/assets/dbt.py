"""The dbt models: one asset a model, each test a check, evaluated day by day.

Here: how models map to assets, and what must be green before one is built. Not here: any SQL (`dbt_project/`), and how
the days of a run are built and judged (`dbt_days.py`).
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from vp_pipeline.assets.days import run_days
from vp_pipeline.assets.dbt_days import DbtDays
from vp_pipeline.assets.keys import LAYERS, OWNER
from vp_pipeline.assets.preview import model_columns
from vp_pipeline.dbt.invocation import InstalledDbt
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.ledger import Unit
from vp_pipeline.warehouse.loading import Warehouse


class ModelTranslator(DagsterDbtTranslator):
    """Models are `<schema>/<model>`, in the group of their schema; their tests are evaluated day by day."""

    def __init__(self, partitions: dg.PartitionsDefinition) -> None:
        super().__init__()
        self._partitions = partitions

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return _layer(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        return [OWNER]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**super().get_metadata(dbt_resource_props), **model_columns(dbt_resource_props)}

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return None if spec is None else spec._replace(partitions_def=self._partitions)


def dbt_models(
    manifest: Path,
    settings: Settings,
    partitions: dg.PartitionsDefinition,
    raw_checks: Sequence[dg.AssetCheckKey],
    units: Sequence[Unit],
) -> dg.AssetsDefinition:
    """All models of the project. `raw_checks`: the blocking checks of RAW and everything above it. `units`: the sources
    and streams whose days staging shows or leaves out."""
    translator = ModelTranslator(partitions)

    @dbt_assets(
        manifest=manifest,
        name="dbt",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
        pool=settings.engine,
    )
    def build_models(
        context: dg.AssetExecutionContext, dbt: dg.ResourceParam[InstalledDbt], warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[object]:
        above = _checks_above(build_models, context.selected_asset_keys, raw_checks)
        days = DbtDays(context, dbt, warehouse, settings.data_dir / "dbt", units, raw_checks)
        build = days.build_and_bisect if _is_whole(build_models, context) else days.build_part
        yield from run_days(context, build, depends_on=lambda key: above[key])

    return build_models


def _checks_above(
    models: dg.AssetsDefinition, selected: Set[dg.AssetKey], raw_checks: Sequence[dg.AssetCheckKey]
) -> Mapping[dg.AssetKey, Sequence[dg.AssetCheckKey]]:
    """For each model the checks of everything above it that is not built in this run. Tests of models that are built
    with it are asked anew: dbt itself stops at those."""
    parents = {key: deps & models.keys for key, deps in models.asset_deps.items()}
    above: dict[dg.AssetKey, Sequence[dg.AssetCheckKey]] = {}
    for model in selected:
        found, left = set[dg.AssetKey](), [model]
        while left:
            new = parents.get(left.pop(), set()) - found
            found |= new
            left += new
        outside = found - selected
        tests = sorted((c for c in models.check_keys if c.asset_key in outside), key=lambda check: str(check))
        above[model] = [*raw_checks, *tests]
    return above


def _is_whole(models: dg.AssetsDefinition, context: dg.AssetExecutionContext) -> bool:
    left_out = (models.keys - context.selected_asset_keys) | (models.check_keys - context.selected_asset_check_keys)
    return not left_out


def _layer(props: Mapping[str, Any]) -> str:
    schema = str(props["config"].get("schema") or props["schema"])
    if schema not in LAYERS:
        raise PermanentError(f"{props['name']} is in schema {schema}; the layers are {', '.join(LAYERS)}.")
    return schema
