"""Which answers a red attempt can be blamed on: those of the products that its failing rows name.

A product that fails a test costs its own answers and nothing else. Days are bisected only for what names no product
(`quality/bisection.py`), and where so many products of a day fail that it is not about single products any more.

Here: from failed tests to answers. Not here: excluding them and building again (`whole_build.py`), and their table
(`warehouse/excluded_answers.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg

from vp_pipeline.assets.dbt.attempts import Attempt
from vp_pipeline.assets.dbt.upstream import Upstream
from vp_pipeline.assets.keys import raw_key
from vp_pipeline.dbt.data_tests import DataTest
from vp_pipeline.dbt.results import NodeResult
from vp_pipeline.quality.failing_rows import in_words
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import EXCLUDED, FEW
from vp_pipeline.sources.source import Entity, Stream
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse.connection import Connection, column_names
from vp_pipeline.warehouse.excluded_answers import Answer, answers_in_raw, entities_by_day, entity_text


@dataclass(frozen=True)
class Blame:
    """Why an answer is excluded: the `outcome` of a test of the model `key`, and the reason in words."""

    key: dg.AssetKey
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Failing:
    """What failing rows show of one entity: the days and the moments of responses that they name, where they do."""

    blame: Blame
    days: AbstractSet[date] = frozenset()
    snapshots: AbstractSet[datetime] = frozenset()


Blames = Mapping[Answer, Blame]


def blamed_answers(
    connection: Connection,
    attempt: Attempt,
    upstream: Upstream,
    streams: Sequence[Stream],
    included: Sequence[StreamDay],
    excluded: Blames,
) -> Blames:
    """The answers of the `included` days to exclude next, besides those that are `excluded` already. Empty: its
    failing rows name no entity of these days, or too many that a stream has on one of them."""
    found: dict[Answer, Blame] = {}
    for stream in streams:
        days = {each.day for each in included if each.unit == stream.unit}
        before = {answer for answer in excluded if (answer.source, answer.stream) == stream.unit}
        failing = _failing(connection, attempt, upstream, stream)
        chosen = choose(failing, answers_in_raw(connection, stream, failing.keys(), days), before)
        of_day = entities_by_day(connection, stream, days) if chosen else {}
        out = {day: {answer.entity for answer in {*chosen, *before} if answer.day == day} for day in days}
        if any(too_many(out[day], entities) for day, entities in of_day.items()):
            return {}
        found |= chosen
    return found


def choose(
    failing: Mapping[str, Failing], in_raw: Mapping[Answer, AbstractSet[datetime]], excluded: AbstractSet[Answer]
) -> Blames:
    """Of each entity the answers of the days that its failing rows name. Where they name none, or where that was not
    enough before, all of its answers. `in_raw`: the answers, with the moments of the responses in them."""
    chosen = {}
    again = {answer.entity for answer in excluded}
    for entity, rows in failing.items():
        candidates = {answer for answer in in_raw if answer.entity == entity} - excluded
        named = {answer for answer in candidates if answer.day in rows.days}
        named = named or {answer for answer in candidates if in_raw[answer] & rows.snapshots}
        for answer in named if named and entity not in again else candidates:
            chosen[answer] = rows.blame
    return chosen


def too_many(excluded: AbstractSet[str], entities: AbstractSet[str]) -> bool:
    """Whether so many of a day's entities would be excluded that the day itself is the cause."""
    share = len(excluded) / max(1, len(entities | excluded))
    return bool(excluded) and (excluded >= entities or (len(excluded) >= FEW and share > EXCLUDED.block))


def _failing(connection: Connection, attempt: Attempt, upstream: Upstream, stream: Stream) -> Mapping[str, Failing]:
    """What the failed tests of models that are derived from the stream show, by entity; of each the first test's."""
    found: dict[str, Failing] = {}
    if stream.entity is None:
        return found
    own = {raw_key(table) for table in stream.tables}
    tests = {outcome.check: (key, outcome) for key, outcome in attempt.outcomes}
    for result in attempt.failed:
        key, outcome = tests.get(result.name, (None, None))
        if key is not None and outcome is not None and own & upstream.get(key, set()):
            blame = Blame(key, outcome, "")
            for entity, rows in _failing_entities(connection, result, attempt.tests[result.name], stream.entity, blame):
                found.setdefault(entity, rows)
    return found


def _failing_entities(
    connection: Connection, result: NodeResult, test: DataTest, entity: Entity, blame: Blame
) -> Iterator[tuple[str, Failing]]:
    if not result.code:
        return
    names = column_names(connection.execute(f"select * from ({result.code}) as failing limit 0"))
    if entity.key not in names and not set(entity.columns) <= set(names):
        return
    text = entity.key if entity.key in names else entity_text(entity)
    moments = [name for name in ("run_date", "snapshot_at") if name in names]
    # Ordered by every column, so that the same failure has the same reason each time.
    rows = connection.execute(
        f"select * from (select failing.*, {text} as entity_text, count(*) over (partition by {text}) as entity_rows, "
        f"row_number() over (partition by {', '.join([text, *moments])} order by {', '.join(names)}) as entity_row "
        f"from ({result.code}) as failing) as numbered where entity_row = 1 and entity_text is not null "
        f"order by entity_text, {', '.join(names)}"
    ).fetchall()
    by_entity: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found = dict(zip([*names, "entity_text", "entity_rows"], row, strict=False))
        by_entity.setdefault(str(found["entity_text"]), []).append(found)
    for name, of_entity in by_entity.items():
        yield (
            name,
            Failing(
                Blame(blame.key, blame.outcome, _reason(test, of_entity[0])),
                frozenset(row["run_date"] for row in of_entity if isinstance(row.get("run_date"), date)),
                frozenset(row["snapshot_at"] for row in of_entity if isinstance(row.get("snapshot_at"), datetime)),
            ),
        )


def _reason(test: DataTest, row: Mapping[str, Any]) -> str:
    own = {name: value for name, value in row.items() if name not in ("entity_text", "entity_rows")}
    more = f", and {row['entity_rows'] - 1} more" if row["entity_rows"] > 1 else ""
    return f"{test.name}: {in_words(test, own)}{more}"
