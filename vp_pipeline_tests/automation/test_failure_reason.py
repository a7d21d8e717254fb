"""The reason of a failed step, as the terminal and Slack have it."""

import dagster as dg
import pytest

from vp_pipeline.automation.failure_reason import failure_reason
from vp_pipeline.failures import PermanentError


def reason_of(error: BaseException, cause: BaseException | None = None) -> str:
    """What is reported of a step that raised `error` because of `cause`."""

    @dg.op
    def fails() -> None:
        raise error from cause

    @dg.job
    def of_one_step() -> None:
        fails()

    result = of_one_step.execute_in_process(raise_on_error=False)
    (failed,) = (event for event in result.all_events if event.is_step_failure)
    return failure_reason(failed)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (PermanentError("The disk is full. Free some space."), "The disk is full. Free some space."),
        (KeyError("price"), "KeyError: 'price'"),
        (dg.DagsterExecutionInterruptedError(), "Interrupted. Run the same days again"),
    ],
)
def test_it_is_of_the_innermost_cause(cause: BaseException, reason: str) -> None:
    assert reason_of(RuntimeError("The step failed"), cause).startswith(reason)


def test_a_failure_that_was_raised_for_people_has_its_description() -> None:
    failure = dg.Failure("One of three days failed: 2026-03-02.")
    assert reason_of(failure, KeyError("price")) == "One of three days failed: 2026-03-02."
