"""The weather: whatever is loaded, in any order, grouping and repetition, its tables end as the rule requires.

Here: hours of random responses, and the rule in Python. Not here: real responses (`test_weather_responses.py`) and the
metrics (`test_weather_metrics.py`).
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import pytest

from vp_pipeline_tests.dbt_project.loads import MANY, Window, flags, play_examples

MODELS = ("core_open_meteo_weather_change", "fct_weather_hourly", "fct_weather_daily", "mart_weather_7_days")
FIRST = date(2026, 11, 18)
PLACES = ("lima", "paris")
# How many days a response has; the first of them are the archive's, which may have nothing of an hour yet.
WINDOW_DAYS, ARCHIVE_DAYS = 4, 2
VARIABLES = ("temperature_2m", "precipitation", "weather_code")


class Answer(NamedTuple):
    """What one response has of an hour."""

    run_date: date
    snapshot_at: datetime
    dataset: str
    values: dict[str, Decimal | int | None]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def random_answers(number: int, seed: int) -> dict[tuple[str, datetime], Answer]:
    """A day's responses, (place, hour) → answer: places, hours and values absent, requested at any moment."""
    random = Random(seed)
    found = {}
    for place in PLACES:
        if random.random() < 0.2:
            continue
        snapshot = datetime(2026, 12, 1) + timedelta(minutes=random.randrange(5))
        known, listed = random.choice((0.3, 0.9, 1.0)), random.choice((0.9, 1.0, 1.0))
        for age in range(WINDOW_DAYS):
            dataset = "archive" if age >= WINDOW_DAYS - ARCHIVE_DAYS else "forecast"
            known_of_day = random.choice((0.0, known, known)) if dataset == "archive" else known
            for hour in range(24):
                if random.random() < listed:
                    at = datetime.combine(day(number - age), datetime.min.time()) + timedelta(hours=hour)
                    drawn = {
                        "temperature_2m": Decimal(random.randrange(-300, 400)) / 10,
                        "precipitation": Decimal(random.choice((0, 0, 1, 25))) / 10,
                        "weather_code": random.choice((0, 61)),
                    }
                    values = {name: value if random.random() < known_of_day else None for name, value in drawn.items()}
                    found[place, at] = Answer(day(number), snapshot, dataset, values)
    return found


