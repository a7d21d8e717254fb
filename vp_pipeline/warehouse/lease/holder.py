"""Who holds the lease: a process, and the run that it executes.

Here: values, and whether a process of this machine is alive. Not here: where they are kept (`file.py`, `row.py`).
"""

import getpass
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_GONE = "gone"
_ENDED = ("Z", "X")  # the kernel's states of a process that has ended and was not waited for


@dataclass(frozen=True)
class Process:
    """A process. Ids are used again, so `started` (in the kernel's ticks since `boot`) belongs to it."""

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def own(cls) -> "Process":
        """This process."""
        return cls(socket.gethostname(), _boot_id(), os.getpid(), _started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> "Process | None":
        """What `str` wrote; None: it was written by another version."""
        parts = text.split(":")
        if len(parts) != 4 or not parts[2].isdigit():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"{self.host}:{self.boot}:{self.pid}:{self.started}"

    @property
    def is_alive(self) -> bool | None:
        """Whether it is running; None: it is of another machine, whose processes cannot be seen from here."""
        if self.host != socket.gethostname():
            return None
        return self.boot == _boot_id() and self.started == _started(self.pid)


@dataclass(frozen=True)
class Holder:
    """A process that holds the lease, or waits for it. `launcher`: what started it, such as `vp run`. `days`: as text.
    `since`: the moment (UTC) at which it took the lease. `run_id` is empty while it has no run yet."""

    launcher: str
    days: str = ""
    run_id: str = ""
    user: str = field(default_factory=lambda: _user())
    process: Process = field(default_factory=Process.own)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def from_json(cls, text: str) -> "Holder | None":
        """What `as_json` wrote; None: it cannot be read."""
        try:
            found: Mapping[str, str] = json.loads(text)
            process = Process.parse(str(found["process"]))
            if process is None:
                return None
            since = datetime.fromisoformat(found["since"])
            return cls(found["launcher"], found["days"], found["run_id"], found["user"], process, since)
        except (ValueError, KeyError, TypeError):
            return None

    def as_json(self) -> str:
        """One document, for people as well."""
        return json.dumps({**asdict(self), "process": str(self.process), "since": self.since.isoformat()}, indent=2)

    def __str__(self) -> str:
        """Such as `vp run of 2026-03-10 (run 1a2b3c4d) by ann on vm1 (process 77), since 2026-03-11 00:10:02 UTC`."""
        of = f" of {self.days}" if self.days else ""
        run = f" (run {self.run_id[:8]})" if self.run_id else ""
        who = f"by {self.user} on {self.process.host} (process {self.process.pid})"
        return f"{self.launcher}{of}{run} {who}, since {self.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        return "unknown"


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; a process that has the same id later has another one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return _GONE if fields[0] in _ENDED else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc").is_dir():
            return _GONE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _GONE
    return "unknown"
