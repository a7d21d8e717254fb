"""Open-Meteo's decoder: what becomes an hour in UTC, in the contract's units, and what is rejected, and why."""

import json
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from vp_pipeline.sources.landed import LandedLine
from vp_pipeline.sources.open_meteo.decode import decode
from vp_pipeline.sources.open_meteo.tables import HOURLY
from vp_pipeline.sources.open_meteo.variables import VARIABLES
from vp_pipeline_tests.sources.open_meteo.weather_lines import TIMES, decoded, hours, landed, reasons, response

NIGHT = datetime(2026, 11, 20)


def test_values_are_exact_and_null_stays_null() -> None:
    line = landed(response({"time": TIMES, "temperature_2m": [0.1, None, -3]}))
    assert hours(decoded(line), "location_id", "temperature_2m", "precipitation") == [
        (NIGHT, "paris", Decimal("0.1"), None),
        (NIGHT + timedelta(hours=1), "paris", None, None),
        (NIGHT + timedelta(hours=2), "paris", Decimal(-3), None),
    ]


def test_the_place_has_a_row_with_the_models_cell() -> None:
    (row,) = decoded(landed(response({"time": []}, latitude=48.860001234)))["location"].rows.to_pylist()
    assert row == {
        "location_id": "paris",
        "dataset": "archive",
        "snapshot_at": datetime(2026, 11, 26, 0, 10),
        "requested_latitude": Decimal("48.8566"),
        "requested_longitude": Decimal("2.3522"),
        "latitude": Decimal("48.8600012"),
        "longitude": Decimal("2.36"),
        "elevation": Decimal(43),
        "timezone": "GMT",
        "utc_offset_seconds": 0,
    }


def test_a_local_time_less_the_offset_of_the_response_is_utc_also_across_summer_time() -> None:
    """In Berlin the clocks went back on 2026-10-25 at 03:00. Requested in winter, all hours are an hour ahead of UTC;
    in summer, two. Local times neither repeat nor skip: the offset is that of the request."""
    times = [f"2026-10-25T{hour:02}:00" for hour in range(24)]
    for offset in (3600, 7200):
        line = landed(response({"time": times, "temperature_2m": list(range(24))}, utc_offset_seconds=offset))
        first = datetime(2026, 10, 25) - timedelta(seconds=offset)
        assert hours(decoded(line), "temperature_2m") == [(first + timedelta(hours=n), n) for n in range(24)]


def test_a_zone_with_half_hours_keeps_its_moments() -> None:
    line = landed(response({"time": TIMES[:1], "temperature_2m": [1]}, utc_offset_seconds=34_200))
    assert hours(decoded(line)) == [(datetime(2026, 11, 19, 14, 30),)]


def test_unix_times_are_utc_whatever_the_offset() -> None:
    units = {"time": "unixtime", "temperature_2m": "°C"}
    body = response({"time": [1_795_132_800], "temperature_2m": [1]}, units, utc_offset_seconds=7200)
    assert hours(decoded(landed(body))) == [(datetime(2026, 11, 20),)]


@pytest.mark.parametrize(
    ("variable", "unit", "value", "expected"),
    [
        ("temperature_2m", "°F", 32.6, "0.3333"),
        ("temperature_2m", "°F", -40, "-40"),
        ("precipitation", "inch", 0.169, "4.2926"),
        ("wind_speed_10m", "mp/h", 13.2, "21.2433"),
        ("wind_speed_10m", "kn", 11.2, "20.7424"),
        ("wind_gusts_10m", "m/s", 7.1, "25.56"),
        ("weather_code", "wmo code", 61, "61"),
    ],
)
def test_other_units_are_converted(variable: str, unit: str, value: float, expected: str) -> None:
    line = landed(response({"time": TIMES[:1], variable: [value]}, {variable: unit}))
    assert hours(decoded(line), variable) == [(NIGHT, Decimal(expected))]


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_a_unit_that_cannot_be_converted_rejects_the_hours(variable) -> None:
    result = decoded(landed(response({"time": TIMES, variable.name: [1, 2, 3]}, {variable.name: "furlong"})))
    assert reasons(result["hourly"]) == [
        f"{variable.name} is in 'furlong', which cannot be converted to {variable.unit}"
    ]
    assert (result["hourly"].records_in, result["location"].rows.num_rows) == (1, 1)


