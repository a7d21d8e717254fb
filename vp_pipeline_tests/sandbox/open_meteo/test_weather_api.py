"""The sandbox's Open-Meteo over HTTP: the form of real responses, seasons, limits and errors of the vendor."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import requests

from vp_pipeline.failures import PermanentError
from vp_pipeline.sandbox.api import build_api
from vp_pipeline.sandbox.open_meteo.api import PLACES, OpenMeteoApi
from vp_pipeline.sandbox.open_meteo.recordings import Recordings
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sources.open_meteo.variables import BY_NAME, VARIABLES
from vp_pipeline.variables import PROJECT_ROOT

DAY = date(2026, 10, 26)
REAL = PROJECT_ROOT.parent / "shared" / "data" / "open_meteo"
BERLIN: dict[str, object] = {"latitude": 52.52, "longitude": 13.41}
FOUND = {"hourly": "temperature_2m", "start_date": "2026-10-20", "end_date": "2026-10-20"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox({"open_meteo": build_api("open_meteo", None, 7)}) as sandbox:
        yield sandbox.base_url("open_meteo", DAY)


def get(url: str, path: str = "/v1/archive", status: int = 200, **query: Any) -> Any:
    response = requests.get(url + path, params={**BERLIN, **FOUND, **query}, timeout=30)
    assert response.status_code == status, response.text
    return response.json()


def values(url: str, variable: str = "temperature_2m", **query: Any) -> list[Any]:
    found: list[Any] = get(url, hourly=variable, **query)["hourly"][variable]
    return found


def form(place: Mapping[str, Any]) -> dict[str, Any]:
    """The names and types of a response, of its hours by variable."""
    types = {name: type(value).__name__ for name, value in place.items() if name not in ("hourly", "hourly_units")}
    units = dict(place["hourly_units"])
    kinds = {
        name: {"number" if isinstance(value, int | float) else type(value).__name__ for value in series}
        for name, series in place["hourly"].items()
    }
    return {"fields": types, "units": units, "hours": kinds, "lengths": {len(s) for s in place["hourly"].values()}}


def real_places() -> list[Any]:
    found = []
    for file in sorted(REAL.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        content = content.get("body", content) if isinstance(content, dict) else content
        places = content if isinstance(content, list) else [content]
        found += [pytest.param(place, index, id=f"{file.stem}-{index}") for index, place in enumerate(places)]
    return found or [pytest.param(None, 0, marks=pytest.mark.skip(f"the real responses are not at {REAL}"))]


@pytest.mark.parametrize(("real", "index"), real_places())
def test_a_response_has_the_form_of_a_real_one(url: str, real: Any, index: int) -> None:
    """Requested as the real one was: the same zone, variables, units and number of days."""
    units = {"°F": "fahrenheit", "inch": "inch", "mp/h": "mph", "kn": "kn", "m/s": "ms"}
    parameters = {
        "temperature": "temperature_unit",
        "wind_speed": "wind_speed_unit",
        "precipitation": "precipitation_unit",
    }
    chosen = {
        parameter: units[unit]
        for start, parameter in parameters.items()
        for name, unit in real["hourly_units"].items()
        if name.startswith(start) and unit in units
    }
    days = len(real["hourly"]["time"]) // 24
    query = {
        **BERLIN,
        "latitude": ",".join(["52.52"] * (index + 1)),
        "longitude": ",".join(["13.41"] * (index + 1)),
        "hourly": ",".join(name for name in real["hourly"] if name != "time"),
        "timezone": real["timezone"],
        "start_date": "2026-10-01",
        "end_date": f"2026-10-{days:02}",
        **chosen,
    }
    found = get(url, "/v1/forecast", **query)
    blocks = ("current", "current_units", "daily", "daily_units", "minutely_15", "minutely_15_units")
    wanted = form({name: value for name, value in real.items() if name not in blocks})
    assert form(found[index] if index else found) == wanted


def test_weather_is_seasonal_and_daily(url: str) -> None:
    def means(month: str, **place: float) -> float:
        return mean(values(url, start_date=f"2026-{month}-01", end_date=f"2026-{month}-28", **place))

    assert means("07") - means("01") > 10, "Berlin"
    assert means("01", latitude=-33.87, longitude=151.21) - means("07", latitude=-33.87, longitude=151.21) > 5, "Sydney"
    assert means("01", latitude=0, longitude=0) - means("01") > 15, "the equator"
    hours = values(url, start_date="2026-07-01", end_date="2026-07-28")
    assert mean(hours[14::24]) - mean(hours[2::24]) > 5


def test_it_rains_on_some_days(url: str) -> None:
    rain = values(url, "precipitation", start_date="2026-03-01", end_date="2026-06-28")
    wet = sum(any(rain[day * 24 : day * 24 + 24]) for day in range(120))
    assert 20 < wet < 70


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_value_is_in_the_range_of_the_contract(url: str, variable: Any) -> None:
    for place in PLACES:
        latitude, longitude = place.partition(":")[2].split(",")
        query = {"latitude": latitude, "longitude": longitude, "start_date": "2026-08-01", "end_date": "2026-10-26"}
        found = get(url, "/v1/forecast", hourly=variable.name, **query)
        assert found["hourly_units"][variable.name] == variable.unit
        assert all(variable.low <= value <= variable.high for value in found["hourly"][variable.name])


def test_an_hour_is_the_same_in_every_window_and_of_another_seed_another(url: str) -> None:
    whole = values(url, start_date="2026-10-18", end_date="2026-10-21")
    assert values(url) == whole[48:72]
    with Sandbox({"open_meteo": build_api("open_meteo", None, 8)}) as other:
        assert values(other.base_url("open_meteo", DAY)) != whole[48:72]


def test_the_archive_has_an_hour_when_it_is_five_days_old(url: str) -> None:
    hours = values(url, start_date="2026-10-21", end_date="2026-10-23")
    assert [value is None for value in hours] == [False] * 24 + [True] * 48
    forecast = get(url, "/v1/forecast", start_date="2026-10-21", end_date="2026-10-23")["hourly"]["temperature_2m"]
    assert None not in forecast


def test_the_offset_is_that_of_the_moment_of_the_request() -> None:
    """Summer time ended in Berlin on 2026-10-25: requested after it, July too is an hour ahead of UTC."""
    with Sandbox({"open_meteo": build_api("open_meteo", None, 7)}) as sandbox:
        found = {
            asked: get(
                sandbox.base_url("open_meteo", date.fromisoformat(asked)),
                timezone="Europe/Berlin",
                start_date="2026-07-01",
                end_date="2026-07-01",
            )
            for asked in ("2026-10-24", "2026-10-25")
        }
    assert {asked: place["utc_offset_seconds"] for asked, place in found.items()} == {
        "2026-10-24": 7200,
        "2026-10-25": 3600,
    }
    summer, winter = (found[asked]["hourly"]["temperature_2m"] for asked in ("2026-10-24", "2026-10-25"))
    assert summer[1:] == winter[:-1]
    assert found["2026-10-24"]["timezone_abbreviation"] == "GMT+2"


def test_unix_times_are_utc(url: str) -> None:
    found = get(url, timeformat="unixtime", timezone="Europe/Berlin")["hourly"]["time"]
    assert found[0] == int(datetime.fromisoformat("2026-10-19T23:00+00:00").timestamp())


@pytest.mark.parametrize(
    ("path", "query", "reason"),
    [
        ("/v1/archive", {"latitude": 91}, "Latitude must be in range of -90 to 90°. Given: 91.0."),
        ("/v1/archive", {"longitude": -181}, "Longitude must be in range of -180 to 180°. Given: -181.0."),
        ("/v1/archive", {"latitude": "north"}, "Value of type 'Float' required for key 'latitude'."),
        (
            "/v1/archive",
            {"latitude": "1,2"},
            "Parameter 'latitude' and 'longitude' must have the same number of elements",
        ),
        (
            "/v1/archive",
            {"hourly": "warmth"},
            "Data corrupted at path ''. Cannot initialize variable from invalid String ",
        ),
        ("/v1/archive", {"wind_speed_unit": "knots"}, "Data corrupted at path ''. Cannot initialize wind_speed_unit"),
        ("/v1/archive", {"timezone": "Mars/Base"}, "Invalid timezone"),
        ("/v1/archive", {"start_date": "2026-10-21"}, "End-date must be larger or equals than start-date."),
        ("/v1/archive", {"start_date": "20 October"}, "Invalid date format. Make sure to use 'YYYY-MM-DD'"),
        (
            "/v1/archive",
            {"end_date": "2026-10-27"},
            "Parameter 'end_date' is out of allowed range from 1940-01-01 to 2026-10-26",
        ),
        (
            "/v1/forecast",
            {"start_date": "2026-07-25"},
            "Parameter 'start_date' is out of allowed range from 2026-07-26 to 2026-11-10",
        ),
    ],
)
def test_a_request_is_rejected_in_the_vendors_words(url: str, path: str, query: dict[str, Any], reason: str) -> None:
    found = get(url, path, 400, **query)
    assert found["error"] is True
    assert found["reason"].startswith(reason)


def test_other_paths_and_methods_are_not_there(url: str) -> None:
    assert get(url, "/v1/marine", 404) == {"error": True, "reason": "Not Found"}
    assert requests.post(f"{url}/v1/archive", timeout=30).status_code == 405


def test_the_limit_of_a_minute_is_enforced_by_places_days_and_variables() -> None:
    with Sandbox({"open_meteo": OpenMeteoApi(calls_per_minute=12)}) as sandbox:
        url = sandbox.base_url("open_meteo", DAY)
        month = {"start_date": "2026-09-01", "end_date": "2026-09-28"}
        everything = ",".join(BY_NAME)
        # 5 places, 13 variables (1.3 calls) and 28 days (2 calls): 13 calls.
        refused = get(url, status=429, latitude="1,2,3,4,5", longitude="1,2,3,4,5", hourly=everything, **month)
        assert refused == {
            "error": True,
            "reason": "Minutely API request limit exceeded. Please try again in one minute.",
        }
        assert len(get(url, latitude="1,2,3,4,5", longitude="1,2,3,4,5", **month)) == 5


def test_the_example_is_answered(url: str) -> None:
    response = requests.get(url + build_api("open_meteo", None, 7).example, timeout=30)
    assert len(response.json()["hourly"]["temperature_2m"]) == 24


def test_recordings_are_served_by_place_one_after_the_other(tmp_path: Path) -> None:
    def write(name: str, content: object) -> None:
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")

    def place(latitude: float, value: int) -> dict[str, Any]:
        return {"latitude": latitude, "longitude": 2.0, "hourly": {"time": [str(value)]}}

    write("b list.json", [place(1.5, 1), {"latitude": 1}, 7])
    write("a.json", place(1.5, 2))
    write("exchange.json", {"request_uri": "https://…", "body": place(3.25, 3)})
    write("other.json", {"products": []})
    (tmp_path / "half.json").write_text("{")
    api = OpenMeteoApi(tmp_path)
    assert api.entities == ("a:1.5000000,2.0000000", "a:1.5000000,2.0000000", "exchange:3.2500000,2.0000000")
    assert [text.partition(" is not a recorded")[0] for text in api.left_out] == [
        "b list.json",
        "b list.json",
        "half.json",
        "other.json",
    ]
    with Sandbox({"open_meteo": api}) as sandbox:
        url = sandbox.base_url("open_meteo", DAY)
        found = get(url, latitude="1.5,3.25,1.5,1.5", longitude="2,2,2,2")
        assert [each["hourly"]["time"] for each in found] == [["2"], ["3"], ["1"], ["2"]]
        assert [each.get("location_id") for each in found] == [None, 1, 2, 3]
        assert get(url, status=400, latitude=9)["reason"] == "There is no recorded response of 9.0, 13.41."


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(PermanentError, match=r"holds no recorded Open-Meteo responses .*other.json .*empty list"):
        Recordings(tmp_path)
