"""`vp run`: the daily pipeline for a day or a range of days, with a report on the terminal."""

import gc
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vp_pipeline.cli.terminal import console, print_failure, quiet_process
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, Recordings, chosen_form, day_option, recorded
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline.sources.source_settings import ConnectorSettings

if TYPE_CHECKING:
    import dagster as dg


def run(
    date_: Annotated[
        date | None,
        day_option("--date", "The UTC day to run, or yesterday, or latest. Default: the newest finished one."),
    ] = None,
    from_: Annotated[date | None, day_option("--from", "First day of a range.")] = None,
    to: Annotated[date | None, day_option("--to", "Last day of a range, included.")] = None,
    recordings: Recordings = None,
    resync: Annotated[
        bool, typer.Option("--resync", help="Request the data again although the day has a finished sync.")
    ] = False,
    full_refresh: Annotated[
        bool,
        typer.Option(
            "--full-refresh",
            help="Build the models as a whole instead of what has changed: all of them, or those of --select. After a "
            "change of code this needs no option.",
        ),
    ] = False,
    waive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            help="Let this run pass a check that has failed: its name (volume) or, of one asset alone, "
            "silver/<source>/price:volume. May be repeated; the run's tags record it.",
        ),
    ] = None,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Only the days whose newest run failed: of the range, or of all that there are."),
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ASSETS",
            help="Only these assets, in dbt's syntax (mart_deals+, tag:price, +fct_price_stats, core_keepa_*) or in "
            'Dagster\'s (key:"mart/mart_deals"+, group:marts). Published if nothing that reads them is left out. May '
            "be repeated. Default for the day: the newest one that is published.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="ASSETS", help="Without these, in the same syntax; alone: all models without them."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be requested of the vendors, and what that costs.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Run the daily pipeline for a day or a range of days; the run shows in the Dagster UI afterwards."""
    from vp_pipeline.cli.report import COLUMNS
    from vp_pipeline.partitions import consecutive

    form = chosen_form(as_json=as_json, as_csv=as_csv)
    if date_ and (from_ or to):
        raise typer.BadParameter("give either --date, or --from and --to")
    if bool(from_) != bool(to):
        raise typer.BadParameter("--from and --to go together")
    settings = load_settings(**recorded(recordings))
    chosen = Chosen(tuple(select or ()), tuple(exclude or ()))
    newest = _newest_published(settings) if chosen.is_some and not failed else None
    days = _requested_days(settings, from_ or date_, to or date_, every_day=failed, newest=newest)
    if failed:
        days = _failed_of(settings, days)
    if dry_run:
        print_rows(
            [Column("day"), Column("stream"), Column("would_request", prose=True)],
            _estimates(settings, days, resync=resync),
            form,
        )
        return
    rows: list[Sequence[object]] | None = None if form == "table" else []
    codes = [
        run_days(settings, part, resync=resync, full_refresh=full_refresh, waive=waive or (), chosen=chosen, rows=rows)
        for part in consecutive(days)
    ]
    if rows is not None:
        print_rows(COLUMNS, rows, form)
    raise typer.Exit(max(codes, default=0))


def _estimates(settings: Settings, days: Sequence[date], *, resync: bool) -> list[tuple[object, ...]]:
    """What each sync of the days would request."""
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.sources.source import airbyte_sources

    environment = build_environment(settings)
    airbyte = environment.build_airbyte(environment.build_lake())
    return [
        (day, f"{source.name}/{stream.name}", airbyte.estimate(source, stream, day, resync=resync))
        for day in days
        for source in airbyte_sources(settings.enabled_sources)
        for stream in source.streams
    ]


