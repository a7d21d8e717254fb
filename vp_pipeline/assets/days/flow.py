"""How an asset goes through the days of a run: one materialization and one set of check results per day.

Here: the order of things, for every layer. Not here: any work; the plain functions that do it are passed in.

Stock Dagster decides for all days of a run together: an output marks all of them as materialized, a blocking check that
fails stops all of them, and a result has no day. Here each day's events are recorded one by one, days that failed (or
whose upstream has) are excluded and named, and the others continue. The last step of a run turns it red.
"""

import json
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from itertools import chain

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted, DependsOn, admit
from vp_pipeline.assets.days.events import day_events, is_last_step, step_outputs
from vp_pipeline.assets.days.problems import Problems
from vp_pipeline.assets.days.report import DayReport, DayState, Reports, not_made, not_restated, refused
from vp_pipeline.assets.days.shared_run import is_shared, recording_failures, sources_of_step
from vp_pipeline.assets.days.versions import Versions
from vp_pipeline.assets.retries import retry
from vp_pipeline.dagster_internals.errors import StepFailure
from vp_pipeline.failures import PermanentError, TransientError, file_failure
from vp_pipeline.partitions import parse_days, span

# What the models were built without, as JSON; the prefix hides it in the UI.
LEFT_OUT_TAG = ".dagster/vp_left_out"
# The earlier days, separated by spaces, that a run was to make again with the present code and could not.
NOT_RESTATED_TAG = "vp/not_restated"

Build = Callable[[Admitted], Reports]
BuildDay = Callable[[date, Set[dg.AssetKey]], Mapping[dg.AssetKey, DayReport]]


def run_days(context: dg.AssetExecutionContext, build: Build, *, depends_on: DependsOn) -> Iterator[object]:
    """Builds the days of the run and yields their events.

    `depends_on` names, for each asset, the blocking checks of everything that it is derived from, however far up, in a
    group for each stream: a day on which the newest result of one in each group is a failure is not built, unless the
    run waives that check (`quality/waivers.py`). `build` gets the assets that are admitted, by day, and reports on each
    asset and day; what it reports on other days is recorded, and is no problem of this run, except where their rows are
    of other code and could not be restated. After a `TransientError` in it the whole step is tried again.

    Raises:
        dagster.Failure: no day was built, or some were not and no later step of this run will fail for it. A step of
            one source in a run that has several leaves it to the last one (`shared_run.py`).
    """
    context.instance.add_run_tags(context.run_id, _tags(context))
    problems, shared = Problems(context.log), is_shared(context)
    if shared:
        alone = build

        def build(admitted: Admitted) -> Reports:
            return recording_failures(context, admitted, alone(admitted))

    try:
        built = yield from _build_days(context, build, depends_on, problems)
    except PermanentError as error:
        raise StepFailure(str(error)) from error
    except TransientError as error:
        raise retry(context, error) from error
    except OSError as error:
        failure = file_failure(error)
        if failure is None:
            raise
        raise StepFailure(str(failure)) from error
    if problems and (is_last_step(context) or not (built or shared)):
        raise StepFailure(problems.message(len(context.partition_keys)))
    yield from step_outputs(context)


def day_by_day(context: dg.AssetExecutionContext, build: BuildDay) -> Build:
    """A `Build` that does the work of one day after the other.

    `build(day, keys)` reports on each of `keys`. A `PermanentError` in it fails that day alone (`not_made`).
    """

    def build_all(admitted: Admitted) -> Reports:
        for day, keys in admitted.items():
            try:
                reports = build(day, keys)
            except PermanentError as error:
                reports = not_made(context, keys, str(error))
            for key, report in reports.items():
                yield key, day, report

    return build_all


