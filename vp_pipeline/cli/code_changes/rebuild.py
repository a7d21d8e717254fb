"""`vp rebuild silver`: decodes days again from bronze, whatever decoded them before, and builds what is below."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from vp_pipeline.cli.run import run_from_bronze
from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import Command, Group, day_option
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import load_settings

if TYPE_CHECKING:
    from vp_pipeline.lake.objects import Lake
    from vp_pipeline.sources.source import Stream

app = typer.Typer(
    cls=Group, help="Make days again from what the lake holds of them; no API is called.", no_args_is_help=True
)


@app.command(cls=Command)
def silver(
    from_: Annotated[date | None, day_option("--from", "First UTC day. Default: the first there is.")] = None,
    to: Annotated[date | None, day_option("--to", "Last day, included. Default: the last there is.")] = None,
) -> None:
    """Decode days again from bronze with the present decoder and contracts; RAW, the models and the publication follow.

    A changed decoder needs no command: the next run decodes every day again. This one does so whatever decoded them,
    after silver was damaged for example. Only rows that come out different are loaded and built again.
    """
    from vp_pipeline.environments.environment import build_environment
    from vp_pipeline.partitions import EARLIEST, consecutive, span

    settings = load_settings()
    first = max(from_ or date.min, settings.start_date or EARLIEST)
    last = to or date.max
    days = _days_in_bronze(build_environment(settings).build_lake(), settings.streams, first, last)
    if not days:
        raise PermanentError(
            f"Bronze holds no day{_range(from_, to)}, so there is nothing to decode again. `vp run` lands days."
        )
    ranges = [span(part) for part in consecutive(days)]
    count = "1 day is" if len(days) == 1 else f"{len(days)} days are"
    console.print(f"{count} decoded again from bronze: {', '.join(ranges)}", soft_wrap=True)
    raise typer.Exit(run_from_bronze(settings, days))


def _days_in_bronze(lake: "Lake", streams: "Iterable[Stream]", first: date, last: date) -> Sequence[date]:
    from vp_pipeline.lake import bronze

    found = {day for stream in streams for day in bronze.days(lake, stream)}
    return sorted(day for day in found if first <= day <= last)


def _range(first: date | None, last: date | None) -> str:
    since = f" from {first}" if first else ""
    until = f" to {last}" if last else ""
    return f"{since}{until}"
