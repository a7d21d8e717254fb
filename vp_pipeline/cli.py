"""The command `vp`. `vp --help` lists what it can do."""

import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vp_pipeline.failures import PipelineError
from vp_pipeline.settings import Settings, load_settings

app = typer.Typer(
    help="VeracityPro pipeline: Amazon-marketplace data from Airbyte to trusted marts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
deploy = typer.Typer(help="Make what production needs, from `infra/`.", no_args_is_help=True)
app.add_typer(deploy, name="deploy")
console = Console(highlight=False)


@app.callback()
def _root() -> None:
    """VeracityPro pipeline: Amazon-marketplace data from Airbyte to trusted marts."""


@app.command()
def run(
    date_: Annotated[
        datetime | None,
        typer.Option(
            "--date", formats=["%Y-%m-%d"], metavar="DAY", help="The UTC day to run. Default: the newest finished one."
        ),
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day of a range.")
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Last day of a range, included."),
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Answer from this folder of recorded Keepa answers."),
    ] = None,
    resync: Annotated[
        bool, typer.Option("--resync", help="Ask the API again although a finished sync of the day is there.")
    ] = False,
) -> None:
    """Run the daily pipeline for a day or a range of days; the run shows in the Dagster UI afterwards."""
    from vp_pipeline.partitions import finished_days, newest_finished_day

    if date_ and (from_ or to):
        raise typer.BadParameter("give either --date, or --from and --to")
    if bool(from_) != bool(to):
        raise typer.BadParameter("--from and --to go together")
    if recordings and not recordings.is_dir():
        raise typer.BadParameter(f"{recordings} is not a folder", param_hint="--recordings")
    settings = load_settings(recordings=recordings.resolve() if recordings else None)
    last = (to or date_).date() if (to or date_) else newest_finished_day()  # type: ignore[union-attr]
    days = finished_days(from_.date() if from_ else last, last, start=settings.start_date)
    raise typer.Exit(_run(settings, days, resync=resync))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8099,
    recordings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Answer from this folder of recorded answers. Default: VP_RECORDINGS."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the histories. Default: VP_SANDBOX_SEED.")] = None,
) -> None:
    """Serve the stand-in Keepa API on loopback until Ctrl-C."""
    from vp_pipeline.sandbox.server import Sandbox, catalogue

    settings = load_settings(recordings=recordings.resolve() if recordings else None, sandbox_seed=seed)
    with Sandbox(recordings=settings.recordings, seed=settings.sandbox_seed, port=port) as server:
        products = catalogue(settings.recordings, settings.sandbox_seed)
        domain, asin = products[0].split(":")
        console.print(f"Keepa's stand-in answers at {server.url} ({len(products)} products). Ctrl-C ends it.")
        console.print(f"Try:  curl '{server.url}/product?key=sandbox&domain={domain}&asin={asin}&stats=90'")
        console.print(f"As of the end of a day:  {server.url_as_of(date(2026, 1, 31))}/product?…")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Stopped.")


@deploy.command("snowflake")
def deploy_snowflake(
    aws_role_arn: Annotated[
        str, typer.Option(metavar="ARN", help="The role that Snowflake takes on to read silver (output of infra/aws).")
    ],
    apply_: Annotated[bool, typer.Option("--apply/--dry-run", help="Run the statements, or only show them.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Look whether all is there; make nothing.")] = False,
    role: Annotated[str, typer.Option(help="The role to sign in with.")] = "ACCOUNTADMIN",
) -> None:
    """Make Snowflake's roles, warehouses, schemas, stage and grants, as VP_SNOWFLAKE_USER (an administrator)."""
    import dataclasses

    from vp_pipeline.deploy_snowflake import apply, steps
    from vp_pipeline.resources.production import snowflake_warehouse

    settings = load_settings()
    if settings.lake_url is None:
        raise typer.BadParameter("VP_LAKE_URL is not set: the stage needs it (and VP_ENV=production the rest)")
    planned = steps({"lake": settings.lake_url.removeprefix("s3://"), "aws_role_arn": aws_role_arn}, verify=verify)
    if not apply_ and not verify:
        for step in planned:
            console.print(f"[dim]-- {step.file}[/dim]\n{step.statement};\n", soft_wrap=True, markup=True)
        console.print(f"{len(planned)} statements; nothing was run. --apply runs them.")
        return
    warehouse = dataclasses.replace(snowflake_warehouse(settings), role=role)
    changed = 0
    with warehouse.connect(tag={"run": "deploy"}) as session:
        for done in apply(session, planned):
            changed += done.changed
            mark = "[green]+[/green]" if done.changed else "[dim]=[/dim]"
            first = done.step.statement.splitlines()[0]
            console.print(f"{mark} {done.step.file}  {first}  [dim]{done.said}[/dim]", soft_wrap=True)
    console.print(f"{len(planned)} statements ran; {changed} made something new.")


