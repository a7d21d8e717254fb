"""The ledger in the warehouse: which days the models include, which are pending validation, the builds, and what is
stale after a build of some models.

Here: the queries of these tables; the SQL is what DuckDB and Snowflake both take. Not here: creating them
(`migrations.py`), what decides (`assets/dbt/whole_build.py`, `partial_build.py`), and the filter in staging that reads
them (`dbt_project/macros/is_included.sql`).

    raw._days    a source, stream and day that was loaded into RAW or excluded. `is_included`: staging includes its
                 rows. `is_validated`: a whole build has validated it as it is in RAW now; otherwise its validation is
                 pending. A day without a row is included and validated.
    raw._builds  a build of the models. `building` until its end: a build that was killed stays so, and is never
                 published.
    raw._stale   a model or test, by name, that is not what a build of all models over the days of the last green build
                 would give: it was not finished, or something that it reads was built after it. `*` stands for all of
                 them. The marts are whole while there is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.sources.stream_days import StreamDay, Unit, days_of, read_days, stored_days
from vp_pipeline.warehouse.connection import table_exists, transaction
from vp_pipeline.warehouse.excluded_answers import Answer, write_excluded

if TYPE_CHECKING:
    from vp_pipeline.sources.source import Stream
    from vp_pipeline.warehouse.connection import Connection

# `green`: every test passed, and the marts are what a build of all models gives. `red`: all models, and not so. `part`:
# some models only, and some are stale now.
BuildState = Literal["building", "green", "red", "part"]
EVERYTHING = "*"


@dataclass(frozen=True)
class _State:
    """The state of a day, as `raw._days` keeps it. `reason`: why it is excluded."""

    is_included: bool
    is_validated: bool
    run_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Build:
    """One build of the models. `days`: those that the marts include, of any stream; empty until it is green.
    `stream_days`: the same of each stream; empty as well of a build that an earlier version has made. `stale`: the
    models and tests that are stale now, each with the reason."""

    build_id: str
    run_id: str
    began_at: datetime
    state: BuildState
    days: tuple[date, ...]
    stale: Mapping[str, str] = field(default_factory=dict)
    stream_days: tuple[StreamDay, ...] = ()


def day_loaded(connection: "Connection", unit: Unit, day: date) -> None:
    """Other rows of a day were loaded into RAW: the next build validates it. To be called in the transaction of the
    load."""
    _write(connection, [StreamDay(day, *unit)], _State(is_included=True, is_validated=False))


def recheck_included(connection: "Connection", unit: Unit, day: date) -> None:
    """The next whole build decides on a day again, unless it is excluded already. To be called in a transaction."""
    excluded = connection.execute(
        "select 1 from raw._days where source = ? and stream = ? and run_date = cast(? as date) and not is_included",
        [*unit, day.isoformat()],
    ).fetchone()
    if not excluded:
        _write(connection, [StreamDay(day, *unit)], _State(is_included=True, is_validated=False))


def recheck_excluded(connection: "Connection", unit: Unit, day: date) -> None:
    """The next whole build decides on a day again if it is excluded, or an answer of it."""
    connection.execute(
        "update raw._days set is_validated = false "
        "where source = ? and stream = ? and run_date = cast(? as date) and (not is_included or run_date in "
        "(select run_date from raw._excluded_answers where source = ? and stream = ?))",
        [*unit, day.isoformat(), *unit],
    )


def set_days(
    connection: "Connection",
    included: Iterable[StreamDay],
    excluded: Mapping[StreamDay, str],
    *,
    is_validated: bool,
    run_id: str,
    answers: Mapping[Answer, str] | None = None,
) -> None:
    """Makes staging include the days of `included` and exclude those of `excluded` (day → reason), in one step. Of
    these days it excludes the `answers` too (answer → reason), and no other answer."""
    included = list(included)
    with transaction(connection):
        write_excluded(connection, [*included, *excluded], answers or {}, run_id)
        _write(connection, included, _State(True, is_validated, run_id))
        for day, reason in excluded.items():
            _write(connection, [day], _State(False, is_validated, run_id, reason))


def mark_pending(connection: "Connection", days: Iterable[date]) -> None:
    """The next whole build validates these days again; which are included does not change."""
    for day in days:
        connection.execute(
            "update raw._days set is_validated = false where run_date = cast(? as date)", [day.isoformat()]
        )


def pending(connection: "Connection") -> list[StreamDay]:
    """The days of streams that no whole build has validated as they are, in order."""
    found = connection.execute(
        "select run_date, source, stream from raw._days where not is_validated order by 1, 2, 3"
    ).fetchall()
    return [StreamDay(*row) for row in found]


def pending_days(connection: "Connection") -> list[date]:
    """The same as days, in order."""
    return sorted({each.day for each in pending(connection)})


def unvalidated_days(connection: "Connection") -> list[date]:
    """The days with rows that were loaded since a whole build has looked at them, in order. A subset of the days that
    are pending: a test that was red may leave a day pending whose rows are validated."""
    found = connection.execute(
        "select distinct run_date from raw._days where not is_validated and run_id = '' order by 1"
    ).fetchall()
    return [day for (day,) in found]


def excluded(connection: "Connection") -> dict[StreamDay, str]:
    """The days of streams that staging excludes, in order, with the reasons."""
    found = connection.execute(
        "select run_date, source, stream, reason from raw._days where not is_included order by 1, 2, 3"
    )
    return {StreamDay(*row): reason or "excluded" for *row, reason in found.fetchall()}


def begin(connection: "Connection", build_id: str, run_id: str, stale: Mapping[str, str] | None = None) -> None:
    """Marks the marts as unfinished, before dbt touches any of them. `stale`: what this build makes stale until it is
    finished, with the reasons; by default everything, and also where it is not known what the builds before have left.
    """
    before = last_build(connection)
    if stale is None or before is None or (before.state != "green" and not before.stale):
        stale = {EVERYTHING: "no build of all models has finished"}
    with transaction(connection):
        _mark_stale(connection, stale)
        connection.execute(
            "insert into raw._builds (build_id, run_id, began_at, state, days) "
            "select ?, ?, cast(? as timestamp), 'building', ''",
            [build_id, run_id, _now().isoformat(sep=" ")],
        )


def finish(
    connection: "Connection", build_id: str, state: BuildState, streams: "Iterable[Stream] | None" = None
) -> None:
    """Marks the end of a build of all models; of a green one, also the days that the marts include now. `streams`:
    those that the models read; None: every one that there is."""
    read = [stream for _, stream in STREAMS] if streams is None else streams
    with transaction(connection):
        if state == "green":
            connection.execute("delete from raw._stale")
        _end(connection, build_id, state, stored_days(_included(connection, read)) if state == "green" else "")


def finish_partial(
    connection: "Connection", build_id: str, built: Iterable[str] = (), stale: Mapping[str, str] | None = None
) -> None:
    """Marks the end of a build of some models. `built`: the models that it has built and the tests that it has run, all
    green; they are not stale any more. `stale`: what is stale all the same.

    The build is green if nothing is stale then, and its marts include the days of the green build before it.
    """
    with transaction(connection):
        _clear_stale(connection, [*built])
        _mark_stale(connection, stale or {})
        is_whole = not stale_nodes(connection)
        _end(connection, build_id, "green" if is_whole else "part", _days_of_marts(connection) if is_whole else "")


def days_of_marts(connection: "Connection") -> Sequence[date]:
    """The days that the last green build has put into the marts; none where there was no such build."""
    return days_of(_days_of_marts(connection))


def stream_days_of(connection: "Connection", build_id: str) -> Sequence[StreamDay]:
    """The days of each stream that a green build has put into the marts; none where that is not known."""
    found = connection.execute("select days from raw._builds where build_id = ?", [build_id]).fetchone()
    return read_days(found[0]) if found else ()


def _days_of_marts(connection: "Connection") -> str:
    found = connection.execute(
        "select days from raw._builds where state = 'green' order by began_at desc, build_id desc limit 1"
    ).fetchone()
    return found[0] if found else ""


def stale_nodes(connection: "Connection") -> dict[str, str]:
    """The models and tests that are stale, by name, each with the reason."""
    if not table_exists(connection, "raw", "_stale"):
        return {}
    return dict(connection.execute("select node, min(reason) from raw._stale group by node order by node").fetchall())


def is_built(connection: "Connection") -> bool:
    """Whether the models were ever built as a whole."""
    if not table_exists(connection, "raw", "_builds"):
        return False
    found = connection.execute("select 1 from raw._builds where state in ('green', 'red') limit 1").fetchone()
    return bool(found)


def last_build(connection: "Connection") -> Build | None:
    """The newest build, however it ended; None: there was none."""
    found = (
        connection.execute(
            "select build_id, run_id, began_at, state, days from raw._builds "
            "order by began_at desc, build_id desc limit 1"
        ).fetchone()
        if table_exists(connection, "raw", "_builds")
        else None
    )
    if not found:
        return None
    build_id, run_id, began_at, state, days = found
    return Build(build_id, run_id, began_at, state, days_of(days), stale_nodes(connection), read_days(days))


def new_build_id(run_id: str) -> str:
    """A name that sorts by time (UTC, to the microsecond) and names the run: `20261121T001203000317-355c78c2`."""
    return f"{_now():%Y%m%dT%H%M%S%f}-{run_id[:8]}"


def _end(connection: "Connection", build_id: str, state: BuildState, days: str) -> None:
    connection.execute(
        "update raw._builds set ended_at = cast(? as timestamp), state = ?, days = ? where build_id = ?",
        [_now().isoformat(sep=" "), state, days, build_id],
    )


def _mark_stale(connection: "Connection", stale: Mapping[str, str]) -> None:
    _clear_stale(connection, [*stale])
    if stale:
        values = ", ".join(["(?, ?)"] * len(stale))
        connection.execute(
            f"insert into raw._stale (node, reason) values {values}", [text for pair in stale.items() for text in pair]
        )


def _clear_stale(connection: "Connection", nodes: Sequence[str]) -> None:
    if nodes:
        connection.execute(f"delete from raw._stale where node in ({', '.join(['?'] * len(nodes))})", nodes)


def _included(connection: "Connection", streams: "Iterable[Stream]") -> Sequence[StreamDay]:
    """What was loaded of the streams and is not excluded. A day is loaded as a whole, so one table stands for all."""
    first = {stream.tables[0].raw_name: stream.unit for stream in streams}
    left_out = excluded(connection)
    found = connection.execute("select distinct table_name, run_date from raw._loads").fetchall()
    loaded = {StreamDay(day, *first[table]) for table, day in found if table in first}
    return sorted(loaded - left_out.keys())


def _write(connection: "Connection", days: Iterable[StreamDay], state: _State) -> None:
    for each in days:
        of_day = [each.source, each.stream, each.day.isoformat()]
        connection.execute(
            "delete from raw._days where source = ? and stream = ? and run_date = cast(? as date)", of_day
        )
        connection.execute(
            "insert into raw._days "
            "(source, stream, run_date, is_included, is_validated, reason, run_id, changed_at) "
            f"select ?, ?, cast(? as date), {state.is_included}, {state.is_validated}, nullif(?, ''), ?, "
            "cast(? as timestamp)",
            [*of_day, state.reason, state.run_id, _now().isoformat(sep=" ")],
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
