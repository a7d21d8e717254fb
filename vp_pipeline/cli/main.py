"""The command `vp`. `vp --help` lists what it can do."""

import gc
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vp_pipeline.cli import published, quarantine
from vp_pipeline.failures import PipelineError
from vp_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

app = typer.Typer(
    help="VeracityPro pipeline: Amazon-marketplace data from Airbyte to trusted marts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
deploy = typer.Typer(help="Make what production needs, from `infra/`.", no_args_is_help=True)
app.add_typer(deploy, name="deploy")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(published.app, name="published")
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
    waive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            help="Let this run pass a check that has failed: its name (volume) or, of one asset alone, "
            "silver/keepa/price:volume. May be repeated; the run's tags record it.",
        ),
    ] = None,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Only the days whose newest run failed: of the range, or of all that there are."),
    ] = False,
) -> None:
    """Run the daily pipeline for a day or a range of days; the run shows in the Dagster UI afterwards."""
    from vp_pipeline.partitions import consecutive, finished_days, newest_finished_day

    if date_ and (from_ or to):
        raise typer.BadParameter("give either --date, or --from and --to")
    if bool(from_) != bool(to):
        raise typer.BadParameter("--from and --to go together")
    if recordings and not recordings.is_dir():
        raise typer.BadParameter(f"{recordings} is not a folder", param_hint="--recordings")
    settings = load_settings(recordings=recordings.resolve() if recordings else None)
    last = (to or date_).date() if (to or date_) else newest_finished_day()  # type: ignore[union-attr]
    first = from_.date() if from_ else settings.start_date if failed and not date_ else last
    days = finished_days(first, last, start=settings.start_date)
    if failed:
        days = _failed_of(settings, days)
    codes = [run_days(settings, part, resync=resync, waive=waive or ()) for part in consecutive(days)]
    raise typer.Exit(max(codes, default=0))


@app.command()
def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="What to ask. Without: list them.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Break down by this, such as product__brand or metric_time__month; may repeat."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="SQL", help="Such as \"{{ Dimension('product__brand') }} = 'Anker'\"; may repeat."),
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Last day, included.")
    ] = None,
    order: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Order by; -NAME for descending.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL instead of asking it.")] = False,
) -> None:
    """Ask the governed metrics (average_price, in_stock_rate, deal_count, ...) of the marts."""
    from vp_pipeline.build import build_warehouse
    from vp_pipeline.cli.report import answer_table, metrics_table
    from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
    from vp_pipeline.publishing.metrics import Metrics, Question

    settings = load_settings()
    governed = Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST), settings.engine)
    if not names:
        console.print(metrics_table(governed))
        return
    days = (from_.date() if from_ else None, to.date() if to else None)
    question = Question(tuple(names), tuple(by or ()), tuple(where or ()), *days, tuple(order or ()), limit)
    if sql:
        console.print(governed.sql(question), soft_wrap=True)
        return
    console.print(answer_table(governed.ask(build_warehouse(settings), question)))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8099,
    recordings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Answer from this folder of recorded answers. Default: VP_RECORDINGS."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the histories. Default: VP_SANDBOX_SEED.")] = None,
) -> None:
    """Serve the stand-ins on loopback until Ctrl-C: Keepa's API, and (one port above) Slack, Power BI and an endpoint
    for exports."""
    from vp_pipeline.sandbox.server import Sandbox, catalogue
    from vp_pipeline.sandbox.services.server import Services

    settings = load_settings(recordings=recordings.resolve() if recordings else None, sandbox_seed=seed)
    with (
        Sandbox(recordings=settings.recordings, seed=settings.sandbox_seed, port=port) as server,
        Services(port + 1 if port else 0) as services,
    ):
        products = catalogue(settings.recordings, settings.sandbox_seed)
        domain, asin = products[0].split(":")
        console.print(f"Keepa's stand-in answers at {server.url} ({len(products)} products). Ctrl-C ends it.")
        console.print(f"Try:  curl '{server.url}/product?key=sandbox&domain={domain}&asin={asin}&stats=90'")
        console.print(f"As of the end of a day:  {server.url_as_of(date(2026, 1, 31))}/product?…")
        console.print(f"\nSlack, Power BI and an export endpoint answer at {services.url}. To deliver to them:")
        for name, value in services.variables().items():
            console.print(f"  export {name}={value}", soft_wrap=True)
        console.print(f"What they were told:  curl {services.url}/_messages")
        fault = '{"service": "slack", "status": 429, "retry_after": 5, "times": 3}'
        console.print(f"Let one fail:  curl -X POST {services.url}/_faults -d '{fault}'", soft_wrap=True, markup=False)
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

    from vp_pipeline.environments.production import snowflake_warehouse
    from vp_pipeline.warehouse.deploy import apply, steps

    signing_in = ("snowflake_account", "snowflake_user") if apply_ or verify else ()
    settings = load_settings(needed=("lake_url", *signing_in))
    lake = str(settings.lake_url).removeprefix("s3://")
    planned = steps({"lake": lake, "aws_role_arn": aws_role_arn}, verify=verify)
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
            console.print(f"{mark} {done.step.file}  {first}  [dim]{done.message}[/dim]", soft_wrap=True)
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
    from vp_pipeline.airbyte.deploy import apply, document, values
    from vp_pipeline.environments.production import airbyte_client

    signing_in = ("airbyte_client_id", "airbyte_client_secret") if apply_ else ()
    settings = load_settings(needed=("lake_url", "airbyte_workspace_id", *signing_in))
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


