"""Real responses of Open-Meteo in the marts: every number is found again, and so are the sums of each day, by a plain
count that imports nothing of ours."""

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from vp_pipeline.lake import bronze
from vp_pipeline.sources.open_meteo.source import WEATHER
from vp_pipeline_tests.sources.open_meteo.count_weather import REAL, plain_count
from vp_pipeline_tests.sources.open_meteo.weather_syncs import weather_sandbox

pytestmark = [
    pytest.mark.skipif(not REAL.is_dir(), reason=f"the real responses are not at {REAL}"),
    pytest.mark.filterwarnings("ignore:This class is experimental"),
]

DAY = date(2026, 10, 26)


@pytest.fixture(scope="module")
def built(module_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The weather's models, built and tested on a sync of the recorded responses, which is loaded under two days."""
    with weather_sandbox(tmp_path_factory.mktemp("lake"), REAL) as sandbox:
        landed = WEATHER.decode(bronze.lines_of(sandbox.lake, sandbox.bronze(DAY)))
    for name, table in landed.items():
        assert table.quarantined == ()
        for run_date in (DAY, date(2026, 10, 27)):
            module_warehouse.load(f"open_meteo_{name}", run_date, table.rows.to_pylist())
    module_warehouse.must("build", "--select", "tag:weather", "--exclude-resource-type", "unit_test")
    return module_warehouse


def test_every_number_is_found_again(built: Any) -> None:
    names = sorted({name for name, *_ in plain_count()})
    rows = built.rows(f"select observed_at, {', '.join(names)} from mart.fct_weather_hourly")
    found = Counter(
        (name, at, Decimal(value))
        for at, *values in rows
        for name, value in zip(names, values, strict=True)
        if value is not None
    )
    expected = Counter((name, at, value) for name, at, value, _ in plain_count())
    assert expected.total() >= 2_808
    assert found == expected


def test_the_sums_of_each_day_are_those_of_its_numbers(built: Any) -> None:
    """Days in UTC of places in other zones are cut at both ends of a response, and say so."""
    numbers: dict[tuple[str, date], dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(list))
    for name, at, value, place in plain_count():
        numbers[place, at.date()][name].append(value)
    expected = Counter()
    for (_, day), values in numbers.items():
        warm, wet = values["temperature_2m"], values["precipitation"]
        extremes = (min(warm), max(warm), sum(warm) / len(warm)) if warm else (None, None, None)
        rain = (len(wet), sum(wet) if wet else None, sum(wet) if len(wet) == 24 else None)
        expected[day, len(warm), *map(_float, extremes), *rain] += 1
    found = Counter(
        (*row[:2], *map(_float, row[2:5]), *row[5:])
        for row in built.rows(
            "select observed_date, temperature_hours, min_temperature, max_temperature, average_temperature,"
            " precipitation_hours, precipitation_observed, precipitation_total from mart.fct_weather_daily"
        )
    )
    assert found == expected
    assert {row[1] for row in found} >= {0, 24}
    assert any(0 < row[1] < 24 for row in found)


def _float(value: object) -> float | None:
    """To ten digits: a mean of decimals and one of floating-point numbers are the same to these."""
    return None if value is None else float(f"{value:.10g}")
