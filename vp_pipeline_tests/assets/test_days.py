"""Days of a run, one by one: which continue, which do not, and what Dagster records. On a graph of two small layers."""

import errno
import logging
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import date

import dagster as dg
import pytest

from vp_pipeline.assets import retries
from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.flow import NOT_RESTATED_TAG, day_by_day, run_days
from vp_pipeline.assets.days.problems import Problems
from vp_pipeline.assets.days.report import DayReport, DayState, Reports, checked, failed_itself, refused
from vp_pipeline.automation.notifications.run_summary import Trouble, summarize_run
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.partitions import partition_tags
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.waivers import TAG

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01")
UPPER, LOWER = dg.AssetKey("upper"), dg.AssetKey("lower")
ONE, TWO, THREE = (date(2026, 2, n) for n in (1, 2, 3))

Work = Callable[[date], Outcome | list[Outcome] | DayReport]


def good(_: date) -> Outcome:
    return Outcome("sound", True, "fine")


def bad_on(*bad: date) -> Work:
    return lambda day: Outcome("sound", False, f"{day} is rotten") if day in bad else good(day)


def report(
    context: dg.AssetExecutionContext, key: dg.AssetKey, found: Outcome | list[Outcome] | DayReport
) -> DayReport:
    if isinstance(found, DayReport):
        return found
    outcomes = found if isinstance(found, list) else [found]
    return checked(context, key, outcomes, {"dagster/row_count": 1}, data_version="v1")


