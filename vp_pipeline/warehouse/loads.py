"""What each day in RAW was loaded from.

Here: the queries of one table; the SQL is what DuckDB and Snowflake both take. Not here: creating it (`migrations.py`),
loading (`loading.py`), and which days the models include (`ledger.py`).

    raw._loads    a table and day in RAW: the checksum of its content, its rows, and the fingerprint of the code that
                  decoded it (`SilverManifest`); null: not known, or to be loaded again whatever it was
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vp_pipeline.lake.manifests import SilverManifest
from vp_pipeline.lake.objects import checksum
from vp_pipeline.sources.contract import Table
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection, transaction

Contents = Mapping[tuple[str, date], str]  # of (table, day): the checksum of its rows


@dataclass(frozen=True)
class Loaded:
    """What a table's day was loaded from: the manifest's content, and the code that decoded it."""

    content: str
    decoder: str | None


def loaded(connection: Connection, table: Table, day: date) -> Loaded | None:
    """The record of a table's day; None: it was never loaded."""
    found = connection.execute(
        "select content, decoder from raw._loads where table_name = ? and run_date = cast(? as date)",
        [table.raw_name, day.isoformat()],
    ).fetchone()
    return Loaded(*found) if found else None


def record(connection: Connection, table: Table, manifest: SilverManifest) -> None:
    """Replaces the record of a table's day. To be called in the transaction of the load."""
    of_day = [table.raw_name, manifest.run_date.isoformat()]
    connection.execute("delete from raw._loads where table_name = ? and run_date = cast(? as date)", of_day)
    connection.execute(
        'insert into raw._loads (table_name, run_date, content, "rows", decoder) select ?, cast(? as date), ?, ?, ?',
        [*of_day, manifest.content, manifest.rows, manifest.decoder],
    )


def loaded_days(connection: Connection, table: Table) -> set[date]:
    """The days of a table that were loaded."""
    found = connection.execute("select distinct run_date from raw._loads where table_name = ?", [table.raw_name])
    return {day for (day,) in found.fetchall()}


def contents(connection: Connection, tables: Sequence[Table]) -> Contents:
    """The checksum of the rows of each (table, day) that was loaded."""
    found = connection.execute(
        f"select table_name, run_date, content from raw._loads where {_among(tables)}",
        [table.raw_name for table in tables],
    )
    return {(name, day): content for name, day, content in found.fetchall()}


def checksum_of(loaded: Contents) -> str:
    """One checksum of what was loaded."""
    lines = (f"{name} {day} {content}\n" for (name, day), content in sorted(loaded.items()))
    return checksum("".join(lines).encode())


def outdated_days(connection: Connection, tables: Sequence[Table], decoder: str) -> list[date]:
    """The days of a stream's tables, in order, that were loaded from silver of other code than `decoder`."""
    found = connection.execute(
        f"select distinct run_date from raw._loads where {_among(tables)} and coalesce(decoder, '') <> ? order by 1",
        [*(table.raw_name for table in tables), decoder],
    ).fetchall()
    return [day for (day,) in found]


def give_up(connection: Connection, tables: Sequence[Table], days: Iterable[date]) -> None:
    """The present code could not replace the rows of these days: the next build checks the days, and the next load
    tries again, whichever code is there then."""
    with transaction(connection):
        for day in days:
            connection.execute(
                f"update raw._loads set decoder = null where {_among(tables)} and run_date = cast(? as date)",
                [*(table.raw_name for table in tables), day.isoformat()],
            )
            for unit in sorted({(table.source, table.stream) for table in tables}):
                ledger.recheck_included(connection, unit, day)


def _among(tables: Sequence[Table]) -> str:
    return f"table_name in ({', '.join('?' for _ in tables)})"