@app.command()
def maintain(
    dry_run: Annotated[bool, typer.Option("--dry-run/--remove", help="Only list, or remove what is listed.")] = True,
) -> None:
    """List what is old and needed by nothing (runs, objects, messages), or remove it. VP_KEEP_…_DAYS are the ages."""
    from vp_pipeline.automation.definitions import build_retention
    from vp_pipeline.build import build_lake, delivery_boxes
    from vp_pipeline.cli.local_runs import project_instance

    settings = load_settings()
    retention = build_retention(settings, build_lake(settings), delivery_boxes(settings))
    with project_instance() as instance:
        found = retention.removable(instance) if dry_run else retention.remove(instance, lambda _: None)
    for item in found:
        console.print(f"{item.kind:8} {item.name}  ({item.why})", soft_wrap=True, markup=False)
    size = sum(item.size for item in found)
    done = "may go; nothing was removed (`--remove` does)" if dry_run else "removed"
    console.print(f"{len(found)} things, {size:,} bytes on the lake: {done}.", soft_wrap=True)


def run_days(
    settings: Settings,
    days: Sequence[date],
    *,
    resync: bool = False,
    waive: Sequence[str] = (),
    from_bronze: bool = False,
) -> int:
    """One run over consecutive days, told on the terminal; `from_bronze`: of all but the syncs and their landing.
    Returns the exit code."""
    gc.disable()  # as in definitions.py
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs import daily_run, project_instance, quiet_process
    from vp_pipeline.cli.report import RunReport, print_failure
    from vp_pipeline.quality.waivers import Waivers

    began = time.monotonic()
    what = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
    console.print(f"[bold]VeracityPro pipeline[/bold]  {what}  [dim]{settings.data_dir}[/dim]")
    report = RunReport()
    definitions = build_definitions(settings)
    graph = definitions.resolve_asset_graph()
    gc.enable()
    Waivers(frozenset(waive)).require_known(graph.asset_check_keys)
    below_bronze = {key for key in graph.materializable_asset_keys if key.path[0] not in ("airbyte", "bronze")}
    selection = below_bronze if from_bronze else None
    with project_instance() as instance:
        _close_orphans(instance)
        run_id, events = daily_run(
            instance, definitions, days, resync=resync, tags=_tags(settings, waive), selection=selection
        )
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


def _failed_of(settings: Settings, days: Sequence[date]) -> list[date]:
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs import failed_days, project_instance
    from vp_pipeline.partitions import consecutive

    with project_instance() as instance:
        _close_orphans(instance)
        found = failed_days(instance, build_definitions(settings), days)
    stretches = [f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in consecutive(found)]
    told = ", ".join(stretches) or "none, so there is nothing to run"
    console.print(f"Failed, of {days[0]} to {days[-1]}: {told}", soft_wrap=True)
    return found


def _close_orphans(instance: "DagsterInstance") -> None:
    from vp_pipeline.cli.local_runs import close_orphans

    for run_id in close_orphans(instance):
        console.print(f"[yellow]Run {run_id[:8]} was left by a process that is gone; it is closed now.[/yellow]")


def _tags(settings: Settings, waive: Sequence[str]) -> dict[str, str]:
    from vp_pipeline.quality.waivers import TAG

    tags = {"vp/recordings": settings.recordings.name} if settings.recordings else {}
    return {**tags, TAG: ",".join(waive)} if waive else tags


def main() -> None:
    """The entry point: a mistake that a person can make ends in a sentence, never in a traceback."""
    try:
        app()
    except PipelineError as error:
        from vp_pipeline.cli.report import print_failure

        print_failure(Console(stderr=True, highlight=False), "vp", [str(error)])
        sys.exit(1)
