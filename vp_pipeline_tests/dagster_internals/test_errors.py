"""Failures that are foreseen, as Dagster stores them: a sentence, and no line of Dagster's."""

import dagster as dg

from vp_pipeline.dagster_internals.errors import StepFailure, StepRetry, recorded_as_sentence
from vp_pipeline.failures import PermanentError, PipelineError

REASON = "The folder is full: make room."


def stored_failure(raised: Exception) -> str:
    """What is stored of a step that raises something, as the UI shows it."""

    @dg.op
    def step() -> None:
        raise raised

    @dg.job
    def job() -> None:
        step()

    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        (entry,) = instance.all_logs(result.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    failure = entry.get_dagster_event().step_failure_data
    return f"{failure.user_failure_data.description if failure.user_failure_data else ''}\n{failure.error}"


def test_what_is_foreseen_is_recorded_as_a_sentence() -> None:
    assert stored_failure(StepFailure(REASON)) == f"{REASON}\n{REASON}"
    # The last of its tries.
    exhausted = stored_failure(StepRetry(REASON, 0, 0))
    assert exhausted.endswith(REASON)
    assert "Stack Trace" not in exhausted


def test_a_bug_keeps_its_stack() -> None:
    assert "Stack Trace" in stored_failure(KeyError("of the step"))


def test_a_tick_that_fails_for_a_foreseen_reason_shows_it_alone() -> None:
    @dg.sensor(job_name="any")
    @recorded_as_sentence(PipelineError)
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        raise PermanentError(REASON)

    try:
        watch(dg.build_sensor_context())
    except Exception as error:
        (recorded,) = error.user_code_process_error_infos  # type: ignore[attr-defined]
    assert (recorded.to_string(), recorded.cls_name) == (REASON, "PermanentError")
