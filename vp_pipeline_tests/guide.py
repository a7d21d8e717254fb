"""A guide in `docs/` as steps that a test follows: its fenced blocks, in order.

`files`: paths to write, one a line. `registry`: lines to add to the registry. `console`: commands, each with `$ `
before it, and below it what it prints: every line is part of a line of its output, in that order. The line
`exit code N` is how it ends, if not with 0. A document of the shell (`<<'END'`) belongs to its command.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_EXIT_CODE = re.compile(r"exit code (\d)")
_DOCUMENT = re.compile(r"<<'(\w+)'$")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Files:
    paths: tuple[str, ...]


@dataclass(frozen=True)
class RegistryLines:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    typed: str
    printed: tuple[str, ...]
    exit_code: int = 0


Step = Files | RegistryLines | Command


def steps(guide: Path) -> Iterator[Step]:
    """What the guide has the reader do, in order. A block of another kind fails."""
    for kind, content in _BLOCK.findall(guide.read_text(encoding="utf-8")):
        lines = tuple(content.splitlines())
        if kind == "files":
            yield Files(lines)
        elif kind == "registry":
            yield RegistryLines(lines)
        else:
            assert kind == "console", kind
            yield from _commands(lines)


def _commands(lines: tuple[str, ...]) -> Iterator[Command]:
    left = list(lines)
    while left:
        assert left[0].startswith("$ "), left[0]
        typed = [left.pop(0).removeprefix("$ ")]
        document = _DOCUMENT.search(typed[0])
        while document and typed[-1] != document[1]:
            typed.append(left.pop(0))
        end = next((number for number, line in enumerate(left) if line.startswith("$ ")), len(left))
        printed = tuple(line.strip() for line in left[:end])
        codes = [int(found[1]) for line in printed if (found := _EXIT_CODE.fullmatch(line))]
        printed = tuple(line for line in printed if not _EXIT_CODE.fullmatch(line))
        yield Command("\n".join(typed), printed, *codes)
        left = left[end:]


def follow(command: Command, root: Path, environment: Mapping[str, str]) -> None:
    """Runs a command as it is typed in `root`, and fails if it does, or if it does not print what the guide has."""
    ran = subprocess.run(
        ["bash", "-c", command.typed], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == command.exit_code, f"{command.typed}\n{ran.stdout}\n{ran.stderr}"
    missing = missing_line(command.printed, ran.stdout)
    assert missing is None, f"{command.typed} does not print {missing!r} there, as the guide says:\n{ran.stdout}"


def missing_line(expected: tuple[str, ...], printed: str) -> str | None:
    """The first expected line that the output does not have after the ones before it; None: it has all of them."""
    left = iter(printed.splitlines())
    return next((line for line in expected if not any(line in found for found in left)), None)