@dataclass(frozen=True)
class Chosen:
    """The assets of a run as a person names them: `select` and `exclude` of `vp run`. Nothing named: all of them."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def is_some(self) -> bool:
        return bool(self.select or self.exclude)


EVERYTHING = Chosen()
_BELOW_BRONZE = Chosen(("not (key:airbyte/* or key:bronze/*)",))


def run_from_bronze(settings: Settings, days: Sequence[date], *, tags: Mapping[str, str] | None = None) -> int:
    """Everything below bronze, of days in order: a run per range of consecutive ones. Returns the exit code."""
    from vp_pipeline.partitions import consecutive

    return max(run_days(settings, part, chosen=_BELOW_BRONZE, tags=tags) for part in consecutive(days))


def run_days(
    settings: Settings,
    days: Sequence[date],
    *,
    resync: bool = False,
    full_refresh: bool = False,
    waive: Sequence[str] = (),
    chosen: Chosen = EVERYTHING,
    tags: Mapping[str, str] | None = None,
    rows: list[Sequence[object]] | None = None,
) -> int:
    """One run over consecutive days, reported on the terminal. `tags`: of the run, beside its own. `rows`: gets
    those of the report, which is not printed then. Returns the exit code."""
    gc.disable()  # as in definitions.py
    from vp_pipeline.assets.keys import INTAKES
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs.daily_run import daily_run
    from vp_pipeline.cli.local_runs.holding import holding
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.cli.report import COLUMNS, RunReport
    from vp_pipeline.environments.preflight import require_ready
    from vp_pipeline.partitions import span
    from vp_pipeline.quality.waivers import Waivers

    began = time.monotonic()
    require_ready(settings)
    what = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
    console.print(f"[bold]VeracityPro pipeline[/bold]  {what}  [dim]{settings.data_dir}[/dim]")
    definitions = build_definitions(_with_partitions(settings, days[0]))
    graph = definitions.resolve_asset_graph()
    gc.enable()
    Waivers(frozenset(waive)).require_known(graph.asset_check_keys)
    report = RunReport()
    with project_instance(settings) as instance, holding(settings, "vp run", days):
        _end_killed_runs(settings, instance)
        selection = _selection(settings, definitions, chosen) if chosen.is_some else None
        if resync and selection and not any(key.path[0] in INTAKES for key in selection):
            raise PermanentError("--resync requests data again, and no sync is selected: select key:airbyte/* too.")
        run_id, events = daily_run(
            instance,
            definitions,
            days,
            resync=resync,
            full_refresh=full_refresh,
            tags={**_tags(settings, waive), **(tags or {})},
            selection=selection,
        )
        with quiet_process() as terminal:
            progress = Console(file=terminal, highlight=False, force_terminal=console.is_terminal)
            for line in filter(None, map(report.take, events)):
                progress.print(f"  {line}", soft_wrap=True)
    if rows is None:
        print_rows(COLUMNS[2:], [row[2:] for row in report.rows(what, run_id)])
    else:
        rows += report.rows(span(days), run_id)
    if restated := report.restated_models():
        console.print(restated, soft_wrap=True, markup=False)
    if not report.succeeded:
        hint = f"Run {run_id[:8]}: `dagster dev` shows its log."
        print_failure(console, f"{what} did not go through", report.reasons, hint)
        return 1
    _print_success(what, run_id, time.monotonic() - began)
    return 0


def _with_partitions(settings: Settings, first: date) -> Settings:
    """The settings with which the partitions begin at `first`, where that is before the oldest day of the lake."""
    from vp_pipeline.environments.environment import build_environment

    return settings.model_copy(update={"start_date": min(first, build_environment(settings).first_day())})


def _print_success(what: str, run_id: str, seconds: float) -> None:
    now = datetime.now(UTC)
    console.print(f"[green]✓[/green] {what} in {seconds:.1f} s  [dim]run {run_id[:8]}, {now:%H:%M:%S} UTC[/dim]")


def _selection(settings: Settings, definitions: "dg.Definitions", chosen: Chosen) -> "Set[dg.AssetKey]":
    """The chosen assets; with the publication where their build may be published, and otherwise a line that names what
    is missing."""
    from vp_pipeline.assets.keys import DBT_LAYERS
    from vp_pipeline.cli.local_runs.publication import with_publication
    from vp_pipeline.cli.local_runs.selection import selected_assets
    from vp_pipeline.publishing.publisher import what_is_missing

    assets = definitions.resolve_asset_graph().materializable_asset_keys
    models = definitions.resolve_assets_def(next(key for key in assets if key.path[0] in DBT_LAYERS))
    selected = selected_assets(definitions, models, chosen.select, chosen.exclude)
    selection = with_publication(settings, definitions, models, selected)
    names = sorted(key.path[-1] for key in selection.assets & models.keys)
    listed = ", ".join(names) if len(names) < len(models.keys) else "all of them"
    console.print(f"{len(selection.assets)} assets; models: {listed or 'none'}", style="dim", markup=False)
    if selection.missing:
        console.print(f"Not published afterwards; {what_is_missing(selection.missing)}.", style="yellow", markup=False)
    return selection.assets


def _newest_published(settings: Settings) -> date | None:
    from vp_pipeline.environments.environment import build_environment

    publication = build_environment(settings).build_published_marts().current()
    return publication.days[-1] if publication and publication.days else None


def _requested_days(
    settings: Settings, first: date | None, last: date | None, *, every_day: bool, newest: date | None
) -> Sequence[date]:
    """The days from `first` to `last`; without them the `newest` (default: that has finished), or `every_day` that has
    finished."""
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.partitions import EARLIEST, finished_days, newest_finished_day

    end = last or newest or newest_finished_day()
    begin = first or (build_environment(settings).first_day() if every_day else end)
    return finished_days(begin, end, start=settings.start_date or EARLIEST)


def _failed_of(settings: Settings, days: Sequence[date]) -> Sequence[date]:
    from vp_pipeline.build import build_definitions
    from vp_pipeline.cli.local_runs.daily_run import failed_days
    from vp_pipeline.cli.local_runs.instance import project_instance
    from vp_pipeline.partitions import consecutive, span

    with project_instance(settings) as instance:
        _end_killed_runs(settings, instance)
        found = failed_days(instance, build_definitions(_with_partitions(settings, days[0])), days)
    ranges = [span(part) for part in consecutive(found)]
    listed = ", ".join(ranges) or "none, so there is nothing to run"
    console.print(f"Failed, of {days[0]} to {days[-1]}: {listed}", soft_wrap=True)
    return found


def _end_killed_runs(settings: Settings, instance: "dg.DagsterInstance") -> None:
    from vp_pipeline.automation.killed_runs import end_killed_runs
    from vp_pipeline.dagster_internals.run_execution import location_name
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.settings import PROJECT_ROOT

    lease = build_environment(settings).build_lease()
    for run in end_killed_runs(instance, lease, location_name(PROJECT_ROOT / "workspace.yaml")):
        console.print(f"[yellow]Run {run.run_id[:8]} was left by a process that is gone; it is closed now.[/yellow]")


def _tags(settings: Settings, waive: Sequence[str]) -> dict[str, str]:
    from vp_pipeline.quality.waivers import TAG

    connectors = (own for own in settings.sources.values() if isinstance(own, ConnectorSettings))
    folders = [own.recordings.name for own in connectors if own.recordings]
    tags = {"vp/recordings": ", ".join(folders)} if folders else {}
    return {**tags, TAG: ",".join(waive)} if waive else tags
