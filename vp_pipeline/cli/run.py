"""`vp run`: the daily pipeline for a day or a range of days, with a report on the terminal."""

import gc
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vp_pipeline.cli.terminal import console, print_failure, quiet_process
from vp_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    import dagster as dg


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
        typer.Option(metavar="DIR", help="Sync from this folder of recorded Keepa responses."),
    ] = None,
    resync: Annotated[
        bool, typer.Option("--resync", help="Request the data again although the day has a finished sync.")
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
    from vp_pipeline.partitions import consecutive

    if date_ and (from_ or to):
        raise typer.BadParameter("give either --date, or --from and --to")
    if bool(from_) != bool(to):
        raise typer.BadParameter("--from and --to go together")
    if recordings and not recordings.is_dir():
        raise typer.BadParameter(f"{recordings} is not a folder", param_hint="--recordings")
    settings = load_settings(recordings=recordings.resolve() if recordings else None)
    days = _requested_days(settings, from_ or date_, to or date_, every_day=failed)
    if failed:
        days = _failed_of(settings, days)
    codes = [run_days(settings, part, resync=resync, waive=waive or ()) for part in consecutive(days)]
    raise typer.Exit(max(codes, default=0))


def run_days(
    settings: Settings,
    days: Sequence[date],
    *,
    resync: bool = False,
    waive: Sequence[str] = (),
    from_bronze: bool = False,
    tags: Mapping[str, str] | None = None,
) -> int:
    """One run over consecutive days, reported on the terminal; `from_bronze`: without the syncs and their landing;
    `tags`: of the run, beside its own. Returns the exit code."""
    gc.disable()  # as in definitions.py
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs.daily_run import daily_run
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.cli.report import RunReport
    from vp_pipeline.quality.waivers import Waivers

    began = time.monotonic()
    what = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
    console.print(f"[bold]VeracityPro pipeline[/bold]  {what}  [dim]{settings.data_dir}[/dim]")
    definitions = build_definitions(settings)
    graph = definitions.resolve_asset_graph()
    gc.enable()
    Waivers(frozenset(waive)).require_known(graph.asset_check_keys)
    below_bronze = {key for key in graph.materializable_asset_keys if key.path[0] not in ("airbyte", "bronze")}
    selection = below_bronze if from_bronze else None
    report = RunReport()
    with project_instance() as instance:
        _close_orphans(instance)
        all_tags = {**_tags(settings, waive), **(tags or {})}
        run_id, events = daily_run(instance, definitions, days, resync=resync, tags=all_tags, selection=selection)
        with quiet_process() as terminal:
            progress = Console(file=terminal, highlight=False, force_terminal=console.is_terminal)
            for line in filter(None, map(report.take, events)):
                progress.print(f"  {line}", soft_wrap=True)
    console.print(report.table())
    if restated := report.restated_models():
        console.print(restated, soft_wrap=True, markup=False)
    if not report.succeeded:
        hint = f"Run {run_id[:8]}: `dagster dev` shows its log."
        print_failure(console, f"{what} did not go through", report.reasons, hint)
        return 1
    seconds, finished = time.monotonic() - began, datetime.now(UTC)
    console.print(f"[green]✓[/green] {what} in {seconds:.1f} s  [dim]run {run_id[:8]}, {finished:%H:%M:%S} UTC[/dim]")
    return 0


def _requested_days(
    settings: Settings, first: datetime | None, last: datetime | None, *, every_day: bool
) -> Sequence[date]:
    """The days from `first` to `last`; without them the newest finished one, or `every_day` that has finished."""
    from vp_pipeline.partitions import finished_days, newest_finished_day

    end = last.date() if last else newest_finished_day()
    begin = first.date() if first else settings.start_date if every_day else end
    return finished_days(begin, end, start=settings.start_date)


def _failed_of(settings: Settings, days: Sequence[date]) -> Sequence[date]:
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs.daily_run import failed_days
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.partitions import consecutive

    with project_instance() as instance:
        _close_orphans(instance)
        found = failed_days(instance, build_definitions(settings), days)
    ranges = [f"{part[0]}" if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in consecutive(found)]
    listed = ", ".join(ranges) or "none, so there is nothing to run"
    console.print(f"Failed, of {days[0]} to {days[-1]}: {listed}", soft_wrap=True)
    return found


def _close_orphans(instance: "dg.DagsterInstance") -> None:
    from vp_pipeline.cli.local_runs.orphans import close_orphans

    for run_id in close_orphans(instance):
        console.print(f"[yellow]Run {run_id[:8]} was left by a process that is gone; it is closed now.[/yellow]")


def _tags(settings: Settings, waive: Sequence[str]) -> dict[str, str]:
    from vp_pipeline.quality.waivers import TAG

    tags = {"vp/recordings": settings.recordings.name} if settings.recordings else {}
    return {**tags, TAG: ",".join(waive)} if waive else tags
