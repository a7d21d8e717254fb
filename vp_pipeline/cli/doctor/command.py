"""`vp doctor`: a line for each thing that was examined, and below what is wrong the command that fixes it."""

import dataclasses
import json
import os
from collections import Counter

import typer
from rich.text import Text

from vp_pipeline.cli.doctor.finding import Finding
from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsJson

_MARKS = {"ok": ("✓", "green"), "off": ("○", "dim"), "wrong": ("✗", "bold red"), "unknown": ("?", "yellow")}


def doctor(as_json: AsJson = False) -> None:
    """Examine this installation, its settings, its data and its services: a line each, and what fixes what is wrong.

    Nothing is changed, and no secret is printed. Exit code 0: nothing is wrong; 1: something is.
    """
    from vp_pipeline.cli.doctor.examination import examine

    found = []
    for finding in examine(os.environ):
        found.append(finding)
        if not as_json:
            _print(finding)
    states: Counter[str] = Counter(finding.state for finding in found)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in found], indent=2))
    else:
        counted = {"ok": "ok", "off": "off", "unknown": "not examined", "wrong": "wrong"}
        console.print(", ".join(f"{states[state]} {text}" for state, text in counted.items() if states[state]))
    raise typer.Exit(1 if states["wrong"] else 0)


def _print(finding: Finding) -> None:
    mark, style = _MARKS[finding.state]
    line = Text(f"{mark} ", style=style) + Text(finding.subject, style="bold") + Text(f"  {finding.text}", style="")
    console.print(line, soft_wrap=True)
    if finding.remedy:
        # By itself on a line, so that it can be copied.
        console.print(Text(f"    {finding.remedy}", style="cyan"), soft_wrap=True)
