"""Weather from the API over HTTP through the embedded Airbyte into bronze and silver: generated, and of real responses
value by value against a plain count that imports nothing of the decoder."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from vp_pipeline.lake import bronze, silver
from vp_pipeline.quality.contract import keeps_contract
from vp_pipeline.sources.landed import Decoded
from vp_pipeline.sources.open_meteo.source import WEATHER
from vp_pipeline.sources.open_meteo.tables import HOURLY, TABLES
from vp_pipeline_tests.sources.open_meteo.count_weather import REAL, plain_count
from vp_pipeline_tests.sources.open_meteo.weather_syncs import WeatherSandbox, weather_sandbox

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

DAY = date(2026, 10, 26)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[WeatherSandbox]:
    with weather_sandbox(tmp_path) as running:
        yield running


def decoded(sandbox: WeatherSandbox, day: date, **settings: Any) -> dict[str, Decoded]:
    manifest = sandbox.bronze(day, **settings)
    found = WEATHER.decode(bronze.lines_of(sandbox.lake, manifest))
    assert {name: (t.unaccounted, t.quarantined) for name, t in found.items()} == dict.fromkeys(found, (0, ()))
    return found


def test_a_day_is_a_window_of_hours_of_each_place_in_utc(sandbox: WeatherSandbox) -> None:
    hourly = decoded(sandbox, DAY)["hourly"].rows
    first = datetime(2026, 10, 20)
    expected = [first + timedelta(hours=n) for n in range(7 * 24)]
    for place in ("berlin", "london", "new-york", "sydney", "tokyo"):
        rows = hourly.filter(pc.equal(hourly["location_id"], place))
        assert rows["observed_at"].to_pylist() == expected
        datasets = [f"{at.date()} {dataset}" for at, dataset in zip(expected, rows["dataset"].to_pylist(), strict=True)]
        assert Counter(datasets) == {
            **{f"2026-10-{day} archive": 24 for day in (20, 21)},
            **{f"2026-10-{day} forecast": 24 for day in range(22, 27)},
        }
    missing = {name: hourly[name].null_count for name in hourly.column_names if hourly[name].null_count}
    assert missing == {"precipitation_probability": hourly.num_rows}


def test_a_day_is_written_to_silver_and_keeps_its_contract(sandbox: WeatherSandbox) -> None:
    for table in TABLES:
        found = decoded(sandbox, DAY)[table.name]
        manifest = silver.write(sandbox.lake, found, DAY, bronze="b", decoder=WEATHER.code.own)
        assert manifest.rows == found.rows.num_rows
        (written,) = manifest.objects
        rows = pq.read_table(sandbox.lake.location(written.path))
        assert rows.equals(found.rows)
        assert keeps_contract("the day", table, rows).passed


def test_what_landed_is_counted(sandbox: WeatherSandbox) -> None:
    manifest = sandbox.bronze(DAY)
    found = WEATHER.inspect(bronze.lines_of(sandbox.lake, manifest))
    assert (found.records, found.altered, found.unexpected) == (10, 0, {})
    assert found.figures == {"hours": 5 * 7 * 24, "missing_hours": 0}
    names = ["new-york", "london", "berlin", "tokyo", "sydney"]
    assert [(each.entity, each.requested, each.refusal) for each in found.received] == [(n, n, None) for n in names * 2]


def test_the_archive_restates_what_the_forecast_had(sandbox: WeatherSandbox) -> None:
    """A day is of the forecast API on its own day, and of the archive five days later: near one another, not equal."""
    place = {"locations": "berlin:52.52,13.41"}
    then, later = (decoded(sandbox, DAY + timedelta(days=n), **place)["hourly"].rows for n in (0, 5))
    values = []
    for rows in (then, later):
        of_day = rows.filter(pc.equal(rows["observed_at"].cast("date32"), DAY))
        values.append(of_day.select(["dataset", "temperature_2m"]).to_pylist())
    assert {row["dataset"] for row in values[0]} == {"forecast"}
    assert {row["dataset"] for row in values[1]} == {"archive"}
    differences = [a["temperature_2m"] - b["temperature_2m"] for a, b in zip(*values, strict=True)]
    assert any(differences)
    assert all(abs(difference) <= 1 for difference in differences)


def test_a_day_that_is_asked_again_has_the_same_values(sandbox: WeatherSandbox) -> None:
    place = {"locations": "berlin:52.52,13.41"}
    first, again = (decoded(sandbox, DAY, **place)["hourly"].rows.drop_columns(["snapshot_at"]) for _ in range(2))
    assert first.equals(again)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real responses are not at {REAL}")
def test_every_number_of_real_responses_is_found_again(tmp_path: Path) -> None:
    with weather_sandbox(tmp_path, REAL) as sandbox:
        assert sandbox.api.left_out == ()
        hourly = decoded(sandbox, DAY)["hourly"].rows
    variables = [
        c.name for c in HOURLY.columns if c.name not in ("location_id", "observed_at", "snapshot_at", "dataset")
    ]
    found = Counter(
        (name, row["observed_at"], row[name])
        for row in hourly.to_pylist()
        for name in variables
        if row[name] is not None
    )
    expected = Counter((name, at, value) for name, at, value, _ in plain_count())
    assert expected.total() >= 2_808
    assert found == expected