def together(
    context: dg.AssetExecutionContext,
    build: BuildDay,
    others: Iterable[date],
    *,
    depends_on: DependsOn,
    restated: Collection[date],
) -> Build:
    """As `day_by_day`, over the days of the run and `others` in one order. The others have to pass the same gate: where
    a check that an asset depends on has failed, it is refused. `restated`: those of the others whose rows other code
    made; one of them that cannot be made again turns the run red."""

    def build_all(admitted: Admitted) -> Reports:
        ours = parse_days(context.partition_keys)
        more = admit(context, depends_on, [day for day in others if day not in ours])
        days = {**admitted, **more.assets}
        refusals = ((key, day, refused(reason)) for (day, key), reason in more.refused.items())
        reports = day_by_day(context, build)({day: days[day] for day in sorted(days)})
        for key, day, report in chain(refusals, reports):
            yield key, day, not_restated(report) if day in restated and day not in ours else report

    return build_all


def _build_days(
    context: dg.AssetExecutionContext, build: Build, depends_on: DependsOn, problems: Problems
) -> Generator[object, None, bool]:
    """Yields the events of what `build` reports; returns whether any asset was built on a day of the run."""
    ours = parse_days(context.partition_keys)
    admission = admit(context, depends_on, ours)
    refusals = [*admission.refused.items()]
    if is_last_step(context):
        refusals += [(asset, reason) for asset, reasons in admission.without.items() for reason in reasons]
        refusals += [((day, key), reason) for day, reason in left_out(context) for key in context.selected_asset_keys]
        if earlier := _not_restated(context) - {*ours}:
            refusals += admit(context, depends_on, sorted(earlier)).refused.items()
    for (day, key), reason in refusals:
        problems.add(day, key, reason)
    left: set[date] = set()
    versions = Versions(context)
    built = False
    for key, day, report in build(admission.assets) if admission.assets else ():
        yield from day_events(context, key, day, report, admission.waived.get((day, key), []), versions)
        if report.state is DayState.NOT_RESTATED:
            left.add(day)
            problems.add(day, key, report.reason or "")
        elif day not in ours:
            log = context.log.warning if report.reason else context.log.info
            log("%s is not a day of this run. %s: %s", day, key.to_user_string(), report.reason or "built again")
        elif report.reason is not None:
            problems.add(day, key, report.reason, report.failed_check)
        else:
            built = built or report.state is DayState.BUILT
    _add_not_restated(context, left)
    return built


def _not_restated(context: dg.AssetExecutionContext) -> set[date]:
    """The earlier days that a step of this run could not make again: its last step fails for them."""
    return set(parse_days(_tag_of_run(context, NOT_RESTATED_TAG, "").split()))


def leave_out(context: dg.AssetExecutionContext, reasons: Mapping[date, Sequence[str]]) -> None:
    """Records what the build of the models has left out of days that have something of other streams: the last step of
    the run fails for it."""
    if reasons:
        text = json.dumps({day.isoformat(): [*why] for day, why in reasons.items()})
        context.instance.add_run_tags(context.run_id, {LEFT_OUT_TAG: text})


def left_out(context: dg.AssetExecutionContext) -> Iterator[tuple[date, str]]:
    """What `leave_out` has recorded in this run, each day with each reason."""
    found: dict[str, list[str]] = json.loads(_tag_of_run(context, LEFT_OUT_TAG, "{}"))
    yield from ((date.fromisoformat(day), reason) for day, reasons in found.items() for reason in reasons)


def _add_not_restated(context: dg.AssetExecutionContext, days: Set[date]) -> None:
    if days:
        listed = " ".join(day.isoformat() for day in sorted(days | _not_restated(context)))
        context.instance.add_run_tags(context.run_id, {NOT_RESTATED_TAG: listed})


def _tag_of_run(context: dg.AssetExecutionContext, name: str, default: str) -> str:
    """A tag as it is now: those of the context are as they were when the run began."""
    run = context.instance.get_run_by_id(context.run_id)
    return str((run.tags if run else {}).get(name, default))


def _tags(context: dg.AssetExecutionContext) -> dict[str, str]:
    """What the list of runs can be filtered by, however the run was launched."""
    days, sources = context.partition_keys, sources_of_step(context)
    return {"vp/day": span(days), **({"vp/source": " ".join(sorted(sources))} if sources else {})}
