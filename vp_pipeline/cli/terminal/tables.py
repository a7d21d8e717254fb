"""Rows as a table for people, or as JSON or CSV for programs.

Here: the forms, and what a narrow terminal gets: no identifier and no number is cut or broken where there is room for
it; where there is not, each row is printed as lines. Not here: which rows (the commands).
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vp_pipeline.cli.terminal import console

Form = Literal["table", "json", "csv"]
Rows = Sequence[Sequence[object]]
# Columns that a cell takes beside its text, and the narrowest column of prose.
_BORDER, _WORD = 3, 12


def text_of(value: Any) -> str:
    """A value as people read it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)


@dataclass(frozen=True)
class Column:
    """`key`: its name in JSON and CSV. `title`: in the table. `show`: a value as text. `prose`: text that may be broken
    between words, unlike names and numbers. `right`: to the right, as numbers are."""

    key: str
    title: str | None = None
    show: Callable[[Any], str | Text] = text_of
    prose: bool = False
    right: bool = False

    @property
    def heading(self) -> str:
        return self.key.replace("_", " ") if self.title is None else self.title


def print_rows(columns: Sequence[Column], rows: Rows, form: Form = "table", out: Console = console) -> None:
    """Prints rows of values, one per column."""
    keys = [column.key for column in columns]
    if form == "json":
        typer.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2, default=_plain))
    elif form == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([keys, *rows])
        typer.echo(text.getvalue(), nl=False)
    else:
        _print_table(columns, rows, out)


def _print_table(columns: Sequence[Column], rows: Rows, out: Console) -> None:
    cells = [[_text(column.show(value)) for column, value in zip(columns, row, strict=True)] for row in rows]
    if sum(_needed(column, [row[n] for row in cells]) for n, column in enumerate(columns)) + 1 > out.width:
        width = max(len(column.heading) for column in columns)
        for row in cells:
            for column, cell in zip(columns, row, strict=True):
                out.print(Text(f"{column.heading.replace(chr(10), ' '):<{width}}  ", style="bold") + cell)
            out.print()
        return
    table = Table(header_style="bold")
    for n, column in enumerate(columns):
        numeric = column.right or (any(row[n] is not None for row in rows) and all(_is_number(row[n]) for row in rows))
        table.add_column(
            column.heading, justify="right" if numeric else "left", no_wrap=not column.prose, overflow="fold"
        )
    for row in cells:
        table.add_row(*row)
    out.print(table)


def _needed(column: Column, cells: Sequence[Text]) -> int:
    """The width that a column needs, with its border."""
    if column.prose:  # which is broken between words only: an identifier may be among them
        return max([_WORD, *(len(word) for cell in cells for word in cell.plain.split())]) + _BORDER
    lines = [line for text in (column.heading, *(cell.plain for cell in cells)) for line in text.split("\n")]
    return max(map(len, lines)) + _BORDER


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _text(shown: str | Text) -> Text:
    return Text(shown) if isinstance(shown, str) else shown


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)