def graph(
    upper: Work,
    lower: Work = good,
    automation: dg.AutomationCondition | None = None,
    also: Mapping[date, Outcome | DayReport] | None = None,
) -> dg.Definitions:
    def layer(key: dg.AssetKey, above: list[dg.AssetKey], work: Work) -> dg.AssetsDefinition:
        @dg.multi_asset(
            name=key.path[0],
            specs=[
                dg.AssetSpec(
                    key, deps=above, partitions_def=PARTITIONS, automation_condition=automation if above else None
                )
            ],
            check_specs=[dg.AssetCheckSpec("sound", asset=key, blocking=True, partitions_def=PARTITIONS)],
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def step(context: dg.AssetExecutionContext) -> Iterator[object]:
            def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
                return {key: report(context, key, work(day))}

            checks = [dg.AssetCheckKey(k, "sound") for k in above]

            def build_all(admitted: Admitted) -> Reports:
                yield from day_by_day(context, build)(admitted)
                yield from ((key, day, report(context, key, found)) for day, found in (also or {}).items() if not above)

            yield from run_days(context, build_all, depends_on=lambda _: [checks])

        return step

    job = dg.define_asset_job("all", dg.AssetSelection.all(), partitions_def=PARTITIONS)
    return dg.Definitions(
        [layer(UPPER, [], upper), layer(LOWER, [UPPER], lower)], jobs=[job], executor=dg.in_process_executor
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    *days: date,
    only: dg.AssetKey | None = None,
    waive: str | None = None,
) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def("all").execute_in_process(
        instance=instance,
        tags={**partition_tags(days), **({TAG: waive} if waive else {})},
        asset_selection=[only] if only else None,
        raise_on_error=False,
    )


def materialized(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[str]:
    return set(instance.get_materialized_partitions(key))


def reason(result: dg.ExecuteInProcessResult) -> str:
    failures = [e.step_failure_data for e in result.all_events if e.is_step_failure]
    (failure,) = failures
    assert failure.user_failure_data is not None
    return failure.user_failure_data.description or ""


def evaluations(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str | None, bool]:
    return {e.partition: e.passed for e in result.get_asset_check_evaluations() if e.asset_key == key}


def test_each_day_has_its_own_materialization_and_check(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(good), ONE, TWO, THREE)
    assert result.success
    for key in (UPPER, LOWER):
        assert materialized(instance, key) == {"2026-02-01", "2026-02-02", "2026-02-03"}
        assert evaluations(result, key) == {"2026-02-01": True, "2026-02-02": True, "2026-02-03": True}
    outputs = [event.step_output_data for event in result.all_events if event.is_successful_output]
    assert [output.metadata for output in outputs] == [{}] * 4, "an output shows nothing of how it is recorded"
    events = [e for e in result.all_events if e.is_step_materialization]
    assert len(events) == 6  # one a day and asset: the outputs add none of their own


def test_a_bad_day_in_the_middle_is_red_alone(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(bad_on(TWO)), ONE, TWO, THREE)
    assert not result.success
    assert materialized(instance, UPPER) == materialized(instance, LOWER) == {"2026-02-01", "2026-02-03"}
    assert evaluations(result, UPPER) == {"2026-02-01": True, "2026-02-02": False, "2026-02-03": True}
    assert evaluations(result, LOWER) == {"2026-02-01": True, "2026-02-03": True}
    assert "1 of 3 days did not go through" in reason(result)
    assert "2026-02-02  lower: not built, because the check sound of upper has failed" in reason(result)
    assert "2026-02-02 is rotten" in reason(result)


def test_a_run_of_the_bad_layer_alone_is_red(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(bad_on(TWO)), ONE, TWO, THREE, only=UPPER)
    assert not result.success
    assert "2026-02-02  upper: 2026-02-02 is rotten" in reason(result)
    assert materialized(instance, UPPER) == {"2026-02-01", "2026-02-03"}


def test_nothing_continues_when_no_day_is_good(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(bad_on(ONE)), ONE)
    assert not result.success
    assert materialized(instance, UPPER) == materialized(instance, LOWER) == set()
    assert evaluations(result, LOWER) == {}


def test_the_gate_holds_in_a_later_run(instance: dg.DagsterInstance) -> None:
    run(instance, graph(good), ONE)
    run(instance, graph(bad_on(ONE)), ONE, only=UPPER)
    later = run(instance, graph(good), ONE, only=LOWER)
    assert not later.success
    assert "the check sound of upper has failed for 2026-02-01 (run " in reason(later)
    assert len([e for e in later.all_events if e.is_step_materialization]) == 0


def test_a_result_that_is_only_planned_does_not_open_the_gate(instance: dg.DagsterInstance) -> None:
    """As when the run that was to fix the day is queued, or was killed before it came to the check."""
    run(instance, graph(bad_on(ONE)), ONE, only=UPPER)
    instance.create_run_for_job(graph(good).resolve_job_def("all"), tags=partition_tags([ONE]))
    later = run(instance, graph(good), ONE, only=LOWER)
    assert not later.success
    assert "has failed for 2026-02-01" in reason(later)


def test_the_gate_opens_when_the_day_has_been_fixed(instance: dg.DagsterInstance) -> None:
    run(instance, graph(bad_on(ONE)), ONE)
    assert run(instance, graph(good), ONE).success
    assert materialized(instance, LOWER) == {"2026-02-01"}


def test_a_bad_day_does_not_stop_its_neighbours_in_later_runs(instance: dg.DagsterInstance) -> None:
    run(instance, graph(bad_on(TWO)), TWO)
    assert run(instance, graph(good), ONE).success
    assert run(instance, graph(good), THREE, only=UPPER).success
    assert run(instance, graph(good), THREE, only=LOWER).success


def test_a_warning_is_recorded_and_does_not_block(instance: dg.DagsterInstance) -> None:
    def warn(_: date) -> Outcome:
        return Outcome("sound", False, "odd", warning=True)

    result = run(instance, graph(warn), ONE)
    assert result.success
    assert materialized(instance, LOWER) == {"2026-02-01"}
    assert evaluations(result, UPPER) == {"2026-02-01": False}


def test_a_permanent_failure_fails_its_day_and_is_not_tried_again(instance: dg.DagsterInstance) -> None:
    calls = []

    def broken(day: date) -> Outcome:
        calls.append(day)
        if day == TWO:
            raise PermanentError("the object is truncated")
        return good(day)

    result = run(instance, graph(broken), ONE, TWO, THREE)
    assert not result.success
    assert calls == [ONE, TWO, THREE]
    assert evaluations(result, UPPER) == {"2026-02-01": True, "2026-02-02": False, "2026-02-03": True}
    assert "the object is truncated" in reason(result)
    assert not [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]


def test_what_no_check_is_about_is_reported_of_the_asset(instance: dg.DagsterInstance) -> None:
    """As of a dbt model that cannot be built: none of its tests was run, so none has failed."""
    result = run(instance, graph(lambda day: failed_itself("its SQL divides by zero")), ONE)
    assert not result.success
    assert evaluations(result, UPPER) == {}
    (seen,) = instance.fetch_observations(UPPER, limit=9).records
    assert (seen.partition_key, seen.asset_observation.description) == ("2026-02-01", "its SQL divides by zero")
    record = instance.get_run_record_by_id(result.run_id)
    assert record is not None
    assert summarize_run(instance, record).first_failure == Trouble("upper (upper)", None, "its SQL divides by zero")


def test_a_transient_failure_is_tried_again(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.01)
    calls = []

    def busy_once(day: date) -> Outcome:
        calls.append(day)
        if len(calls) == 1:
            raise TransientError("the server is busy.")
        return good(day)

    assert run(instance, graph(busy_once), ONE).success
    assert calls == [ONE, ONE]


def test_a_transient_failure_that_stays_ends_with_its_reason(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.01)
    calls = []

    def busy(day: date) -> Outcome:
        calls.append(day)
        raise TransientError("the server is busy.")

    result = run(instance, graph(busy), ONE)
    assert not result.success
    assert len(calls) == 1 + retries.MAX_RETRIES
    (failure,) = [e.step_failure_data for e in result.all_events if e.is_step_failure]
    assert "the server is busy." in str(failure.error)


def test_a_full_disk_ends_the_step_by_name_and_is_not_tried_again(instance: dg.DagsterInstance) -> None:
    tries = []

    def full(day: date) -> Outcome:
        tries.append(day)
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x.parquet")

    result = run(instance, graph(full), ONE)
    assert reason(result).startswith("The file /data/x.parquet cannot be read or written: No space left on device.")
    assert tries == [ONE]


def test_a_bug_is_not_tried_again(instance: dg.DagsterInstance) -> None:
    calls = []

    def bug(day: date) -> Outcome:
        calls.append(day)
        raise ZeroDivisionError

    assert not run(instance, graph(bug), ONE).success
    assert calls == [ONE]


@pytest.mark.parametrize("name", ["sound", "upper:sound"])
def test_a_person_can_waive_an_earlier_failure_for_one_run(instance: dg.DagsterInstance, name: str) -> None:
    run(instance, graph(bad_on(ONE)), ONE, only=UPPER)
    assert not run(instance, graph(good), ONE, only=LOWER).success
    waived = run(instance, graph(good), ONE, only=LOWER, waive=name)
    assert waived.success
    assert waived.dagster_run.tags[TAG] == name
    (materialization,) = waived.asset_materializations_for_node("lower")
    assert "the check sound of upper has failed for 2026-02-01" in str(materialization.metadata["waived"].value)
    # For that run alone: the next one is held again.
    assert not run(instance, graph(good), ONE, only=LOWER).success


def test_a_check_that_fails_in_the_run_that_waives_it_warns(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(bad_on(ONE)), ONE, waive="upper:sound")
    assert result.success
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if e.asset_key == UPPER]
    assert (evaluation.passed, evaluation.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert evaluation.description == "Waived in this run: 2026-02-01 is rotten"
    assert materialized(instance, UPPER) == materialized(instance, LOWER) == {"2026-02-01"}


def test_what_was_not_made_cannot_be_waived(instance: dg.DagsterInstance) -> None:
    def nothing(day: date) -> Outcome:
        raise PermanentError(f"{day} is not there")

    result = run(instance, graph(nothing), ONE, waive="sound")
    assert not result.success
    assert "2026-02-01 is not there" in reason(result)
    assert materialized(instance, UPPER) == materialized(instance, LOWER) == set()


def test_an_earlier_day_that_could_not_be_restated_fails_the_last_step(instance: dg.DagsterInstance) -> None:
    left = DayReport(DayState.NOT_RESTATED, [Outcome("sound", False, "no bronze")], reason="no bronze")
    result = run(instance, graph(good, also={THREE: left}), ONE)
    assert not result.success
    assert "2026-02-03  lower: not built, because the check sound of upper has failed" in reason(result)
    assert materialized(instance, UPPER) == materialized(instance, LOWER) == {"2026-02-01"}
    found = instance.get_run_by_id(result.run_id)
    assert found is not None
    assert found.tags[NOT_RESTATED_TAG] == "2026-02-03"
    # A waiver of the check is one of the day: the rows of earlier code stay excluded, and the run is green.
    assert run(instance, graph(good, also={THREE: left}), ONE, waive="upper:sound").success


def test_what_only_follows_from_a_failure_is_no_result_of_its_own(instance: dg.DagsterInstance) -> None:
    cause = Outcome("sound", False, "most is missing")
    follows = Outcome("sound", False, "little is there", warning=True, is_consequence=True)
    result = run(instance, graph(lambda _: [cause, follows]), ONE)
    assert [e.description for e in result.get_asset_check_evaluations()] == ["most is missing"]
    waived = run(instance, graph(lambda _: [cause, follows]), ONE, waive="upper:sound")
    assert waived.success
    texts = [e.description for e in waived.get_asset_check_evaluations() if e.asset_key == UPPER]
    assert texts == ["Waived in this run: most is missing", "little is there"]


def test_another_check_is_not_waived(instance: dg.DagsterInstance) -> None:
    assert not run(instance, graph(bad_on(ONE)), ONE, waive="lower:sound").success


def test_waiving_an_unknown_check_is_refused(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(good), ONE, waive="sund")
    assert not result.success
    assert "Unknown check sund (vp/waiver): it cannot be waived. Did you mean sound" in reason(result)
    assert materialized(instance, UPPER) == set()


def test_a_run_that_automation_requests_is_held_as_well(instance: dg.DagsterInstance) -> None:
    """`eager()` requests the layer below a day that has just failed: something above it is newer. The gate is in the
    asset, so the run that it requests builds nothing."""
    newest = dg.DailyPartitionsDefinition("2026-01-01").get_last_partition_key()
    assert newest is not None
    day = date.fromisoformat(newest)
    assert run(instance, graph(good), day).success
    definitions = graph(good, automation=dg.AutomationCondition.eager())
    cursor = dg.evaluate_automation_conditions(definitions, instance).cursor
    run(instance, graph(good), day, only=UPPER)
    run(instance, graph(bad_on(day)), day, only=UPPER)  # the newest result of the check is a failure now
    requested = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
    assert requested.get_requested_partitions(LOWER) == {newest}
    before = len(instance.fetch_materializations(LOWER, limit=9).records)
    held = run(instance, definitions, day, only=LOWER)
    assert not held.success
    assert f"the check sound of upper has failed for {newest}" in reason(held)
    assert len(instance.fetch_materializations(LOWER, limit=9).records) == before


def test_a_condition_sees_that_a_check_has_passed(instance: dg.DagsterInstance) -> None:
    """And that it has not: a result is of the materialization that it came with."""
    newest = dg.DailyPartitionsDefinition("2026-01-01").get_last_partition_key()
    assert newest is not None
    day = date.fromisoformat(newest)
    condition = dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()
    definitions = graph(good, automation=condition)
    assert run(instance, definitions, day).success
    cursor = dg.evaluate_automation_conditions(definitions, instance).cursor
    run(instance, definitions, day, only=UPPER)
    requested = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
    assert requested.get_requested_partitions(LOWER) == {newest}
    run(instance, graph(bad_on(day)), day, only=UPPER)
    held = dg.evaluate_automation_conditions(definitions, instance, cursor=requested.cursor)
    assert held.get_requested_partitions(LOWER) == set()


def test_reports_on_other_days_are_recorded_and_no_problem_of_the_run(instance: dg.DagsterInstance) -> None:
    """As of a day that an earlier run left in the middle."""
    result = run(instance, graph(good, also={THREE: bad_on(THREE)(THREE)}), ONE)
    assert result.success
    assert evaluations(result, UPPER) == {"2026-02-01": True, "2026-02-03": False}


def test_a_refused_day_is_named_and_its_check_results_stay(instance: dg.DagsterInstance) -> None:
    result = run(instance, graph(lambda _: refused("it is excluded")), ONE)
    assert "2026-02-01  upper: it is excluded" in reason(result)
    assert evaluations(result, UPPER) == {}


def test_the_message_of_a_red_run_has_each_reason_once() -> None:
    problems = Problems(logging.getLogger(__name__))
    for name in "abcde":
        problems.add(TWO, dg.AssetKey(name), "rotten")
    problems.add(ONE, dg.AssetKey("a"), "late")
    problems.add(TWO, dg.AssetKey(["silver", "a"]), "silver/a for 2026-02-02: gone")
    problems.add(THREE, dg.AssetKey(["silver", "a"]), "silver/a has 1 row", "volume")
    problems.add(THREE, dg.AssetKey(["silver", "b"]), "silver/b has 2 rows", "volume")
    assert problems.message(days=3) == (
        "3 of 3 days did not go through:\n  2026-02-01  a: late\n  2026-02-02  a, b, c and 2 more: rotten\n"
        "  2026-02-02  silver/a: gone\n"
        "  2026-02-03  silver/a, silver/b: silver/a has 1 row"
    )
