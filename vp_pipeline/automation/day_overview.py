"""What is there of each day, from the lake to the publications: the content of `vp days`.

Here: reading it, in every place that knows of days. Not here: how it is printed (`cli/days.py`), and what the warehouse
knows of a day (the model `mon_day`, which is published too).
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.environments.environment import Environment
from vp_pipeline.lake import bronze, silver
from vp_pipeline.lake.decoded_days import stale_days
from vp_pipeline.quality.gate import current_failures
from vp_pipeline.warehouse.connection import Connection, column_names, table_exists

_MON_DAY = ("monitoring", "mon_day")


@dataclass(frozen=True)
class DayOverview:
    """One day.

    `bronze`, `silver`, `raw`: it is there, of some stream; `without`: those of which it is not. `rows`: of it in RAW.
    `in_marts`: the last green build has it. `published`: consumers read it; `publications`: the kept builds that have
    it, newest first. `failed_checks`: the blocking ones whose newest result is a failure, as `asset:check`.
    `excluded_because`: why all of it is excluded; `excluded_answers`: how many products' answers are. `pending`: the
    next build validates it. `of_older_code`: another decoder than the present one made it.
    """

    day: date
    bronze: bool
    silver: bool
    raw: bool
    in_marts: bool
    published: bool
    rows: int = 0
    publications: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    excluded_because: str | None = None
    excluded_answers: int = 0
    pending: bool = False
    of_older_code: bool = False
    without: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """What a person has to know, in words; nothing where the day is as it should be."""
        found = [f"{check} has failed" for check in self.failed_checks]
        if self.excluded_because:
            found.append(f"excluded: {self.excluded_because}")
        if self.excluded_answers:
            products = "1 product is" if self.excluded_answers == 1 else f"{self.excluded_answers} products are"
            found.append(f"{products} excluded (mon_excluded_answer)")
        if self.without:
            found.append(f"without {', '.join(self.without)}")
        if self.pending:
            found.append("the next build validates it")
        if self.of_older_code:
            found.append("decoded by older code (vp plan)")
        if self.publications and not self.published:
            found.append(f"published in {', '.join(self.publications)}, which is not current")
        return found


@dataclass(frozen=True)
class _Known:
    """The days that the lake and the warehouse know: `bronze` and `silver` those of each stream, `rows` those of
    `mon_day`, by day."""

    bronze: Mapping[str, AbstractSet[date]]
    silver: Mapping[str, AbstractSet[date]]
    stale: AbstractSet[date]
    rows: Mapping[date, Mapping[str, Any]]

    def without(self, day: date) -> Iterator[str]:
        """The streams of which a day is not in silver; where silver has it of none, in bronze."""
        layer = next((each for each in (self.silver, self.bronze) if day in set().union(*each.values())), {})
        return (name for name, days in layer.items() if day not in days)


def day_overviews(
    environment: Environment,
    instance: dg.DagsterInstance,
    checks: Sequence[dg.AssetCheckKey],
    first: date | None = None,
    last: date | None = None,
) -> list[DayOverview]:
    """Every day that is anywhere, from `first` to `last` (default: all), in order. `checks`: those that block.

    Raises:
        TransientError: another process holds the warehouse.
    """
    lake = environment.build_lake()
    with environment.build_warehouse().connect(read_only=True) as connection:
        rows = _of_warehouse(connection)
    streams = environment.settings.streams
    known = _Known(
        {"/".join(stream.unit): set(bronze.days(lake, stream)) for stream in streams},
        # A day is written as a whole.
        {"/".join(stream.unit): set(silver.days(lake, stream.tables[0])) for stream in streams},
        set().union(*(stale_days(lake, stream) for stream in streams)),
        rows,
    )
    publisher = environment.build_publisher()
    current = publisher.marts.current()
    builds = {each.build_id: set(each.days) for each in publisher.kept()}
    published = set(current.days) if current else set()
    in_lake: set[date] = set().union(*known.bronze.values(), *known.silver.values())
    days = {*in_lake, *rows, *published, *set().union(*builds.values())}
    return [
        _overview(
            day,
            known,
            published=day in published,
            publications=tuple(build for build, of in builds.items() if day in of),
            failed=sorted(_name(check) for check in current_failures(instance, checks, day.isoformat())),
        )
        for day in sorted(days)
        if (first or day) <= day <= (last or day)
    ]


def _overview(
    day: date, known: _Known, *, published: bool, publications: tuple[str, ...], failed: Sequence[str]
) -> DayOverview:
    row = known.rows.get(day, {})
    return DayOverview(
        day,
        bronze=any(day in days for days in known.bronze.values()),
        silver=any(day in days for days in known.silver.values()),
        raw=bool(row.get("is_loaded")),
        in_marts=bool(row.get("is_in_marts")),
        published=published,
        rows=int(row.get("rows_loaded") or 0),
        publications=publications,
        failed_checks=tuple(failed),
        excluded_because=row.get("excluded_because"),
        excluded_answers=int(row.get("excluded_answers") or 0),
        pending=not row.get("is_validated", True),
        of_older_code=day in known.stale or bool(row.get("is_of_other_code")),
        without=tuple(known.without(day)),
    )


def _of_warehouse(connection: Connection) -> Mapping[date, Mapping[str, Any]]:
    """The rows of `mon_day`, by day; none before the first build."""
    if not table_exists(connection, *_MON_DAY):
        return {}
    found = connection.execute(f"select * from {'.'.join(_MON_DAY)} order by run_date")
    names = column_names(found)
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {row["run_date"]: row for row in rows}


def _name(check: dg.AssetCheckKey) -> str:
    return f"{check.asset_key.to_user_string()}:{check.name}"
