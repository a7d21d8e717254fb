"""How an asset goes through the days of a run: one account, one set of check results and one verdict a day.

Here: the events that Dagster hears. Not here: any work; the plain functions that do it are passed in.

Stock Dagster decides for a run's days together: an output marks all of them as materialized, a blocking check that
fails stops all of them, and a result carries no day. Here each day's events are emitted one by one, days that failed
(or whose upstream has) are left out and named, and the others go on. The last step of a run turns it red.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.dagster_internals.outputs import NO_MATERIALIZATION_KEY
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.partitions import parse_days
from vp_pipeline.quality.gate import standing_failures
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.waivers import Waivers

MAX_RETRIES = 3
FIRST_WAIT_SECONDS = 2.0
# Dagster's tag for the data version of a materialization; it has no public name for it.
DATA_VERSION_TAG = "dagster/data_version"


@dataclass(frozen=True)
class DayReport:
    """What became of one asset on one day.

    It counts as materialized unless `built` is false or an outcome blocks. `data_version`: a checksum of the content,
    so that Dagster sees when nothing changed. `refused`: why it was not even tried; no check result is recorded of it.
    """

    outcomes: Sequence[Outcome] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    data_version: str | None = None
    built: bool = True
    refused: str | None = None

    @property
    def blocked(self) -> Outcome | None:
        """The first outcome that keeps the day from counting."""
        return next((o for o in self.outcomes if not o.passed and not o.warning), None)


Admitted = Mapping[date, Set[dg.AssetKey]]
Build = Callable[[Admitted], Iterator[tuple[dg.AssetKey, date, DayReport]]]
BuildDay = Callable[[date, Set[dg.AssetKey]], Mapping[dg.AssetKey, DayReport]]
# Day → reason → the assets that it is of.
Problems = dict[date, dict[str, list[str]]]
# What a person has waived so that the asset may be built.
Waived = dict[tuple[date, dg.AssetKey], list[str]]
DependsOn = Callable[[dg.AssetKey], Sequence[dg.AssetCheckKey]]


def run_days(context: dg.AssetExecutionContext, build: Build, *, depends_on: DependsOn) -> Iterator[object]:
    """Builds the days of the run and yields their events.

    `depends_on` names, for each asset, the blocking checks of everything that it is made from, however far up: a day
    whose newest result of one of them is a failure is not built. `build` gets the assets that are admitted, by day,
    and reports on each asset and day as it goes; what it reports on other days is recorded, and is not this run's
    problem. A `TransientError` in it is tried again, the whole step with it. Checks that the run's tag overrules do not
    stop it (`quality/waivers.py`); the materializations say so.

    Raises:
        dagster.Failure: no day went through, or some did not and nothing follows in this run that could say so.
    """
    problems: Problems = {}
    waived: Waived = {}
    built = 0
    context.instance.add_run_tags(context.run_id, _tags(context))
    try:
        admitted = _admit(context, depends_on, problems, waived)
        ours = set(parse_days(context.partition_keys))
        for key, day, told in build(admitted) if admitted else ():
            report = _with_waivers(context, key, told, waived.get((day, key), []))
            yield from _events(key, day, report)
            reason = report.refused if report.blocked is None else report.blocked.description
            if day not in ours:
                context.log.warning("%s is not of this run. %s: %s", day, key.to_user_string(), reason or "judged anew")
                continue
            built += report.built and reason is None
            if reason is not None:
                _note(context, problems, day, key, reason)
    except PermanentError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except TransientError as error:
        wait = FIRST_WAIT_SECONDS * 2**context.retry_number
        attempt = f"{context.retry_number + 1} of {MAX_RETRIES}"
        context.log.warning("%s Trying again in %.0f s (%s).", error, wait, attempt)
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=wait) from error
    if problems and (not built or _is_last(context)):
        raise dg.Failure(verdict(problems, len(context.partition_keys)), allow_retries=False)
    for name in _output_names(context):
        yield dg.Output(None, name, metadata={NO_MATERIALIZATION_KEY: True})


def day_by_day(context: dg.AssetExecutionContext, build: BuildDay) -> Build:
    """A `Build` that does the work of one day after the other.

    `build(day, keys)` reports on each of `keys`. A `PermanentError` in it fails that day alone, by the first check of
    each asset in `keys`.
    """

    def build_all(admitted: Admitted) -> Iterator[tuple[dg.AssetKey, date, DayReport]]:
        for day, keys in admitted.items():
            try:
                reports = build(day, keys)
            except PermanentError as error:
                reports = {key: refusal(context, key, str(error)) for key in sorted(keys)}
            for key, report in reports.items():
                yield key, day, report

    return build_all


def refusal(context: dg.AssetExecutionContext, key: dg.AssetKey, reason: str) -> DayReport:
    """A day that failed before any check of the asset could be evaluated: its first check says why."""
    check = next(spec.name for spec in context.assets_def.check_specs if spec.asset_key == key)
    return DayReport([Outcome(check, False, reason)])


def waivers_of_run(context: dg.AssetExecutionContext) -> Waivers:
    """What the run's tag overrules."""
    return Waivers.of(context.run.tags)


