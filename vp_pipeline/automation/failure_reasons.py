"""Why a step failed, as a sentence for the terminal and for messages."""

import re

import dagster as dg

from vp_pipeline.dagster_internals.errors import RecordedError, innermost_cause


def failure_reason(event: dg.DagsterEvent) -> str:
    """The reason of a STEP_FAILURE: what the step reported itself, or else the error that ended it."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return error_reason(failure.error) if failure.error else "The step failed without a reason."


def error_reason(error: RecordedError) -> str:
    """The innermost cause of an error."""
    cause = innermost_cause(error)
    if cause.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return "Interrupted. Run the same days again: what was finished is used again."
    # Our own errors are sentences; any other keeps the name of its class, because it is a bug.
    return re.sub(r"^vp_pipeline\.failures\.\w+: ", "", cause.message.strip())
