"""`vp diff`: what a change of code does to what is published, tried on a copy."""

import json
from typing import Annotated

import typer
from rich.console import Console

from vp_pipeline.settings import load_settings


def diff(
    select: Annotated[
        str | None,
        typer.Option(
            metavar="SELECTION",
            help="Models in dbt's syntax (mart_deals, tag:price, path:models/marts), built with everything below them. "
            "Default: the models whose code differs.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; `differs` is whether anything does.")] = False,
) -> None:
    """Build the changed models on a copy, and compare them with what is published: Markdown for a pull request.

    Nothing of the warehouse or the publication is changed, and the copy is removed. The exit code is 0 also when
    something differs.
    """
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.planning import diff_markdown
    from vp_pipeline.planning.diff import code_diff

    def progress(step: str) -> None:
        terminal.print(f"{step} …", style="dim", soft_wrap=True, markup=False)

    terminal = Console(stderr=True, highlight=False)
    settings = load_settings()
    found = code_diff(settings, build_environment(settings).build_diff(progress), select, progress)
    if as_json:
        typer.echo(json.dumps(diff_markdown.as_json(found), indent=2))
    else:
        typer.echo(diff_markdown.as_markdown(found), nl=False)
