"""Another dbt, as a program (VP_DBT_EXECUTABLE): of its own virtual environment, of a container, of another version.

Here: a command of it, with the parts that one in this process has (`in_process.py`), so that everything above is the
same. Not here: which commands (`invocation.py`). Nothing of dbt's Python is used: arguments go in, structured events
come out as lines of JSON, and `run_results.json` is what dbt has written.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError

_PATIENCE_SECONDS = 60  # for what an interrupted dbt does before it ends
_LINES_KEPT = 20
_ENDED_WITH_RESULTS = (0, 1)  # dbt's exit codes: all succeeded, or some did not
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def parse(executable: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Runs `dbt parse`; its last lines where it failed.

    Raises:
        PermanentError: there is no such program.
    """
    process = _started(executable, ["--no-use-colors", "--quiet", "parse", *arguments], environment)
    printed = process.communicate()[0].strip()
    return None if process.returncode == 0 else "\n".join(printed.splitlines()[-_LINES_KEPT:]) or "dbt gives no reason"


class DbtProcess:
    """A dbt command in a process of its own; it starts at once. See `DbtThread`."""

    def __init__(
        self, executable: Path, args: Sequence[str], target: Path, project: Path, environment: Mapping[str, str]
    ) -> None:
        self.args = list(args)
        folders = ["--target-path", os.fspath(target), "--log-path", os.fspath(target)]
        events = ["--log-format", "json", "--log-level", "info", "--log-level-file", "none", "--no-use-colors"]
        parsed = ["--partial-parse-file-path", os.fspath(project)]
        self._process = _started(executable, [*events, *parsed, *self.args, *folders], environment)
        self._other: deque[str] = deque(maxlen=_LINES_KEPT)
        self._all_read = False

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def events(self) -> Iterator[dict[str, Any]]:
        """dbt's structured events of level info and above as they happen, each once."""
        assert self._process.stdout is not None
        for line in () if self._all_read else self._process.stdout:
            event = _event(line)
            if event is None:
                self._other.append(line.rstrip())
            else:
                yield event
        if not self._all_read and self.wait() not in _ENDED_WITH_RESULTS:
            yield _as_event("\n".join(self._other) or f"dbt ended with the exit code {self.returncode}.")
        self._all_read = True

    def wait(self) -> int:
        """Waits for the end: 0 where everything succeeded."""
        if self._process.stdout is not None and not self._all_read:
            for line in self._process.stdout:  # a full pipe would hold it up
                if _event(line) is None:
                    self._other.append(line.rstrip())
        return self._process.wait()

    def cancel(self) -> None:
        """Interrupts it, as Ctrl-C does: it cancels its statements. Waits until it has ended."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def _started(executable: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """The credentials are in the environment of that process alone."""
    try:
        return subprocess.Popen(
            [os.fspath(executable), *arguments],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=_end_with_this_process,  # it makes one call of the kernel and takes no lock
        )
    except OSError as error:
        raise PermanentError(
            f"VP_DBT_EXECUTABLE is {executable}, which cannot be run: {error.strerror or error}. Correct it, or remove "
            "it: then dbt runs in this process."
        ) from None


def _end_with_this_process() -> None:
    """A killed run leaves no dbt behind that is still writing (on Linux)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "info" in event else None


def _as_event(message: str) -> dict[str, Any]:
    return {"info": {"name": "UnhandledError", "level": "error", "msg": message}, "data": {}}
