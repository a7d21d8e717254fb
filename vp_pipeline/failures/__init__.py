"""What can go wrong, as types.

Here: the exceptions that the plain functions raise. Not here: how Dagster treats them (`assets/days/flow.py`).

Every message names what happened, where (stream, run_date, object), and what to do next.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass


class PipelineError(Exception):
    """A failure with a message written for a person."""


class PermanentError(PipelineError):
    """A retry gives the same result: a bad setting, a rejected request, a damaged object."""


class TransientError(PipelineError):
    """A retry may help: a server that is busy, a lock that is held, a connection that dropped."""


class DamagedDataError(PermanentError):
    """Something on the lake or in a response differs from its manifest or contract."""


@dataclass(frozen=True)
class Problem:
    """What would stop a run. `remedy`: a shell command as it is typed; what only a person knows is in `<…>`."""

    text: str
    remedy: str


class StartError(PermanentError):
    """Nothing can begin: the settings, or what they name, cannot be used. `problems`: each as a sentence."""

    def __init__(self, problems: Sequence[str], ending: str = "") -> None:
        super().__init__(listed(problems) + ending)
        self.problems = tuple(problems)


def listed(problems: Sequence[str]) -> str:
    """Sentences as one message: one by itself, several as a list."""
    return problems[0] if len(problems) == 1 else "\n".join(f"- {problem}" for problem in problems)


def file_failure(error: OSError) -> PermanentError | None:
    """What the operating system refused, as a message: which file, why, and what to do; None: it is about no file (a
    connection, a process)."""
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None and error.filename is None:
        return None
    where = f"The file {error.filename}" if error.filename is not None else "A file"
    return PermanentError(
        f"{where} cannot be read or written: {error.strerror or error}. "
        f"{remedy or 'Correct that'}, then run the same again: nothing is left half-written."
    )


_NO_SPACE = "Make room on the disk, or raise its limit"
_NOT_PERMITTED = "Correct its permissions, or set VP_DATA_DIR to a folder that this user may write"
_OTHER_KIND = "There is a folder where a file belongs, or a file where a folder does: move it away"
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _NOT_PERMITTED),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY), _OTHER_KIND),
}
