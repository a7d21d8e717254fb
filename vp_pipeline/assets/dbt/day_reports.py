"""What is reported of each day of an attempt at the models.

Here: green and red attempts as reports by model and day. Not here: running them (`attempts.py`), and which days a red
attempt is the fault of (`whole_build.py`).
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.report import Reports, checked, failed_itself, not_built, refused
from vp_pipeline.assets.dbt.answers import Blames
from vp_pipeline.assets.dbt.attempts import Attempt
from vp_pipeline.assets.dbt.upstream import Units, Upstream, raw_tables
from vp_pipeline.assets.metadata import LINEAGE, PREVIEW, RESTATED, derived_from, markdown_table
from vp_pipeline.failures import remedies
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.sources.stream_days import StreamDay

# The models of a report, by day.
Built = Mapping[date, Set[dg.AssetKey]]
_NAMED = 5


def green_reports(
    context: dg.AssetExecutionContext,
    built: Built,
    attempt: Attempt,
    upstream: Upstream,
    excluded: Blames,
    left_out: Mapping[StreamDay, Attempt],
) -> Reports:
    """Each model is built on its days, with the results of its tests. A test that passed because answers of the day are
    `excluded`, or a stream that it had failed with is `left_out` of the day, is a warning, which names them."""
    outcomes: dict[dg.AssetKey, list[Outcome]] = {key: [] for key in attempt.built}
    for key, outcome in attempt.outcomes:
        outcomes.setdefault(key, []).append(outcome)
    for day, keys in sorted(built.items()):
        for key, passed in outcomes.items():
            if key not in keys:
                continue
            of_model = [*_with_left_out(key, day, _with_exclusions(key, day, passed, excluded), left_out)]
            if key in attempt.built:
                metadata = _metadata(context, key, day, attempt, upstream)
                if day < max(built):
                    metadata.pop(PREVIEW, None)  # it is of the table as it is now, whatever the day
                yield key, day, checked(context, key, of_model, metadata)
            else:
                yield key, day, not_built(checked(context, key, of_model))


def red_reports(context: dg.AssetExecutionContext, days: Built, attempt: Attempt, why: str) -> Reports:
    """None of these models is built. Each test of theirs that failed blocks the day, and so does each model that dbt
    could not build: that is reported of the model, because none of its tests was run. Where what failed is another
    model's, these are refused with its reason. `why`: what follows for the day, added to each."""
    for day, keys in days.items():
        own = [(key, outcome) for key, outcome in attempt.outcomes if key in keys]
        models = {key.path[-1] for key in keys}
        if not any(outcome.blocks for _, outcome in own) and not any(r.name in models for r in attempt.failed):
            yield from ((key, day, refused(f"not built, because {attempt.failures}. {why}")) for key in sorted(keys))
            continue
        for key, outcome in own:
            remedy = (
                f"If the vendor's responses are wrong, request the day again: {remedies.resync(day)}. To build it as "
                f"it is: {remedies.waive(day, outcome.check)}."
            )
            described = dataclasses.replace(outcome, description=f"{outcome.description} {why} {remedy}")
            yield key, day, not_built(checked(context, key, [described if outcome.blocks else outcome]))
        for result in attempt.failed:
            if not result.is_test and result.name in models:
                model = next(key for key in context.selected_asset_keys if key.path[-1] == result.name)
                yield model, day, failed_itself(f"dbt could not build {result} {why}")


def without_a_stream(built: Built, units: Units, failed: Mapping[StreamDay, Attempt]) -> Mapping[date, Sequence[str]]:
    """The days that are built without a stream of which no check is red itself: what had failed is a test of a model
    that is built without it, or a model that could not be built. With the reasons."""
    found: dict[date, list[str]] = {}
    for each, attempt in failed.items():
        own = {key for key, of in units.items() if each.unit in of} - built.get(each.day, set())
        if each.day in built and not any(outcome.blocks and key in own for key, outcome in attempt.outcomes):
            found.setdefault(each.day, []).append(f"{each} is excluded, because {attempt.failures}")
    return found


def _with_left_out(
    key: dg.AssetKey, day: date, outcomes: Iterable[Outcome], left_out: Mapping[StreamDay, Attempt]
) -> Iterator[Outcome]:
    for outcome in outcomes:
        found = {
            each: before
            for each, attempt in left_out.items()
            for of, before in attempt.outcomes
            if each.day == day and (of, before.check) == (key, outcome.check) and before.blocks and outcome.passed
        }
        if not found:
            yield outcome
            continue
        first = next(iter(found.values()))
        streams = ", ".join(f"{each.source}/{each.stream}" for each in found)
        description = f"Without {streams}, which is excluded from {day}, it passes. With it: {first.description}"
        yield Outcome(outcome.check, False, description, warning=True, metadata=first.metadata)


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