def test_a_variable_that_the_archive_does_not_have_is_null() -> None:
    units = {"precipitation_probability": "undefined"}
    line = landed(response({"time": TIMES, "precipitation_probability": [None, None, None]}, units))
    assert [value for _, value in hours(decoded(line), "precipitation_probability")] == [None] * 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hourly": {"time": TIMES, "temperature_2m": [1, 2]}}, "hourly.temperature_2m has 2 values for 3 times"),
        ({"hourly": {"time": TIMES, "temperature_2m": None}}, "hourly.temperature_2m has no list for 3 times"),
        ({"hourly": {"temperature_2m": [1]}}, "hourly.time is not a list"),
        ({"utc_offset_seconds": None}, "utc_offset_seconds is not a number of seconds"),
        (
            {"hourly_units": {"time": "julian", "temperature_2m": "°C"}},
            "times are in 'julian': iso8601 and unixtime can be read",
        ),
    ],
)
def test_hours_that_cannot_be_read_are_one_rejection(change: dict[str, Any], reason: str) -> None:
    body = {**response({"time": TIMES, "temperature_2m": [1, 2, 3]}), **change}
    assert reasons(decoded(landed(body))["hourly"]) == [reason]


@pytest.mark.parametrize(
    ("time", "value", "reason"),
    [
        ("2026-11-20T01:00", 66, "temperature_2m is 66.0000: at most 65 is allowed"),
        ("2026-11-20T01:00", "warm", "temperature_2m is not a number: 'warm'"),
        ("2026-11-20T01:00", True, "temperature_2m is not a number: 'True'"),
        ("2026-11-20T01:00", 1.00001, "temperature_2m is 1.00001: it does not fit decimal(9,4)"),
        ("2026-11-20T01:00", 10**30, f"temperature_2m is {10**30}: it does not fit decimal(9,4)"),
        ("yesterday", 1, "time is 'yesterday': not in iso8601"),
        ("2026-11-20T01:00+01:00", 1, "time is '2026-11-20T01:00+01:00': not in iso8601"),
        (1_763_596_800, 1, "time is '1763596800': not in iso8601"),
        (
            "2027-01-01T00:00",
            1,
            "observed_at is 2027-01-01 00:00:00: later than snapshot_at, 2026-11-26 00:10:00",
        ),
    ],
)
def test_a_bad_hour_is_rejected_alone(time: object, value: object, reason: str) -> None:
    body = response({"time": [TIMES[0], time, TIMES[2]], "temperature_2m": [1, value, 3]})
    result = decoded(landed(body))
    assert reasons(result["hourly"]) == [reason]
    assert [at.hour for (at,) in hours(result)] == [0, 2]
    assert result["hourly"].quarantined[0].entity == "paris"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line is not JSON: "),
        (b"[1]", "not a record of Airbyte: no object"),
        (b"\xff", "line is not JSON: "),
        (b'{"_airbyte_extracted_at": 1, "_airbyte_data": {"latitude": NaN}}', "line is not JSON: NaN"),
        (b'{"_airbyte_data": 1}', "_airbyte_data is not an object"),
        (b'{"_airbyte_data": {}}', "_airbyte_extracted_at is neither"),
    ],
)
def test_a_line_that_is_no_record_is_rejected(line: bytes, reason: str) -> None:
    result = decoded(LandedLine("a", 1, line))
    (found,) = reasons(result["location"])
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"error": True, "reason": "no such day"}, "Open-Meteo responded with an error: no such day"),
        ({"requested": None}, "the record does not name the place that was requested"),
        ({"hourly": None}, "the response has no `hourly` with `hourly_units`"),
        ({"latitude": 50.1}, "the response is of 50.1, 2.36, and not of the place requested"),
        ({"longitude": "east"}, "the response is of 48.86, east, and not of the place requested"),
        ({"dataset": "guess"}, "dataset is 'guess': not one of the 3 allowed values"),
        ({"requested": "Paris!"}, "location_id is 'Paris!': must match [a-z0-9][a-z0-9_-]{0,62}"),
        ({"timezone": None}, "timezone is null: a value is required"),
        ({"utc_offset_seconds": 60_000}, "utc_offset_seconds is 60000: at most 50400 is allowed"),
    ],
)
def test_a_response_that_is_not_of_the_place_is_rejected(change: dict[str, Any], reason: str) -> None:
    result = decoded(landed({**response({"time": []}), **change}))
    assert reasons(result["location"]) == [reason]


