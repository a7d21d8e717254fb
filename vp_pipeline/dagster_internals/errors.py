"""Errors as Dagster records them with steps, runs and ticks: each holds the one that caused it.

Private names:

- `SerializableErrorInfo`: the type of a recorded error.
  Guard: `dagster_internals/test_failed_ticks.py::test_failed_ticks_are_listed_with_their_error`
"""

from dagster_shared.error import SerializableErrorInfo

RecordedError = SerializableErrorInfo


def innermost_error(error: RecordedError) -> RecordedError:
    """The error that caused all the others."""
    while error.cause:
        error = error.cause
    return error
