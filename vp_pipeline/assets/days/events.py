"""What Dagster records of the days of a step.

Here: events and outputs. Not here: which of them there are (`flow.py`).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.report import DayReport, DayState
from vp_pipeline.assets.days.versions import Versions
from vp_pipeline.assets.metadata import NOT_BUILT
from vp_pipeline.dagster_internals.check_records import newest_materialization
from vp_pipeline.dagster_internals.outputs import UnrecordedOutput


def day_events(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    day: date,
    report: DayReport,
    waived_upstream: Sequence[str],
    versions: Versions,
) -> Iterator[object]:
    """The materialization of an asset that was built, or why it could not be; and the results of its checks.
    `waived_upstream`: failures upstream of it that a person has waived."""
    if report.state is DayState.BUILT:
        waived = [*report.waived, *waived_upstream]
        metadata: dict[str, Any] = {**report.metadata, **({"waived": "; ".join(waived)} if waived else {})}
        yield dg.AssetMaterialization(
            key,
            partition=day.isoformat(),
            metadata=metadata,
            tags=versions.of(key, day, report.data_version),
        )
    if report.state is DayState.BLOCKED and not report.outcomes:
        # No check of it was evaluated, so the failure is of the asset itself.
        yield dg.AssetObservation(
            key, description=report.reason, partition=day.isoformat(), metadata={NOT_BUILT: report.reason or ""}
        )
    # Read after the event above is stored: it is what the results are of.
    target = newest_materialization(context.instance, key, day.isoformat()) if report.outcomes else None
    for outcome in report.outcomes:
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=outcome.check,
            passed=outcome.passed,
            description=outcome.description,
            metadata=dict(outcome.metadata),
            severity=dg.AssetCheckSeverity.WARN if outcome.warning else dg.AssetCheckSeverity.ERROR,
            partition=day.isoformat(),
            target_materialization_data=target,
            # Which days continue is decided by admission, day by day, not by a failure of the step.
            blocking=False,
        )


def step_outputs(context: dg.AssetExecutionContext) -> Iterator[dg.Output[None]]:
    """The outputs of the step, which mark no day as materialized: assets in order of their dependencies, as Dagster
    requires, then the checks."""
    selected = set(context.op_execution_context.selected_output_names)
    by_key = context.assets_def.node_keys_by_output_name
    order = {key: i for i, key in enumerate(context.job_def.asset_layer.asset_graph.toposorted_asset_keys)}
    assets = sorted(selected & by_key.keys(), key=lambda name: order[by_key[name]])
    for name in [*assets, *sorted(selected - by_key.keys())]:
        yield UnrecordedOutput(None, name)


def is_last_step(context: dg.AssetExecutionContext) -> bool:
    """Whether no other step of this run depends on this one."""
    structure = context.job_def.dependencies
    name = context.op_execution_context.op_handle.name
    return not any(
        dependency.node == name
        for inputs in structure.values()
        for d in inputs.values()
        for dependency in d.get_node_dependencies()
    )
