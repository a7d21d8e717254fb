"""`vp maintain`: what is old and no longer needed, listed or deleted."""

from typing import Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, chosen_form
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.settings import load_settings

_COLUMNS = tuple(map(Column, ("kind", "name", "why", "bytes")))


def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run/--remove", help="Only list, or delete what is listed.")] = True,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List what is old and no longer needed (runs, objects, messages, half-written files), or delete it.

    VP_KEEP_…_DAYS are the ages.
    """
    from vp_pipeline.automation.retention import build_retention
    from vp_pipeline.cli.local_runs.holding import holding
    from vp_pipeline.cli.local_runs.instance import project_instance

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    settings = load_settings()
    retention = build_retention(settings)
    with project_instance(settings) as instance:
        if dry_run:
            found = retention.removable(instance)
        else:
            with holding(settings, "vp maintain"):
                found = retention.remove(instance, lambda _: None)
    if form != "table":
        print_rows(_COLUMNS, [(item.kind, item.name, item.why, item.size) for item in found], form)
        return
    for item in found:
        console.print(f"{item.kind:8} {item.name}  ({item.why})", soft_wrap=True, markup=False)
    size = sum(item.size for item in found)
    done = "eligible for deletion; nothing was deleted (`--remove` does)" if dry_run else "deleted"
    console.print(f"{len(found)} items, {size:,} bytes: {done}.", soft_wrap=True)