class Weather:
    """The weather's tables, what each day has in RAW, and the place whose answer of a day is excluded."""

    def __init__(self, warehouse: Any, window: Any) -> None:
        self.warehouse = warehouse
        self.window = window
        self.raw: dict[int, dict[tuple[str, datetime], Answer]] = {}
        self.excluded: dict[int, str | None] = {}

    def clear(self) -> None:
        self.raw.clear()
        self.excluded.clear()
        schema = {"core": "core", "mart": "mart", "fct": "mart"}
        tables = [f"{schema[name.split('_')[0]]}.{name}" for name in MODELS]
        logs = [f"delete from core._touched_{name}" for name in MODELS[1:3]]
        self.warehouse.execute(
            *(f"drop table if exists {table}" for table in tables),
            *(
                logs
                if self.warehouse.rows("from information_schema.tables where table_name = '_touched_fct_weather_daily'")
                else ()
            ),
            "delete from raw.open_meteo_hourly",
            "delete from raw._excluded_answers",
        )

    def load(self, number: int, seed: int) -> None:
        self.raw[number] = random_answers(number, seed)
        rows = [
            {"location_id": place, "observed_at": at, "snapshot_at": a.snapshot_at, "dataset": a.dataset, **a.values}
            for (place, at), a in self.raw[number].items()
        ]
        self.warehouse.load("open_meteo_hourly", day(number), rows)
        self.excluded[number] = place = Random(seed + 1).choice((None, None, *PLACES))
        self.warehouse.execute(f"delete from raw._excluded_answers where run_date = '{day(number)}'")
        if place:
            self.warehouse.execute(
                "insert into raw._excluded_answers (source, stream, entity, run_date, reason) "
                f"values ('open_meteo', 'weather', '{place}', '{day(number)}', 'a test failed')"
            )

    def restate(self, window: Window, changed: set[int]) -> None:
        of_days = flags(window, lambda first, end: self.window(day(first), day(end)))
        self.warehouse.must("run", "--select", *MODELS, *of_days)

    def check(self) -> None:
        hours = dict(expected_hours(self.raw, self.excluded))
        names = ", ".join(VARIABLES)
        found = self.warehouse.rows(
            f"select location_id, observed_at, observed_date, is_observed, dataset, {names}"
            " from mart.fct_weather_hourly"
        )
        assert len(found) == len(hours)
        assert {row[:2]: row[2:] for row in found} == hours
        assert self.of_days("fct_weather_daily") == dict(expected_sums(hours, 1))
        assert self.of_days("mart_weather_7_days") == dict(expected_sums(hours, 7))

    def of_days(self, table: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        found = self.warehouse.rows(
            "select location_id, observed_date, hours_observed, is_complete, temperature_sum, temperature_hours,"
            f" average_temperature, precipitation_observed, precipitation_hours, precipitation_total from mart.{table}"
        )
        assert len(found) == len({row[:2] for row in found})
        return {row[:2]: row[2:] for row in found}


def expected_hours(
    raw: dict[int, dict[tuple[str, datetime], Answer]], excluded: dict[int, str | None]
) -> Iterator[tuple[tuple[str, datetime], tuple[Any, ...]]]:
    """Of each variable of an hour the answer that has a value, and of those the one of the latest run_date."""
    answers: dict[tuple[str, datetime], list[Answer]] = defaultdict(list)
    for number, of_day in raw.items():
        for (place, at), answer in of_day.items():
            if place != excluded[number]:
                answers[place, at].append(answer)
    for (place, at), of_hour in answers.items():
        ordered = sorted(of_hour, key=lambda answer: (answer.run_date, answer.snapshot_at))
        winners = {name: [a for a in ordered if a.values[name] is not None][-1:] for name in VARIABLES}
        datasets = {answer.dataset for found in winners.values() for answer in found}
        dataset = "mixed" if len(datasets) > 1 else next(iter(datasets), None)
        values = (found[0].values[name] if found else None for name, found in winners.items())
        yield (place, at), (at.date(), bool(datasets), dataset, *values)


def expected_sums(
    hours: dict[tuple[str, datetime], tuple[Any, ...]], days: int
) -> Iterator[tuple[tuple[str, date], tuple[Any, ...]]]:
    """The figures of so many days that end with each day of which an hour is listed."""
    for place, last in {(place, at.date()) for place, at in hours}:
        of_days = [row for (where, at), row in hours.items() if where == place and 0 <= (last - at.date()).days < days]
        temperatures, rain = ([row[n] for row in of_days if row[n] is not None] for n in (3, 4))
        total = 24 * days
        yield (
            (place, last),
            (
                sum(row[1] for row in of_days),
                len(temperatures) == len(rain) == total,
                sum(temperatures) if temperatures else None,
                len(temperatures),
                float(sum(temperatures)) / len(temperatures) if temperatures else None,
                sum(rain) if rain else None,
                len(rain),
                sum(rain) if len(rain) == total else None,
            ),
        )


@pytest.fixture(scope="module")
def staged(module_warehouse: Any) -> Any:
    module_warehouse.must("run", "--select", "stg_open_meteo_hourly")
    return module_warehouse


@pytest.mark.parametrize("examples", [2, MANY])
def test_any_order_grouping_and_repetition(staged: Any, window: Any, examples: int) -> None:
    play_examples(Weather(staged, window), examples, (2, 4))


def hourly(place: str, of_day: date, dataset: str, temperature: int | None) -> list[dict[str, Any]]:
    return [
        {
            "location_id": place,
            "observed_at": datetime.combine(of_day, datetime.min.time()) + timedelta(hours=hour),
            "snapshot_at": datetime(2026, 12, 1),
            "dataset": dataset,
            "temperature_2m": temperature,
        }
        for hour in range(24)
    ]


def test_an_hour_restates_its_own_day_and_no_other(warehouse: Any, window: Any) -> None:
    """The archive has one day of one place; it confirms the day before, and has nothing yet of the day after."""
    old = [hourly(place, day(n), "forecast", n) for place in PLACES for n in range(5)]
    warehouse.load("open_meteo_hourly", day(4), [row for rows in old for row in rows])
    warehouse.must("run", "--select", "stg_open_meteo_hourly", *MODELS)
    for fact in MODELS[1:3]:
        warehouse.execute(f"create table mart.kept_{fact} as select rowid as place from mart.{fact}")
    new = [hourly("paris", day(n), "archive" if n else "forecast", value) for n, value in ((0, 0), (1, 17), (2, None))]
    warehouse.load("open_meteo_hourly", day(5), [row for rows in new for row in rows])
    warehouse.must("run", "--select", *MODELS, *window(day(5), day(6)))
    for fact in MODELS[1:3]:
        # A row that is written again gets another rowid.
        written = warehouse.rows(
            f"select distinct location_id, observed_date from mart.{fact}"
            f" where rowid not in (select place from mart.kept_{fact})"
        )
        assert written == [("paris", day(1))], fact
    assert warehouse.rows(
        "select observed_date, dataset, average_temperature from mart.fct_weather_daily where location_id = 'paris'"
        " order by all"
    ) == [(day(n), "archive" if n == 1 else "forecast", 17 if n == 1 else n) for n in range(5)]
