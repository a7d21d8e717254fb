"""Files with a JSON document: reading one, with a failure that names it, and writing one as a whole.

Here: files and bytes. Not here: what is in a document (beside the code that writes it), and its versions
(`stored_formats.py`).
"""

import logging
import os
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.failures import DamagedDataError, file_failure

# Warnings of what was found and not read: the terminal and Dagster's logs show them.
LOG = logging.getLogger("vp_pipeline.found")
# In the name of every file that is still being written; what a killed process left has it too (`retention.py`).
PARTIAL = ".partial"
# The end of the name of a file with what was taken out of another one, for a person to look at.
SET_ASIDE = ".set_aside"


def parsed(content: bytes, where: str, remedy: str) -> dict[str, Any]:
    """The JSON object that `content` is. `where`: names it in a message; `remedy`: what to do about it.

    Raises:
        DamagedDataError: it is something else.
    """
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        problem = f"is no JSON (line {error.lineno}, column {error.colno})" if content.strip() else "is empty"
        raise DamagedDataError(f"{where} {problem}. {remedy}") from None
    if not isinstance(found, dict):
        raise DamagedDataError(f"{where} is JSON of another kind: {type(found).__name__}, not an object. {remedy}")
    return found


def read(path: Path, remedy: str) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none. Raises as `parsed` and `read_bytes`."""
    content = read_bytes(path)
    return None if content is None else parsed(content, str(path), remedy)


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none.

    Raises:
        PermanentError: it cannot be read, or is a folder.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_failure(error) or error from None


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file in one step; on disk when this returns.

    Raises:
        PermanentError: it cannot be written; the file is as it was.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise file_failure(error) or error from None


def append(path: Path, lines: bytes) -> None:
    """Adds lines to a file; on disk when this returns.

    Raises:
        PermanentError: it cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise file_failure(error) or error from None


def set_aside(path: Path, lines: bytes, why: str) -> None:
    """Keeps what cannot be used in a file beside `path`, and warns of it."""
    beside = path.with_name(f"{path.name}{SET_ASIDE}")
    append(beside, lines)
    LOG.warning("Set aside: %s %s It is in %s now; nothing else is affected.", path, why, beside)


@lru_cache(maxsize=10_000)
def pass_over(where: str, why: str) -> None:
    """Warns of something foreign that is not read; once per process."""
    LOG.warning("Passed over: %s %s", where, why)
