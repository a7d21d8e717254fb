"""`vp published`: what consumers read, and going back to what they read before."""

import typer
from rich.table import Table

from vp_pipeline.cli.terminal import console
from vp_pipeline.settings import load_settings

app = typer.Typer(help="The published marts: list, rollback.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """What consumers read now, and what it can be rolled back to."""
    from vp_pipeline.environments.environment import build_environment

    publisher = build_environment(load_settings()).build_publisher()
    kept = publisher.kept()
    if not kept:
        console.print(
            f"Nothing is published yet ({publisher.marts.address}). `vp run` publishes when every check is green."
        )
        return
    table = Table(header_style="bold")
    for name in ("build", "published (UTC)", "run", "days", "tables", "rows", ""):
        table.add_column(name)
    rolled_back = publisher.rolled_back_from()
    for number, each in enumerate(kept):
        read = f"consumers read this; {rolled_back} was rolled back" if rolled_back else "consumers read this"
        table.add_row(
            each.build_id,
            f"{each.published_at:%Y-%m-%d %H:%M:%S}",
            each.run_id[:8],
            f"{len(each.days)}, to {each.days[-1]}",
            f"{len(each.rows)}",
            f"{sum(each.rows.values()):,}",
            "" if number else read,
        )
    console.print(table)


@app.command()
def rollback() -> None:
    """Make consumers read again what they read before, in one step. The next green build replaces it."""
    from vp_pipeline.assets.published import rolled_back
    from vp_pipeline.cli.local_runs.holding import holding
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.environments.environment import build_environment

    settings = load_settings()
    publisher = build_environment(settings).build_publisher()
    with project_instance() as instance, holding(settings, "vp published rollback"):
        now = publisher.roll_back()
        instance.report_runless_asset_event(rolled_back(now, publisher.rolled_back_from()))
    console.print(
        f"Consumers read build {now.build_id} again, of {now.published_at:%Y-%m-%d %H:%M} UTC. The next green build "
        "replaces it; the one that was rolled back is not published again."
    )
