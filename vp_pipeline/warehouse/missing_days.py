"""Which days of a stream RAW does not hold as silver has them: of a warehouse that was deleted or restored from a
backup.

Here: finding them, and the record that there are none, which spares every run the search. Not here: loading them
(`assets/raw.py`), and what the other places hold (`assets/inventory.py`).

The record (`layout.LOADED`) is a checksum of what RAW held when it was last as silver is. Where RAW holds what the
record names, only days without any load are looked for. A warehouse that holds anything else is not the one that was
written last: then every manifest of silver is compared.
"""

from collections.abc import Iterable
from datetime import date

from vp_pipeline.documents import LOG
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.lake import layout, silver
from vp_pipeline.lake.manifests import LoadedDays, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse import loads
from vp_pipeline.warehouse.connection import Connection


def record_path(stream: Stream) -> str:
    return layout.LOADED.path(source=stream.source, stream=stream.name)


def days_in_silver(lake: Lake, stream: Stream) -> set[date]:
    """The days that silver holds with all tables of the stream."""
    return set.intersection(*(set(silver.days(lake, table)) for table in stream.tables))


def missing_days(connection: Connection, lake: Lake, stream: Stream, days: Iterable[date]) -> set[date]:
    """Those of `days`, which are in silver, of which RAW does not hold the rows."""
    loaded = loads.contents(connection, stream.tables)
    if _recorded(lake, stream) == loads.checksum_of(loaded):
        return {day for day in days if any((table.raw_name, day) not in loaded for table in stream.tables)}
    return {day for day in days if any(_differs(lake, table, day, loaded) for table in stream.tables)}


def record_loaded(connection: Connection, lake: Lake, stream: Stream) -> None:
    """Records what RAW holds of the stream now. To be called once every missing day was loaded, or tried."""
    found = loads.checksum_of(loads.contents(connection, stream.tables))
    if _recorded(lake, stream) != found:
        lake.write(record_path(stream), LoadedDays(contents=found).to_bytes())


def _differs(lake: Lake, table: Table, day: date, loaded: loads.Contents) -> bool:
    try:
        return silver.read_manifest(lake, table, day).content != loaded.get((table.raw_name, day))
    except PermanentError:
        return True  # loading it reports what is wrong with the manifest


def _recorded(lake: Lake, stream: Stream) -> str | None:
    try:
        found = read_document(lake, record_path(stream), LoadedDays)
    except DamagedDataError as error:
        LOG.warning("%s The comparison writes it anew.", error)
        return None
    return found.contents if found else None