def test_places_meet_at_the_date_line() -> None:
    line = landed(response({"time": []}, longitude=-179.9, requested_longitude=179.9))
    assert decoded(line)["location"].rows.num_rows == 1


def test_a_record_that_airbyte_changed_is_rejected() -> None:
    changes = [{"field": "hourly", "change": "NULLED", "reason": "DESTINATION_RECORD_SIZE_LIMITATION"}]
    line = landed(response({"time": TIMES}), _airbyte_meta={"changes": changes})
    (found,) = reasons(decoded(line)["location"])
    assert found == "altered by Airbyte: hourly NULLED (DESTINATION_RECORD_SIZE_LIMITATION)"


def test_a_repeated_record_is_a_duplicate_and_of_two_that_differ_the_later_line_stays() -> None:
    first, same, other = (response({"time": TIMES[:1], "temperature_2m": [value]}) for value in (1, 1, 2))
    result = decoded(landed(first, 1), landed(same, 2), landed(other, 3))
    assert hours(result, "temperature_2m") == [(NIGHT, Decimal(2))]
    assert (result["location"].duplicates, result["hourly"].duplicates) == (2, 0)
    assert reasons(result["hourly"]) == ["conflicts with a newer record of the same key"] * 2
    again = decoded(landed(first, 1), landed(same, 2))
    assert (again["hourly"].duplicates, again["hourly"].quarantined) == (1, ())


def test_the_order_of_the_lines_does_not_matter() -> None:
    lines = [
        landed(response({"time": TIMES, "temperature_2m": [n, n, 99]}, requested=f"place-{n % 3}"), n)
        for n in range(1, 7)
    ]
    wanted = decoded(*lines)
    random.Random(7).shuffle(lines)
    found = decoded(*lines)
    for name in wanted:
        assert found[name].rows.equals(wanted[name].rows)
        assert found[name].quarantined == wanted[name].quarantined


def test_an_iso_time_of_extraction_is_read_as_utc() -> None:
    line = landed(response({"time": TIMES[:1], "temperature_2m": [1]}), extracted="2026-11-26T02:10:00+02:00")
    assert hours(decoded(line), "snapshot_at") == [(NIGHT, datetime(2026, 11, 26, 0, 10))]


def test_nothing_is_rows_of_the_right_schema() -> None:
    result = decode([])
    assert {name: table.rows.num_rows for name, table in result.items()} == {"location": 0, "hourly": 0}
    assert result["hourly"].rows.schema == HOURLY.schema


def test_no_float_is_ever_between_the_response_and_the_row() -> None:
    """0.1 + 0.2 in binary is not 0.3: the digits of the response are those of the row."""
    text = json.dumps(response({"time": TIMES[:1], "temperature_2m": ["DIGITS"]})).replace('"DIGITS"', "20.3000")
    line = landed({})
    whole = line.text.replace(b'"_airbyte_data": {}', b'"_airbyte_data": ' + text.encode())
    assert hours(decoded(LandedLine("a", 1, whole)), "temperature_2m") == [(NIGHT, Decimal("20.3"))]


def test_the_quarantine_has_the_digits_of_the_response() -> None:
    body = response({"time": TIMES[:1], "temperature_2m": [70.10], "precipitation": [0.1]})
    body["hourly_units"]["precipitation"] = "inch"
    text = json.dumps(body).replace("70.1", "70.100012")
    whole = landed({}).text.replace(b'"_airbyte_data": {}', b'"_airbyte_data": ' + text.encode())
    (rejected,) = decoded(LandedLine("a", 7, whole))["hourly"].quarantined
    assert rejected.record == '{"time":"2026-11-20T00:00","temperature_2m":"70.100012","precipitation":"0.1"}'
    assert (rejected.source_object, rejected.source_line) == ("a", 7)
