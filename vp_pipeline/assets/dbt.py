"""The dbt models: one asset a model, one invocation a run, each test a check.

Here: how models map to assets and dbt's results to the days of the run. Not here: any SQL (`dbt_project/`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from vp_pipeline.assets.days import Admitted, DayReport, run_days
from vp_pipeline.assets.keys import LAYERS, OWNER
from vp_pipeline.failures import PassingError, PermanentError
from vp_pipeline.partitions import consecutive
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.reconciliation import CHECK, reconciliation
from vp_pipeline.resources.dbt import PASSING, build_arguments, failures, tag_run
from vp_pipeline.resources.raw_loading import Warehouse
from vp_pipeline.settings import Settings


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
) -> dg.AssetsDefinition:
    """All models of the project. `raw_checks`: the blocking checks of RAW and everything above it."""
    translator = ModelTranslator(partitions)
    target = settings.data_dir / "dbt"

    @dbt_assets(
        manifest=manifest,
        name="dbt",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
        pool=settings.engine,
    )
    def build_models(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: dg.ResourceParam[Warehouse]
    ) -> Iterator[object]:
        def build(admitted: Admitted) -> Iterator[tuple[dg.AssetKey, date, DayReport]]:
            # A day that was not admitted may have rows in RAW: no window holds it.
            for days in consecutive(list(admitted)):
                yield from _build_window(context, dbt, warehouse, target, days)

        yield from run_days(context, build, rests_on=lambda _: raw_checks)

    return build_models


def _build_window(
    context: dg.AssetExecutionContext,
    dbt: DbtCliResource,
    warehouse: Warehouse,
    target: Path,
    days: Sequence[date],
) -> Iterator[tuple[dg.AssetKey, date, DayReport]]:
    """One invocation over consecutive days; its artefacts go to `target`."""
    tag_run(context.run_id)
    invocation = dbt.cli(build_arguments(days), context=context, target_path=target, raise_on_error=False)
    built: list[dg.Output[object]] = []
    reconciled: list[object] = []
    # What is told with figures from the warehouse waits until dbt has let go of the file.
    for event in invocation.stream():
        if isinstance(event, dg.Output):
            built.append(event)
        elif getattr(event, "check_name", None) == CHECK:
            reconciled.append(event)
        else:
            yield from _outcomes(context, event, days)
    for result in reconciled:
        yield from _outcomes(context, result, days, _reconciliation(warehouse))
    rows = _row_counts(context, warehouse)
    for output in built:
        key = context.asset_key_for_output(output.output_name)
        metadata = {**output.metadata, **({"dagster/row_count": rows[key]} if key in rows else {})}
        for day in days:
            yield key, day, DayReport(metadata=metadata)
    if not invocation.is_successful():
        _raise(failures(target))


def _outcomes(
    context: dg.AssetExecutionContext,
    event: object,
    days: Sequence[date],
    metadata: Mapping[str, Any] | None = None,
) -> Iterator[tuple[dg.AssetKey, date, DayReport]]:
    if not isinstance(event, dg.AssetCheckResult | dg.AssetCheckEvaluation):
        context.log.debug("dbt said %s", event)
        return
    assert event.asset_key is not None
    assert event.check_name is not None
    outcome = Outcome(
        event.check_name,
        event.passed,
        event.description or f"The dbt test {event.check_name} {'passed' if event.passed else 'failed'}.",
        warning=event.severity == dg.AssetCheckSeverity.WARN,
        metadata={**event.metadata, **(metadata or {})},
    )
    for day in days:
        yield event.asset_key, day, DayReport([outcome], built=False)


def _reconciliation(warehouse: Warehouse) -> dict[str, object]:
    with warehouse.connect(read_only=True) as connection:
        metadata = reconciliation(connection).metadata
    return {**metadata, "worst_figures": dg.MarkdownMetadataValue(str(metadata["worst_figures"]))}


def _raise(reasons: Sequence[str]) -> None:
    text = "dbt did not finish:\n" + "\n".join(f"  {reason}" for reason in reasons or ["no results were written"])
    if any(sign in reason for reason in reasons for sign in PASSING):
        raise PassingError(text)
    raise PermanentError(text)


def _row_counts(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dict[dg.AssetKey, int]:
    relations = {(key.path[0], key.path[1]): key for key in context.selected_asset_keys}
    return {relations[name]: rows for name, rows in warehouse.row_counts(list(relations)).items()}


def _layer(props: Mapping[str, Any]) -> str:
    schema = str(props["config"].get("schema") or props["schema"])
    if schema not in LAYERS:
        raise PermanentError(f"{props['name']} is in schema {schema}; the layers are {', '.join(LAYERS)}.")
    return schema
