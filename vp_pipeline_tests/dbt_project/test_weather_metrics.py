"""The governed metrics of the weather, against the hours that they are of."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
from vp_pipeline.publishing.metrics import MetricQuery, Metrics
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.dbt_project.conftest import EVERY_SOURCE
from vp_pipeline_tests.dbt_project.publications import publish

FIRST = date(2026, 10, 25)
DAYS = 20
PLACES = ("lima", "paris", "tokyo")
Hour = tuple[str, datetime, int | None, int | None]
By = tuple[str, date]


def random_hours() -> list[Hour]:
    """(place, hour, °C, mm): of Lima an hour is null, of Paris a day and an hour are not there, of Tokyo nothing is
    missing."""
    random = Random(20261025)
    found: list[Hour] = []
    for place in PLACES:
        for number in range(DAYS * 24):
            at = datetime.combine(FIRST, datetime.min.time()) + timedelta(hours=number)
            gone = place == "paris" and (at.date() == date(2026, 10, 28) or number == 300)
            values = (random.randrange(-9, 30), random.choice((0, 0, 3)))
            if not gone:
                found.append((place, at, *((None, None) if (place, number) == ("lima", 7) else values)))
    return found


HOURS = random_hours()


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    settings = pipeline_settings(tmp_path_factory.mktemp("data"), chosen_sources=EVERY_SOURCE)
    return Metrics(manifest_path(settings).with_name(SEMANTIC_MANIFEST))


@pytest.fixture(scope="module")
def marts(module_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> PublishedMarts:
    response = {"snapshot_at": datetime(2026, 11, 20), "dataset": "archive"}
    hours = [
        {**response, "location_id": place, "observed_at": at, "temperature_2m": warm, "precipitation": wet}
        for place, at, warm, wet in HOURS
    ]
    coordinates = ("requested_latitude", "requested_longitude", "latitude", "longitude")
    anywhere = {"timezone": "GMT", "utc_offset_seconds": 0, **dict.fromkeys(coordinates, 0)}
    places = [{**response, "location_id": place, **anywhere} for place in PLACES]
    module_warehouse.load("open_meteo_hourly", date(2026, 11, 19), hours)
    module_warehouse.load("open_meteo_location", date(2026, 11, 19), places)
    module_warehouse.must("build", "--select", "tag:weather", "--exclude-resource-type", "unit_test")
    module_warehouse.execute("checkpoint")
    return publish(module_warehouse.path, tmp_path_factory.mktemp("published"))


def figures(metrics: Metrics, marts: PublishedMarts, query: MetricQuery) -> dict[tuple[object, ...], object]:
    """What the metric is broken down by → its figure, where it has one."""
    result = metrics.query(marts, query)
    (figure,) = (result.columns.index(name) for name in query.metrics)
    return {(*row[:figure], *row[figure + 1 :]): row[figure] for row in result.rows if row[figure] is not None}


def mean(hours: list[Hour]) -> float:
    known = [warm for _, _, warm, _ in hours if warm is not None]
    return sum(known) / len(known)


def grouped(key: Callable[[Hour], tuple[object, ...]]) -> dict[tuple[object, ...], list[Hour]]:
    found = defaultdict(list)
    for hour in HOURS:
        found[key(hour)].append(hour)
    return found


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def test_average_temperature_is_of_all_hours_alike(metrics: Metrics, marts: PublishedMarts) -> None:
    of_days = grouped(lambda hour: (hour[0], midnight(hour[1].date())))
    by_day = MetricQuery(("average_temperature",), by=("location__name", "metric_time__day"))
    assert figures(metrics, marts, by_day) == pytest.approx({key: mean(found) for key, found in of_days.items()})
    by_month = MetricQuery(("average_temperature",), by=("metric_time__month",))
    of_months = grouped(lambda hour: (midnight(hour[1].date().replace(day=1)),))
    assert figures(metrics, marts, by_month) == pytest.approx({key: mean(found) for key, found in of_months.items()})


def test_the_rolling_average_is_of_the_seven_days_that_end_with_the_day(
    metrics: Metrics, marts: PublishedMarts
) -> None:
    """Always by day; a day that is not there adds nothing, and none before the seven takes its place."""
    expected = {}
    for place, day in {(place, at.date()) for place, at, *_ in HOURS}:
        week = [hour for hour in HOURS if hour[0] == place and 0 <= (day - hour[1].date()).days < 7]
        expected[place, midnight(day)] = mean(week)
    found = figures(metrics, marts, MetricQuery(("rolling_7_day_average_temperature",), by=("location__name",)))
    assert found == pytest.approx(expected)
    assert len(found) == 3 * DAYS - 1


def test_a_total_of_hours_of_which_one_is_missing_is_none(metrics: Metrics, marts: PublishedMarts) -> None:
    """Always by place. Lima lacks an hour in October, Paris one in November; its day that is not there is no hour."""
    of_months = grouped(lambda hour: (midnight(hour[1].date().replace(day=1)), hour[0]))
    totals = {key: sum(wet for *_, wet in found if wet is not None) for key, found in of_months.items()}
    query = MetricQuery(("precipitation_total",), by=("metric_time__month",))
    incomplete = {(datetime(2026, 10, 1), "lima"), (datetime(2026, 11, 1), "paris")}
    assert figures(metrics, marts, query) == {key: total for key, total in totals.items() if key not in incomplete}
    known = MetricQuery(("precipitation_of_known_hours",), by=("metric_time__month",))
    assert figures(metrics, marts, known) == totals
