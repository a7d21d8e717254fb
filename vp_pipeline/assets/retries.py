"""The retries of a step: how many, and how long it waits before each.

Here: the step as a whole, after a `TransientError`. Not here: which failures are transient (`failures.py`), and the
retries of single requests (the clients have their own).
"""

import dagster as dg

from vp_pipeline.dagster_internals.errors import StepRetry
from vp_pipeline.failures import TransientError

MAX_RETRIES = 3
# Doubled before each further retry: 2 s, 4 s, 8 s.
FIRST_WAIT_SECONDS = 2.0


def retry(context: dg.AssetExecutionContext | dg.OpExecutionContext, error: TransientError) -> dg.RetryRequested:
    """The request to run the step again; to be raised from `error`, which is logged. After the last one Dagster fails
    the step with `error`."""
    wait = FIRST_WAIT_SECONDS * 2**context.retry_number
    attempt = f"{context.retry_number + 1} of {MAX_RETRIES}"
    context.log.warning("%s Trying again in %.0f s (%s).", error, wait, attempt)
    return StepRetry(str(error), MAX_RETRIES, wait)
