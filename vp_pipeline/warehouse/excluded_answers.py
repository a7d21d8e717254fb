"""Answers that staging leaves out: the rows of one entity (a product) on one day, which made a test fail.

Here: the queries of their table, and of what RAW has of an entity; the SQL is what DuckDB and Snowflake both take. Not
here: creating it (`migrations.py`), what decides (`assets/dbt/answers.py`), writing it together with the days
(`ledger.py`), and the filter in staging that reads it (`dbt_project/macros/is_included.sql`).

    raw._excluded_answers   a source, stream, entity and run_date whose rows staging leaves out, with the reason. It is
                            empty for a day while that is built again: so an excluded answer is validated again
                            whenever its day is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from vp_pipeline.sources.source import Entity, Stream
from vp_pipeline.sources.stream_days import StreamDay

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection


@dataclass(frozen=True, order=True)
class Answer:
    """What a stream has of one entity on one day. `entity`: its key as text, such as `1-B0D4M48BM2`."""

    source: str
    stream: str
    entity: str
    day: date


def write_excluded(
    connection: "Connection", days: Iterable[StreamDay], excluded: Mapping[Answer, str], run_id: str
) -> None:
    """Makes `excluded` (with the reasons) the excluded answers of these days. To be called in a transaction."""
    for each in days:
        connection.execute(
            "delete from raw._excluded_answers where source = ? and stream = ? and run_date = cast(? as date)",
            [each.source, each.stream, each.day.isoformat()],
        )
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
    for answer, reason in sorted(excluded.items()):
        connection.execute(
            "insert into raw._excluded_answers (source, stream, entity, run_date, reason, run_id, excluded_at) "
            "select ?, ?, ?, cast(? as date), ?, ?, cast(? as timestamp)",
            [answer.source, answer.stream, answer.entity, answer.day.isoformat(), reason, run_id, now],
        )


def excluded_answers(connection: "Connection") -> dict[Answer, str]:
    """The answers that staging leaves out, with the reasons."""
    found = connection.execute(
        "select source, stream, entity, run_date, reason from raw._excluded_answers order by 1, 2, 3, 4"
    ).fetchall()
    return {Answer(source, stream, entity, day): reason for source, stream, entity, day, reason in found}


def excluded_entities(connection: "Connection", stream: Stream) -> set[str]:
    """The entities of which staging includes no answer, and excludes at least one."""
    assert stream.entity
    text, first = entity_text(stream.entity), f"raw.{stream.tables[0].raw_name}"
    if not any((each.source, each.stream) == stream.unit for each in excluded_answers(connection)):
        return set()
    found = connection.execute(
        "select distinct excluded.entity from raw._excluded_answers as excluded "
        f"where excluded.source = ? and excluded.stream = ? and excluded.entity not in (select {text} from {first} "
        "where _run_date not in (select run_date from raw._days where source = ? and stream = ? and not is_included) "
        "and not exists (select 1 from raw._excluded_answers as other where other.source = ? and other.stream = ? "
        f"and other.entity = {text} and other.run_date = _run_date))",
        [stream.source, stream.name] * 3,
    ).fetchall()
    return {entity for (entity,) in found}


def answers_in_raw(
    connection: "Connection", stream: Stream, entities: AbstractSet[str], days: AbstractSet[date]
) -> dict[Answer, set[datetime]]:
    """The answers of these entities that RAW has on these days, with the moments of the responses in them."""
    if not entities or not days:
        return {}
    assert stream.entity
    text = entity_text(stream.entity)
    marks = [", ".join(["?"] * len(entities)), ", ".join(["cast(? as date)"] * len(days))]
    query = " union ".join(
        f"select {text}, _run_date, snapshot_at from raw.{table.raw_name} "
        f"where {text} in ({marks[0]}) and _run_date in ({marks[1]})"
        for table in stream.tables
    )
    wanted = [*sorted(entities), *(day.isoformat() for day in sorted(days))]
    found: defaultdict[Answer, set[datetime]] = defaultdict(set)
    for entity, day, snapshot in connection.execute(query, wanted * len(stream.tables)).fetchall():
        found[Answer(stream.source, stream.name, entity, day)].add(snapshot)
    return dict(found)


def entities_by_day(connection: "Connection", stream: Stream, days: AbstractSet[date]) -> dict[date, set[str]]:
    """The entities that RAW has on each of these days. Every answer has a row in the first table of its stream."""
    found: dict[date, set[str]] = {day: set() for day in days}
    if not days:
        return found
    assert stream.entity
    rows = connection.execute(
        f"select distinct _run_date, {entity_text(stream.entity)} from raw.{stream.tables[0].raw_name} "
        f"where _run_date in ({', '.join(['cast(? as date)'] * len(days))})",
        [day.isoformat() for day in sorted(days)],
    ).fetchall()
    for day, entity in rows:
        found[day].add(entity)
    return found


def newest_days(connection: "Connection", stream: Stream, entities: AbstractSet[str]) -> dict[str, date]:
    """The newest day on which RAW has each of these entities."""
    assert stream.entity
    text = entity_text(stream.entity)
    found = connection.execute(
        f"select {text}, max(_run_date) from raw.{stream.tables[0].raw_name} group by {text}"
    ).fetchall()
    return {entity: day for entity, day in found if entity in entities}


def entity_text(entity: Entity) -> str:
    """SQL of the key as text, from the columns of RAW. As `product_key` of the dbt project."""
    return " || '-' || ".join(f"cast({column} as varchar)" for column in entity.columns)
