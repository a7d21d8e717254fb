"""The errors of Snowflake's connector, as ours.

Here: which failures are transient. Not here: sessions and statements (`snowflake.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from vp_pipeline.failures import PermanentError, PipelineError, TransientError

# Sign-in: a wrong user, password, key, role or a network policy.
_SIGN_IN = frozenset({390100, 390101, 390102, 390144, 390186, 390189, 390195, 390201, 390422, 394300, 394304})
# Named in place of a statement while there is no session.
CONNECT = "connect"
# HTTP 400, 403 and 404 of the address that an account name makes.
_NO_SUCH_ACCOUNT = frozenset({290400, 290403, 290404})
# A session that expired, a transaction that another one aborted, a statement that was cancelled or ran out of time.
_TRANSIENT = frozenset({390110, 390111, 390112, 390114, 390115, 604, 625, 630, 250001, 250002, 250003, 251012, 253003})
_STATEMENT = 120


@contextmanager
def pipeline_errors(statement: str) -> Iterator[None]:
    """Raises the connector's errors as ours; `statement` is named in the message.

    Raises:
        TransientError: the connection was lost, the session expired, or Snowflake does not respond.
        PermanentError: Snowflake rejects it.
    """
    from snowflake.connector import errors

    try:
        yield
    except errors.Error as error:
        raise _failure(statement, error) from None


def _failure(statement: str, error: Exception) -> PipelineError:
    from snowflake.connector import errors

    number = int(getattr(error, "errno", None) or 0)
    text = " ".join(str(getattr(error, "msg", None) or error).split())
    what = " ".join(statement.split())
    what = what if len(what) <= _STATEMENT else what[: _STATEMENT - 1] + "…"
    message = f"Snowflake reports {number or type(error).__name__} for `{what}`: {text}"
    if number in _SIGN_IN:
        return PermanentError(f"{message} Correct VP_SNOWFLAKE_USER, its key or password, and VP_SNOWFLAKE_ROLE.")
    if statement == CONNECT and (isinstance(error, errors.ForbiddenError) or number in _NO_SUCH_ACCOUNT):
        return PermanentError(f"{message} Correct VP_SNOWFLAKE_ACCOUNT (and VP_SNOWFLAKE_HOST, where it is set).")
    lost = not isinstance(error, errors.ProgrammingError | errors.IntegrityError | errors.DataError)
    if number in _TRANSIENT or lost:
        return TransientError(f"{message} What was not committed is rolled back. Run it again later.")
    return PermanentError(f"{message} What was not committed is rolled back.")
