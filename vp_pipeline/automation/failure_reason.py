"""Why a step failed, in the words that people read in the terminal and in Slack.

Here: the reason, read from Dagster's event. Not here: where it is printed (`cli/`, `notifications/`).
"""

import re
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo


def failure_reason(event: dg.DagsterEvent) -> str:
    """The reason of a STEP_FAILURE."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return innermost_cause(failure.error) if failure.error else "The step failed without a reason."


def innermost_cause(error: "SerializableErrorInfo") -> str:
    """The message of the error that began a chain of errors."""
    while error.cause:
        error = error.cause
    if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:  # terminated, or Ctrl-C
        return "Interrupted. Run the same days again: what was finished is used again."
    # Our own errors are sentences; any other keeps its name, because it is a bug of ours.
    return re.sub(r"^vp_pipeline\.failures\.\w+: ", "", error.message.strip())
