"""Days that are not in RAW: no model is built on them.

Here: which of a run's days a stream was never loaded for, and what is reported of them. A day is built when each source
has its rows of that day, or a recorded reason for having none: a day that is excluded has one.
"""

from collections.abc import Mapping
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports, refused
from vp_pipeline.assets.dbt.upstream import Upstream, raw_tables
from vp_pipeline.assets.keys import raw_key
from vp_pipeline.partitions import parse_days
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse import ledger, loads
from vp_pipeline.warehouse.loading import Warehouse


def absent_days(context: dg.AssetExecutionContext, warehouse: Warehouse, upstream: Upstream) -> Mapping[date, str]:
    """The days of the run that have no rows of a stream which the selected models are derived from; each with a message
    that names the asset to materialize."""
    needed = {table for model in context.selected_asset_keys for table in raw_tables(upstream, model)}
    streams = [stream for _, stream in STREAMS if needed & {raw_key(table) for table in stream.tables}]
    with warehouse.connect() as connection:
        # A day is loaded as a whole, so one table stands for all tables of a stream.
        loaded = {(stream.source, stream.name): loads.loaded_days(connection, stream.tables[0]) for stream in streams}
        excluded = ledger.excluded_days(connection)
    found: dict[date, str] = {}
    for day in parse_days(context.partition_keys):
        missing = [stream for stream in streams if day not in loaded[stream.source, stream.name]]
        if missing and day not in excluded:
            found[day] = _message(day, missing)
    return found


def refusals(admitted: Admitted, absent: Mapping[date, str]) -> Reports:
    """The reports on the admitted days that are absent: no check is evaluated, and nothing is materialized."""
    for day in sorted(absent.keys() & admitted.keys()):
        for key in sorted(admitted[day]):
            yield key, day, refused(absent[day])


def _message(day: date, missing: list[Stream]) -> str:
    names = ", ".join(f"{stream.source}/{stream.name}" for stream in missing)
    assets = ", ".join(raw_key(stream.tables[0]).to_user_string() for stream in missing)
    return f"{day} has no rows of {names} in RAW: materialize {assets} (or the whole day: `vp run --date {day}`)."
