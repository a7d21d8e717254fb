"""`vp published`: what consumers read, and going back to what they read before."""

from typing import Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, Command, Group, chosen_form
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.settings import load_settings

app = typer.Typer(cls=Group, help="The published marts: list, rollback.", no_args_is_help=True)


_COLUMNS = (
    Column("build"),
    Column("published_at", "published (UTC)"),
    Column("run", show=lambda run_id: str(run_id)[:8]),
    Column("days"),
    Column("newest_day", "newest"),
    Column("tables"),
    Column("rows"),
    Column("note", "", prose=True),
)


@app.command("list", cls=Command)
def list_(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """What consumers read now, and what it can be rolled back to."""
    from vp_pipeline.environments.environment import build_environment

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    publisher = build_environment(load_settings()).build_publisher()
    kept = publisher.kept()
    if not kept and form == "table":
        console.print(
            f"Nothing is published yet ({publisher.marts.address}). `vp run` publishes when every check is green."
        )
        return
    current, rolled_back = publisher.marts.current(), publisher.rolled_back_from()
    rows = [
        (
            each.build_id,
            each.published_at,
            each.run_id,
            len(each.days),
            each.days[-1] if each.days else None,
            len(each.rows),
            sum(each.rows.values()),
            _note(each.build_id, current.build_id if current else None, rolled_back),
        )
        for each in kept
    ]
    print_rows(_COLUMNS, rows, form)


def _note(build: str, current: str | None, rolled_back: str | None) -> str:
    return {current: "consumers read this", rolled_back: "rolled back"}.get(build, "")


@app.command(cls=Command)
def rollback(
    to: Annotated[
        str | None,
        typer.Option(
            metavar="BUILD",
            help="A build of `vp published list`, older or newer; its beginning will do. Default: the one that the "
            "current one replaced.",
        ),
    ] = None,
) -> None:
    """Make consumers read another kept publication, in one step. The next green build replaces it."""
    from vp_pipeline.assets.published import rolled_back
    from vp_pipeline.cli.local_runs.holding import holding
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.environments.environment import build_environment

    settings = load_settings()
    publisher = build_environment(settings).build_publisher()
    with project_instance(settings) as instance, holding(settings, "vp published rollback"):
        now = publisher.roll_back(to)
        instance.report_runless_asset_event(rolled_back(now, publisher.rolled_back_from()))
    kept_back = publisher.rolled_back_from()
    console.print(
        f"Consumers read build {now.build_id} again, of {now.published_at:%Y-%m-%d %H:%M} UTC. The next green build "
        f"replaces it{f'; {kept_back}, which was rolled back, is not published again' if kept_back else ''}."
    )
