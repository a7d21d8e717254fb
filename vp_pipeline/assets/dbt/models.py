"""The dbt models: one asset a model, each test a check, evaluated day by day.

Here: how models map to assets, and which checks must have passed before one is built. Not here: any SQL
(`dbt_project/`), and how the days of a run are built (`whole_build.py`, `partial_build.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from vp_pipeline.assets.code_changes import require_restated_raw, require_restated_silver, require_same_code
from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import run_days
from vp_pipeline.assets.days.report import Reports
from vp_pipeline.assets.dbt.absence import absent_days, present, refusals
from vp_pipeline.assets.dbt.attempts import DbtStep
from vp_pipeline.assets.dbt.partial_build import partial_build
from vp_pipeline.assets.dbt.restating import Restating
from vp_pipeline.assets.dbt.upstream import RawChecks, in_groups, tests_upstream
from vp_pipeline.assets.dbt.whole_build import WholeBuild, origins_of
from vp_pipeline.assets.keys import GROUPS, LAYERS, OWNER
from vp_pipeline.assets.metadata import model_columns
from vp_pipeline.dbt.data_tests import data_test
from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.dbt.invocation import InstalledDbt
from vp_pipeline.dbt.project import DBT_PROJECT_DIR
from vp_pipeline.dbt.project_code import project_code
from vp_pipeline.failures import PermanentError, remedies
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.loading import Warehouse

MODELS = "dbt"  # the name of the step, in the run config too


class ModelsConfig(dg.Config):
    """`full_refresh`: build the selected models as a whole, whatever they were built with."""

    full_refresh: bool = False


class ModelTranslator(DagsterDbtTranslator):
    """Models are `<schema>/<model>`, described as in the project; their tests are evaluated day by day."""

    def __init__(self, partitions: dg.PartitionsDefinition, code: Mapping[str, ModelCode]) -> None:
        super().__init__()
        self._partitions = partitions
        self._code = code

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return GROUPS[_layer(dbt_resource_props)]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        grain = dbt_resource_props.get("meta", {}).get("grain")
        return f"{dbt_resource_props['description'].strip()}{f' Grain: {grain}.' if grain else ''}"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        return [OWNER]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        sql = f"{DBT_PROJECT_DIR.name}/{dbt_resource_props['original_file_path']}"
        return {**super().get_metadata(dbt_resource_props), "sql": sql, **model_columns(dbt_resource_props)}

    def get_code_version(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        code = self._code.get(dbt_resource_props["name"])  # of sources there is none
        return code.own if code else None

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Without kinds. Their two tags, dbt and the engine, are the same of all models, and take so much of the
        catalog's column that names were cut on a screen of 1366 px."""
        return super().get_asset_spec(manifest, unique_id, project).replace_attributes(kinds=set())

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = data_test(manifest["nodes"], unique_id)
        effect = f"{'It blocks' if test.blocks else 'It warns'}: {test.why}"
        described = f"{test.meaning} {effect} {remedies.runbook(test.entry)}"
        return spec._replace(partitions_def=self._partitions, description=described)


def dbt_models(
    manifest: Path,
    settings: Settings,
    partitions: dg.PartitionsDefinition,
    raw_checks: RawChecks,
) -> dg.AssetsDefinition:
    """All models of the project. `raw_checks`: the blocking checks of RAW and everything above it, of each stream."""
    code = project_code(manifest)
    translator = ModelTranslator(partitions, code)

    @dbt_assets(
        manifest=manifest,
        name=MODELS,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
    )
    def build_models(
        context: dg.AssetExecutionContext,
        config: ModelsConfig,
        dbt: dg.ResourceParam[InstalledDbt],
        warehouse: dg.ResourceParam[Warehouse],
        lake: dg.ResourceParam[Lake],
    ) -> Iterator[object]:
        selected = {key.path[-1] for key in context.selected_asset_keys}
        restating = Restating(code, selected, requested=selected if config.full_refresh else frozenset())
        step = DbtStep(context, dbt, warehouse, settings.dbt_dir, restating)

        def depends_on(model: dg.AssetKey) -> Sequence[Sequence[dg.AssetCheckKey]]:
            tests = tests_upstream(origins.upstream, build_models, context.selected_asset_keys, model)
            return in_groups(raw_checks, origins.units, origins.units[model], tests)

        def build(admitted: Admitted) -> Reports:
            require_same_code(context, settings, warehouse, lake)
            for stream in settings.streams:
                require_restated_silver(lake, stream)
                require_restated_raw(context.instance, warehouse, stream, raw_checks[stream.unit])
            with warehouse.connect() as connection:
                warehouse.create_tables(connection, [table for stream in settings.streams for table in stream.tables])
            absent = absent_days(context, warehouse, settings.streams)
            there = present(admitted, origins.units, absent)
            yield from refusals(context, admitted, there, origins.units, absent)
            if there and _is_whole(build_models, context):
                yield from WholeBuild(step, origins, lake).run(there, absent.keys())
            elif there:
                yield from partial_build(step, there, origins)

        yield from run_days(context, build, depends_on=depends_on)

    origins = origins_of(build_models, settings.streams, raw_checks)
    return build_models


def _is_whole(models: dg.AssetsDefinition, context: dg.AssetExecutionContext) -> bool:
    """Whether the run builds every model and runs every test."""
    left_out = (models.keys - context.selected_asset_keys) | (models.check_keys - context.selected_asset_check_keys)
    return not left_out


def _layer(props: Mapping[str, Any]) -> str:
    schema = str(props["config"].get("schema") or props["schema"])
    if schema not in LAYERS:
        raise PermanentError(f"{props['name']} is in schema {schema}; the layers are {', '.join(LAYERS)}.")
    return schema
