"""What can go wrong, as types.

Here: the exceptions that the plain functions raise. Not here: how Dagster treats them (`assets/days/flow.py`).

Every message names what happened, where (stream, run_date, object), and what to do next.
"""


class PipelineError(Exception):
    """A failure with a message written for a person."""


class PermanentError(PipelineError):
    """A retry gives the same result: a bad setting, a rejected request, a damaged object."""


class TransientError(PipelineError):
    """A retry may help: a server that is busy, a lock that is held, a connection that dropped."""


class DamagedDataError(PermanentError):
    """Something on the lake or in a response differs from its manifest or contract."""
