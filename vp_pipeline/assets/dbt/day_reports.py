"""What is reported of each day of an attempt at the models.

Here: green and red attempts as reports by model and day. Not here: running them (`attempts.py`), and which days a red
attempt is the fault of (`whole_build.py`).
"""

import dataclasses
from collections.abc import Iterable
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.report import Reports, checked, not_built, unchecked
from vp_pipeline.assets.dbt.attempts import Attempt
from vp_pipeline.assets.dbt.upstream import Upstream, raw_tables
from vp_pipeline.assets.metadata import LINEAGE, RESTATED, derived_from
from vp_pipeline.quality.outcome import Outcome


def green_reports(
    context: dg.AssetExecutionContext, days: Iterable[date], attempt: Attempt, upstream: Upstream
) -> Reports:
    """Each model is built on each day, with the results of its tests."""
    outcomes: dict[dg.AssetKey, list[Outcome]] = {key: [] for key in attempt.built}
    for key, outcome in attempt.outcomes:
        outcomes.setdefault(key, []).append(outcome)
    for day in days:
        for key, of_model in outcomes.items():
            if key in attempt.built:
                yield key, day, checked(context, key, of_model, _metadata(context, key, day, attempt, upstream))
            else:
                yield key, day, not_built(checked(context, key, of_model))


def red_reports(context: dg.AssetExecutionContext, days: Iterable[date], attempt: Attempt, why: str) -> Reports:
    """No model is built. Each test that failed blocks each day, and so does each model that dbt could not build, by its
    first check. `why`: what follows for the day, added to each reason."""
    for day in days:
        for key, outcome in attempt.outcomes:
            described = dataclasses.replace(outcome, description=f"{outcome.description} {why}")
            yield key, day, not_built(checked(context, key, [described if outcome.blocks else outcome]))
        for result in attempt.failed:
            if not result.is_test:
                model = next(key for key in context.selected_asset_keys if key.path[-1] == result.name)
                yield model, day, unchecked(context, model, f"dbt could not build {result}. {why}")


def _metadata(
    context: dg.AssetExecutionContext, key: dg.AssetKey, day: date, attempt: Attempt, upstream: Upstream
) -> dict[str, Any]:
    metadata = dict(attempt.built[key])
    if key in attempt.rows:
        metadata["dagster/row_count"] = attempt.rows[key]
    lineage = context.assets_def.metadata_by_key[key].get(LINEAGE)
    if lineage is not None:
        metadata[LINEAGE] = lineage  # Dagster draws it from the materialization
    if key.path[-1] in attempt.restated:
        metadata[RESTATED] = attempt.restated[key.path[-1]]
    raw = raw_tables(upstream, key)
    if raw:
        metadata["derived_from"] = derived_from(raw, day)
    return metadata
