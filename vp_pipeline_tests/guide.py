"""The guide `docs/adding-a-source.md` as steps that a test follows: its fenced blocks, in order.

`files`: paths to write, one a line. `registry`: lines to add to the registry. `console`: commands, each with `$ `
before it, and below it what it prints: every line is part of a line of its output, in that order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vp_pipeline.settings import PROJECT_ROOT

GUIDE = PROJECT_ROOT / "docs" / "adding-a-source.md"
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


Step = Files | RegistryLines | Command


def steps() -> Iterator[Step]:
    """What the guide has the reader do, in order. A block of another kind fails."""
    for kind, content in _BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        lines = tuple(content.splitlines())
        if kind == "files":
            yield Files(lines)
        elif kind == "registry":
            yield RegistryLines(lines)
        else:
            assert kind == "console", kind
            yield from _commands(lines)


def _commands(lines: tuple[str, ...]) -> Iterator[Command]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Command(lines[start].removeprefix("$ "), tuple(line.strip() for line in lines[start + 1 : end]))


def missing_line(expected: tuple[str, ...], printed: str) -> str | None:
    """The first expected line that the output does not have after the ones before it; None: it has all of them."""
    left = iter(printed.splitlines())
    return next((line for line in expected if not any(line in found for found in left)), None)
