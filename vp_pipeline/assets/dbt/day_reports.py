"""What is reported of each day of an attempt at the models.

Here: green and red attempts as reports by model and day. Not here: running them (`attempts.py`), and which days a red
attempt is the fault of (`whole_build.py`).
"""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.report import Reports, checked, failed_itself, not_built
from vp_pipeline.assets.dbt.answers import Blames
from vp_pipeline.assets.dbt.attempts import Attempt
from vp_pipeline.assets.dbt.upstream import Upstream, raw_tables
from vp_pipeline.assets.metadata import LINEAGE, PREVIEW, RESTATED, derived_from, markdown_table
from vp_pipeline.failures import remedies
from vp_pipeline.quality.outcome import Outcome

_NAMED = 5


def green_reports(
    context: dg.AssetExecutionContext, days: Iterable[date], attempt: Attempt, upstream: Upstream, excluded: Blames
) -> Reports:
    """Each model is built on each day, with the results of its tests. A test that passed because answers of the day are
    `excluded` is a warning, which names them."""
    outcomes: dict[dg.AssetKey, list[Outcome]] = {key: [] for key in attempt.built}
    for key, outcome in attempt.outcomes:
        outcomes.setdefault(key, []).append(outcome)
    days = [*days]
    for day in days:
        for key, passed in outcomes.items():
            of_model = [*_with_exclusions(key, day, passed, excluded)]
            if key in attempt.built:
                metadata = _metadata(context, key, day, attempt, upstream)
                if day < max(days):
                    metadata.pop(PREVIEW, None)  # it is of the table as it is now, whatever the day
                yield key, day, checked(context, key, of_model, metadata)
            else:
                yield key, day, not_built(checked(context, key, of_model))


def red_reports(context: dg.AssetExecutionContext, days: Iterable[date], attempt: Attempt, why: str) -> Reports:
    """No model is built. Each test that failed blocks each day, and so does each model that dbt could not build: that
    is reported of the model, because none of its tests was run. `why`: what follows for the day, added to each."""
    for day in days:
        for key, outcome in attempt.outcomes:
            remedy = (
                f"If the vendor's responses are wrong, request the day again: {remedies.resync(day)}. To build it as "
                f"it is: {remedies.waive(day, outcome.check)}."
            )
            described = dataclasses.replace(outcome, description=f"{outcome.description} {why} {remedy}")
            yield key, day, not_built(checked(context, key, [described if outcome.blocks else outcome]))
        for result in attempt.failed:
            if not result.is_test:
                model = next(key for key in context.selected_asset_keys if key.path[-1] == result.name)
                yield model, day, failed_itself(f"dbt could not build {result} {why}")


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


def _with_exclusions(key: dg.AssetKey, day: date, outcomes: Iterable[Outcome], excluded: Blames) -> Iterator[Outcome]:
    for outcome in outcomes:
        found = {
            answer.entity: blame
            for answer, blame in sorted(excluded.items(), key=lambda item: item[0])
            if answer.day == day and blame.key == key and blame.outcome.check == outcome.check
        }
        if not found:
            yield outcome
            continue
        named = [f"{entity} ({blame.reason})" for entity, blame in found.items()]
        more = f"; and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        description = (
            f"Excluded from {day}, because they failed: {'; '.join(named[:_NAMED])}{more}. "
            "The tables are as they would be without these answers: what was known before stays."
        )
        table = markdown_table(["excluded", "reason"], [[entity, blame.reason] for entity, blame in found.items()])
        metadata = {**next(iter(found.values())).outcome.metadata, "excluded": dg.MarkdownMetadataValue(table)}
        yield Outcome(outcome.check, False, description, warning=True, metadata=metadata)
