"""The terminal: what every command prints on, and how a failure looks.

Here: nothing that imports Dagster, so that `vp --help` and a mistyped option respond at once.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

console = Console(highlight=False)
# The terminal, while the process is quiet.
_TERMINALS: list[TextIO] = []


def print_failure(console: Console, title: str, reasons: list[str], hint: str | None = None) -> None:
    """Why a command failed, in one block."""
    texts = [Text(reason) for reason in dict.fromkeys(reasons)] or [Text("The run ended without a reason.")]
    if hint:
        texts.append(Text(hint, style="dim"))
    console.print(Panel(Group(*texts), title=title, title_align="left", border_style="red"))


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