@deploy.command("airbyte")
def deploy_airbyte(
    aws_role_arn: Annotated[
        str, typer.Option(metavar="ARN", help="The role that writes bronze (output of infra/aws).")
    ],
    region: Annotated[str, typer.Option(help="The bucket's region.")],
    apply_: Annotated[bool, typer.Option("--apply/--dry-run", help="Make them, or only show them.")] = False,
) -> None:
    """Make Airbyte's connector, source, destination and connection, or bring them up to date."""
    from vp_pipeline.deploy_airbyte import apply, document, values
    from vp_pipeline.resources.production import airbyte_client

    settings = load_settings()
    filled = values(settings, aws_role_arn, region)
    if not apply_:
        shown = {**filled, "keepa_api_key": "***", "source": "<source>", "destination": "<destination>"}
        for name in ("source", "destination", "connection"):
            console.print_json(data=document(name, shown))
        console.print("Nothing was sent. --apply makes them, and says the ID for VP_AIRBYTE_CONNECTION_KEEPA.")
        return
    for made in apply(airbyte_client(settings), settings.airbyte_workspace_id or "", filled):
        mark = "[green]+[/green] made" if made.new else "[dim]=[/dim] updated"
        console.print(f"{mark}  {made.kind}  {made.name}  {made.object_id}", soft_wrap=True)
    console.print("Set VP_AIRBYTE_CONNECTION_KEEPA to the connection's ID.")


def _run(settings: Settings, days: list[date], *, resync: bool) -> int:
    from vp_pipeline.build import build_definitions
    from vp_pipeline.local_runs import close_orphans, daily_run, project_instance, quiet_process
    from vp_pipeline.report import RunReport, print_failure

    began = time.monotonic()
    what = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
    console.print(f"[bold]VeracityPro pipeline[/bold]  {what}  [dim]{settings.data_dir}[/dim]")
    report = RunReport()
    definitions = build_definitions(settings)
    with project_instance() as instance:
        for run_id in close_orphans(instance):
            console.print(f"[yellow]Run {run_id[:8]} was left by a process that is gone; it is closed now.[/yellow]")
        run_id, events = daily_run(instance, definitions, days, resync=resync, tags=_tags(settings))
        with quiet_process() as terminal:
            progress = Console(file=terminal, highlight=False, force_terminal=console.is_terminal)
            for event in events:
                line = report.take(event)
                if line:
                    progress.print(f"  {line}", soft_wrap=True)
    console.print(report.table())
    seconds = time.monotonic() - began
    if not report.succeeded:
        hint = f"Run {run_id[:8]}: `dagster dev` shows its log."
        print_failure(console, f"{what} did not go through", report.reasons, hint)
        return 1
    finished = datetime.now(UTC)
    console.print(f"[green]✓[/green] {what} in {seconds:.1f} s  [dim]run {run_id[:8]}, {finished:%H:%M:%S} UTC[/dim]")
    return 0


def _tags(settings: Settings) -> dict[str, str]:
    return {"vp/recordings": settings.recordings.name} if settings.recordings else {}


def main() -> None:
    """The entry point: a mistake that a person can make ends in a sentence, never in a traceback."""
    try:
        app()
    except PipelineError as error:
        from vp_pipeline.report import print_failure

        print_failure(Console(stderr=True, highlight=False), "vp", [str(error)])
        sys.exit(1)
