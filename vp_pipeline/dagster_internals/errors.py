"""Errors as Dagster records them with steps, runs and ticks: each holds the one that caused it.

A failure that the project foresees is a sentence for a person, who has no use for the lines of Dagster that led to it.
Dagster records the stack of whatever is raised, except of an error that another process has reported: that is recorded
as it came.

Private names:

- `SerializableErrorInfo`: the type of a recorded error.
  Guard: `dagster_internals/test_failed_ticks.py::test_failed_ticks_are_listed_with_their_error`
- `DagsterUserCodeProcessError`: the error that another process has reported.
  Guard: `dagster_internals/test_errors.py::test_what_is_foreseen_is_recorded_as_a_sentence`
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

RecordedError = SerializableErrorInfo


class StepFailure(DagsterUserCodeProcessError, dg.Failure):
    """A step has failed, for a reason that is foreseen; it is not tried again."""

    def __init__(self, reason: str) -> None:
        dg.Failure.__init__(self, reason, allow_retries=False)
        self.user_code_process_error_infos = [_recorded(reason, "Failure")]


class StepRetry(DagsterUserCodeProcessError, dg.RetryRequested):
    """A step is to be tried again; after the last time `reason` is why it has failed."""

    def __init__(self, reason: str, max_retries: int, seconds_to_wait: float) -> None:
        dg.RetryRequested.__init__(self, max_retries, seconds_to_wait)
        self.user_code_process_error_infos = [
            RecordedError(f"Trying again: {reason}", [], "RetryRequested", _recorded(reason, "Failure"))
        ]


class _Foreseen(DagsterUserCodeProcessError):
    def __init__(self, error: Exception) -> None:
        Exception.__init__(self, str(error))
        self.user_code_process_error_infos = [_recorded(str(error), type(error).__name__)]


@contextmanager
def recorded_as_sentence(foreseen: type[Exception]) -> Iterator[None]:
    """A failure of this type in the block is recorded without a stack; any other is as it was."""
    try:
        yield
    except foreseen as error:
        raise _Foreseen(error) from error


def innermost_error(error: RecordedError) -> RecordedError:
    """The error that caused all the others."""
    while error.cause:
        error = error.cause
    return error


def _recorded(reason: str, name: str) -> RecordedError:
    return RecordedError(reason, [], name)
