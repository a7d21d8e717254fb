"""What a publication would take away from consumers: days and keys that the current one has.

Here: the comparison. Not here: what follows from it (`publisher.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vp_pipeline.failures import PermanentError, remedies
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.connection import Connection, table_exists
from vp_pipeline.warehouse.excluded_answers import excluded_entities
from vp_pipeline.warehouse.ledger import Build

_NAMED = 5


class LossError(PermanentError):
    """A publication would take away what consumers have, and no exclusion explains it."""


@dataclass(frozen=True)
class Losses:
    """What the current publication has and the build has not. `keys`: by table."""

    days: tuple[date, ...]
    keys: Mapping[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.days or self.keys)

    @property
    def text(self) -> str:
        """A sentence that names them."""
        days = [f"the day{'s' if len(self.days) > 1 else ''} {_listed(list(map(str, self.days)))}"] if self.days else []
        keys = [f"{len(found)} of {table} ({_listed(list(found))})" for table, found in self.keys.items()]
        return f"Consumers have {' and '.join([*days, *keys])}, and the last build of the marts has not."

    @property
    def remedy(self) -> str:
        """What a person can do about it, before the day is run again."""
        if not self.days:
            return "Find out why: RAW's rows of them, or a model that leaves them out."
        return f"Load them again: {remedies.run(*self.days)}, which requests nothing that the lake still has."


def losses(
    connection: Connection, build: Build, marts: PublishedMarts, current: Publication, streams: Sequence[Stream]
) -> Losses:
    """What publishing the build would take away, of the streams that the marts are derived from. Days that the ledger
    excludes are none of it, nor are the keys of entities whose answers are all excluded; and no key is while one of the
    published days is excluded, because the keys that it alone had go with it."""
    units = {stream.unit for stream in streams}
    left_out = ledger.excluded(connection).keys()
    before = {each for each in ledger.stream_days_of(connection, current.build_id) if each.unit in units}
    gone = {each.day for each in before - {*build.stream_days} - left_out}
    excluded = {each.day for each in left_out} & set(current.days)
    if not before:  # an earlier version did not record the days of each stream
        gone = set(current.days) - set(build.days) - excluded
    keys = {} if excluded else _keys(connection, marts, current, streams)
    return Losses(tuple(sorted(gone)), keys)


def _keys(
    connection: Connection, marts: PublishedMarts, current: Publication, streams: Sequence[Stream]
) -> dict[str, tuple[str, ...]]:
    found = {}
    explained = {key for stream in streams if stream.entity for key in excluded_entities(connection, stream)}
    for table, columns in (item for stream in streams for item in stream.lasting.items()):
        schema, _, name = table.partition(".")
        if table in current.rows and table_exists(connection, schema, name):
            _, published = marts.read(name)
            built = connection.execute(f"select {', '.join(columns)} from {table}").fetchall()
            before = zip(*(published.column(column).to_pylist() for column in columns), strict=True)
            lost = sorted(set(map(_key, before)) - set(map(_key, built)) - explained)
            if lost:
                found[table] = tuple(lost)
    return found


def _key(values: Iterable[object]) -> str:
    return "-".join(map(str, values))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
