"""Why a step failed, in the words that people read in the terminal and in Slack.

Here: the reason, read from Dagster's event. Not here: where it is printed (`cli/`, `notifications/`).
"""

import re

import dagster as dg

from vp_pipeline.assets.metadata import NOT_BUILT
from vp_pipeline.dagster_internals.errors import RecordedError, innermost_error


def failure_reason(event: dg.DagsterEvent) -> str:
    """The reason of a STEP_FAILURE."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    return innermost_cause(failure.error) if failure.error else "The step failed without a reason."


def why_not_built(event: dg.DagsterEvent) -> str | None:
    """The reason in an ASSET_OBSERVATION of an asset that could not be built; None: it is about something else."""
    reason = event.asset_observation_data.asset_observation.metadata.get(NOT_BUILT)
    return None if reason is None else str(reason.value)


def innermost_cause(error: RecordedError) -> str:
    """The message of the error that began a chain of errors."""
    first = innermost_error(error)
    if first.cls_name == dg.DagsterExecutionInterruptedError.__name__:  # terminated, or Ctrl-C
        return "Interrupted. Run the same days again: what was finished is used again."
    # Our own errors are sentences; any other keeps its name, because it is a bug of ours.
    return re.sub(r"^vp_pipeline\.failures\.\w+: ", "", first.message.strip())
