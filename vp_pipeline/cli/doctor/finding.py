"""What a probe finds.

Here: the value, and remedies as they are typed in a shell. Not here: what is examined (the probes).
"""

from dataclasses import dataclass
from shlex import quote
from typing import Literal

# `off`: not in use, or switched off. `unknown`: it could not be examined, which is neither a pass nor a failure.
State = Literal["ok", "off", "wrong", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One line. `remedy`: of what is wrong, a shell command as it is typed; what only a person knows is in `<…>`."""

    subject: str
    state: State
    text: str
    remedy: str | None = None


def ok(subject: str, text: str) -> Finding:
    return Finding(subject, "ok", text)


def off(subject: str, text: str) -> Finding:
    return Finding(subject, "off", text)


def unknown(subject: str, text: str) -> Finding:
    return Finding(subject, "unknown", text)


def wrong(subject: str, text: str, remedy: str) -> Finding:
    return Finding(subject, "wrong", text, remedy)


def set_variable(variable: str, value: str) -> str:
    """Sets a variable for what the shell starts from now on. `value` is quoted unless it is a `<placeholder>`."""
    return f"export {variable}={value if value.startswith('<') else quote(value)}"
