"""Days that are not in RAW: no model is built on them.

Here: which streams a day of the run was never loaded of, and what is reported of them. A model is built on a day that
one of its streams has rows of, or a recorded reason for having none: a day that is excluded has one.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports, refused
from vp_pipeline.assets.days.shared_run import streams_of_run
from vp_pipeline.assets.dbt.upstream import Units
from vp_pipeline.assets.keys import raw_key
from vp_pipeline.partitions import parse_days
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger, loads
from vp_pipeline.warehouse.loading import Warehouse

Absent = Mapping[StreamDay, Stream]


def absent_days(context: dg.AssetExecutionContext, warehouse: Warehouse, streams: Sequence[Stream]) -> Absent:
    """The days of the run that RAW has no rows of, and that are not excluded, stream by stream."""
    with warehouse.connect() as connection:
        # A day is loaded as a whole, so one table stands for all tables of a stream.
        loaded = {stream.unit: loads.loaded_days(connection, stream.tables[0]) for stream in streams}
        excluded = ledger.excluded(connection)
    days = parse_days(context.partition_keys)
    every = {StreamDay(day, *stream.unit): stream for day in days for stream in streams}
    return {
        each: stream for each, stream in every.items() if each.day not in loaded[each.unit] and each not in excluded
    }


def present(admitted: Admitted, units: Units, absent: Container[StreamDay]) -> Admitted:
    """Of the admitted assets those that are derived from a stream of which the day is not `absent`, by day."""
    kept = {
        day: {key for key in keys if any(StreamDay(day, *unit) not in absent for unit in units[key])}
        for day, keys in admitted.items()
    }
    return {day: keys for day, keys in kept.items() if keys}


def refusals(
    context: dg.AssetExecutionContext, admitted: Admitted, there: Admitted, units: Units, absent: Absent
) -> Reports:
    """The reports on the admitted assets that are not `there`: no check is evaluated, and nothing is materialized. Of
    streams that the run does not answer for there are none."""
    asked = {stream.unit for stream in streams_of_run(context, absent.values())}
    for day, keys in admitted.items():
        for key in sorted(keys - there.get(day, set())):
            missing = [stream for each, stream in absent.items() if each.day == day and each.unit in units[key]]
            if any(stream.unit in asked for stream in missing):
                yield key, day, refused(_message(day, missing))


def _message(day: date, missing: Sequence[Stream]) -> str:
    names = ", ".join(f"{stream.source}/{stream.name}" for stream in missing)
    assets = ", ".join(raw_key(stream.tables[0]).to_user_string() for stream in missing)
    return f"{day} has no rows of {names} in RAW: materialize {assets} (or the whole day: `vp run --date {day}`)."