def apply_waiver(context: dg.AssetExecutionContext, key: dg.AssetKey, outcome: Outcome) -> Outcome:
    """The outcome, as a warning where the run's tag overrules its check."""
    if outcome.passed or outcome.warning or not waivers_of_run(context).covers(dg.AssetCheckKey(key, outcome.check)):
        return outcome
    return dataclasses.replace(outcome, warning=True, description=f"Waived in this run: {outcome.description}")


def verdict(problems: Problems, days: int) -> str:
    """The reason of a red run: for each day, in order, each reason once with the assets that it is of."""
    count = f"{len(problems)} of {days} days" if days > 1 else "The day"
    lines = [f"{count} did not go through:"]
    for day in sorted(problems):
        for reason, assets in problems[day].items():
            more = f" and {len(assets) - 3} more" if len(assets) > 3 else ""
            lines.append(f"  {day}  {', '.join(assets[:3])}{more}: {reason}")
    return "\n".join(lines)


def _tags(context: dg.AssetExecutionContext) -> dict[str, str]:
    """What the page of runs can be filtered by, however the run was launched."""
    days = context.partition_keys
    sources = {spec.tags["source"] for spec in context.assets_def.specs if "source" in spec.tags}
    day = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return {"vp/day": day, **({"vp/source": " ".join(sorted(sources))} if sources else {})}


def _admit(context: dg.AssetExecutionContext, depends_on: DependsOn, problems: Problems, waived: Waived) -> Admitted:
    """The assets that may be built, by day; why the others may not goes into `problems`, and what a person let pass
    into `waived`."""
    waivers = waivers_of_run(context)
    admitted: dict[date, set[dg.AssetKey]] = {}
    needs = {key: depends_on(key) for key in sorted(context.selected_asset_keys)}
    every_check = sorted({check for checks in needs.values() for check in checks}, key=lambda check: str(check))
    # A name that is of no check is told before anything is done.
    waivers.require_known({*every_check, *context.job_def.asset_layer.asset_graph.asset_check_keys})
    for day in parse_days(context.partition_keys):
        failures = standing_failures(context.instance, every_check, day.isoformat())
        for key, checks in needs.items():
            standing = [check for check in checks if check in failures]
            passed_over = [failures[check] for check in standing if waivers.covers(check)]
            if passed_over:
                waived[day, key] = passed_over
            reason = next((failures[check] for check in standing if not waivers.covers(check)), None)
            if reason is None:
                admitted.setdefault(day, set()).add(key)
            else:
                _note(context, problems, day, key, f"not built, because {reason}")
    return admitted


def _with_waivers(
    context: dg.AssetExecutionContext, key: dg.AssetKey, report: DayReport, earlier: Sequence[str]
) -> DayReport:
    outcomes = [apply_waiver(context, key, outcome) for outcome in report.outcomes]
    covers = waivers_of_run(context).covers
    told = [o.description for o in outcomes if not o.passed and covers(dg.AssetCheckKey(key, o.check))]
    if not told and not earlier:
        return report
    return dataclasses.replace(
        report, outcomes=outcomes, metadata={**report.metadata, "waived": "; ".join([*told, *earlier])}
    )


def _events(key: dg.AssetKey, day: date, report: DayReport) -> Iterator[object]:
    if report.built and report.blocked is None and report.refused is None:
        yield dg.AssetMaterialization(
            key,
            partition=day.isoformat(),
            metadata=dict(report.metadata),
            tags={DATA_VERSION_TAG: report.data_version} if report.data_version else {},
        )
    for outcome in report.outcomes:
        yield dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=outcome.check,
            passed=outcome.passed,
            description=outcome.description,
            metadata=dict(outcome.metadata),
            severity=dg.AssetCheckSeverity.WARN if outcome.warning else dg.AssetCheckSeverity.ERROR,
            partition=day.isoformat(),
            # Whether the run goes on is decided here, day by day, not by the step's failure.
            blocking=False,
        )


def _note(context: dg.AssetExecutionContext, problems: Problems, day: date, key: dg.AssetKey, reason: str) -> None:
    context.log.error("%s  %s: %s", day, key.to_user_string(), reason)
    problems.setdefault(day, {}).setdefault(reason, []).append(key.to_user_string())


def _output_names(context: dg.AssetExecutionContext) -> list[str]:
    """The outputs of the step, assets in order of their dependencies, as Dagster asks for; then the checks."""
    selected = set(context.op_execution_context.selected_output_names)
    by_key = context.assets_def.node_keys_by_output_name
    order = {key: i for i, key in enumerate(context.job_def.asset_layer.asset_graph.toposorted_asset_keys)}
    assets = sorted(selected & by_key.keys(), key=lambda name: order[by_key[name]])
    return [*assets, *sorted(selected - by_key.keys())]


def _is_last(context: dg.AssetExecutionContext) -> bool:
    """Whether no other step of this run depends on this one."""
    structure = context.job_def.dependencies
    name = context.op_execution_context.op_handle.name
    return not any(
        dependency.node == name
        for inputs in structure.values()
        for d in inputs.values()
        for dependency in d.get_node_dependencies()
    )
