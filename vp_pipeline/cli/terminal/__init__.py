"""The terminal: what every command prints on, and how a failure looks.

Here: nothing that imports Dagster, so that `vp --help` and a mistyped option respond at once.
"""

import logging
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.text import Text

console = Console(highlight=False)
_KEPT_SPACE = "\N{NO-BREAK SPACE}"
# The terminal, while the process is quiet.
_TERMINALS: list[TextIO] = []


def print_failure(console: Console, title: str, reasons: list[str], hint: str | None = None) -> None:
    """Why a command failed: no frame around it and no command of it on two lines, so that it can be copied."""
    console.print(Text(f"✗ {title}", style="bold red"), soft_wrap=True)
    for reason in dict.fromkeys(reasons) or ["The run ended without a reason."]:
        console.print(Text(_wrapped(reason, console.width)), soft_wrap=True)
    if hint:
        console.print(Text(_wrapped(hint, console.width), style="dim"), soft_wrap=True)


def _wrapped(text: str, width: int) -> str:
    """Each line of a text, indented, within a width; what is in backticks stays on one line."""
    kept = re.sub(r"`[^`\n]*`", lambda found: found.group().replace(" ", _KEPT_SPACE), text)
    lines = []
    for line in kept.splitlines():
        indent = " " * (2 + len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            line.strip(),
            max(width - 1, 20),
            initial_indent=indent,
            subsequent_indent=indent + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines).replace(_KEPT_SPACE, " ")


def print_warnings() -> None:
    """From now on the warnings of this project's own modules are printed, also while the process is quiet."""
    logging.getLogger("vp_pipeline").addHandler(_Printed(logging.WARNING))


class _Printed(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        out = Console(file=_TERMINALS[-1] if _TERMINALS else sys.stderr, highlight=False)
        out.print(Text(f"! {record.getMessage()}", style="yellow"), soft_wrap=True)


@contextmanager
def quiet_process() -> Iterator[TextIO]:
    """Gives the terminal to the caller alone: what else this process and its children print goes to the run's logs.

    Dagster captures file descriptors 1 and 2 for the compute logs that the UI shows, and echoes them; here the echo
    is discarded.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    discarded = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in (1, 2):
            os.dup2(discarded, descriptor)
        with os.fdopen(os.dup(kept[1 if console.stderr else 0]), "w", encoding="utf-8") as terminal:
            _TERMINALS.append(terminal)
            try:
                yield terminal
            finally:
                _TERMINALS.remove(terminal)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(discarded)
