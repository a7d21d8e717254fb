"""The Open-Meteo connector manifest, run by Airbyte's own runtime against a scripted API on a real socket."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.open_meteo.source import OPEN_METEO
from vp_pipeline_tests.scripted_api import ScriptedApi, records, serving

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

KEY = "k3y with/odd+signs&=%"
PARIS = {"name": "paris", "latitude": 48.8566, "longitude": 2.3522}
LIMA = {"name": "lima", "latitude": -12.0464, "longitude": -77.0428}
HOURS: dict[str, Any] = {"latitude": 48.86, "hourly_units": {"time": "iso8601"}, "hourly": {"time": []}}
MINUTE = {"error": True, "reason": "Minutely API request limit exceeded. Please try again in one minute."}
DAILY = {"error": True, "reason": "Daily API request limit exceeded. Please try again tomorrow."}


def hours_of_each_place(query: dict[str, str]) -> object:
    """As many places as were requested."""
    number = len(query["latitude"].split(","))
    return HOURS if number == 1 else [HOURS, *({**HOURS, "location_id": n} for n in range(1, number))]


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with serving(ScriptedApi(hours_of_each_place)) as server:
        yield server


@pytest.fixture
def airbyte(tmp_path: Path) -> ConnectorRunner:
    return ConnectorRunner(Lake(tmp_path))


def connection(api: ScriptedApi, *places: dict[str, object], **config: object) -> AirbyteConnection:
    everything = {
        "locations": list(places or [PARIS]),
        "variables": ["temperature_2m", "precipitation"],
        "authentication": "none",
        "run_date": "2026-03-03",
        "base_url": f"{api.url}/a",
        "forecast_url": f"{api.url}/f/",
        **config,
    }
    return AirbyteConnection("open_meteo", "weather", OPEN_METEO.manifest, everything, (KEY,))


def sync(airbyte: ConnectorRunner, api: ScriptedApi, *places: dict[str, object], **config: object) -> SyncJob:
    return airbyte.sync(connection(api, *places, **config))


def test_both_apis_share_the_window_between_them(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    job = sync(airbyte, api)
    same = {
        "latitude": "48.8566",
        "longitude": "2.3522",
        "hourly": "temperature_2m,precipitation",
        "timezone": "GMT",
        "timeformat": "iso8601",
        "temperature_unit": "celsius",
        "wind_speed_unit": "kmh",
        "precipitation_unit": "mm",
    }
    assert api.requests == [
        ("/a/v1/archive", {**same, "start_date": "2026-02-25", "end_date": "2026-02-26"}),
        ("/f/v1/forecast", {**same, "start_date": "2026-02-27", "end_date": "2026-03-03"}),
    ]
    assert (job.status, job.records, job.messages) == ("succeeded", 2, ())


def test_all_places_are_in_one_request_and_each_record_names_its_place(
    tmp_path: Path, airbyte: ConnectorRunner, api: ScriptedApi
) -> None:
    job = sync(airbyte, api, PARIS, LIMA, window_days=3, archive_lag_days=2, datasets=["archive"])
    ((_, query),) = api.requests
    assert (query["latitude"], query["longitude"]) == ("48.8566,-12.0464", "2.3522,-77.0428")
    assert (query["start_date"], query["end_date"]) == ("2026-03-01", "2026-03-01")
    added = {"dataset": "archive", "requested_from": "2026-03-01", "requested_to": "2026-03-01"}
    assert records(tmp_path, job) == [
        {**HOURS, "requested": "paris", "requested_latitude": 48.8566, "requested_longitude": 2.3522, **added},
        {
            **HOURS,
            "location_id": 1,
            "requested": "lima",
            "requested_latitude": -12.0464,
            "requested_longitude": -77.0428,
            **added,
        },
    ]


def test_without_a_day_the_window_ends_yesterday(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    config = dict(connection(api).config)
    del config["run_date"]
    around = {(datetime.now(UTC) - timedelta(days=1)).date().isoformat()}
    airbyte.sync(AirbyteConnection("open_meteo", "weather", OPEN_METEO.manifest, config, ()))
    around.add((datetime.now(UTC) - timedelta(days=1)).date().isoformat())
    assert api.requests[-1][1]["end_date"] in around


def test_a_key_is_sent_with_every_request(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    sync(airbyte, api, authentication="key", api_key=KEY)
    assert [query["apikey"] for _, query in api.requests] == [KEY, KEY]


def test_the_limit_of_a_minute_is_waited_for(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    api.script = [(429, MINUTE)]
    job = sync(airbyte, api, minute=0.2)
    assert job.records == 2
    assert 0.2 <= api.times[1] - api.times[0] < 10
    assert "HTTP 429). Retrying in 1.2 seconds" in job.messages[0]


@pytest.mark.parametrize("body", [MINUTE, DAILY, {"error": True, "reason": "Too many concurrent requests"}])
def test_a_limit_to_the_end_is_a_transient_failure(
    airbyte: ConnectorRunner, api: ScriptedApi, body: dict[str, object]
) -> None:
    api.script = [(429, body)] * 2
    with pytest.raises(TransientError, match=str(body["reason"])):
        sync(airbyte, api, max_retries=0)
    assert len(api.requests) == 1


def test_the_limit_of_a_day_is_not_waited_for(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    api.script = [(429, DAILY)]
    with pytest.raises(TransientError, match="tomorrow"):
        sync(airbyte, api)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            400,
            {"error": True, "reason": "Latitude must be in range"},
            "rejected the request: Latitude must be in range",
        ),
        (400, b"<html>", "rejected the request: no reason given"),
        (401, {"error": True, "reason": "The supplied API key is invalid."}, "rejected the API key .*is invalid"),
        (403, b"", "rejected the API key"),
        (404, {"error": True, "reason": "Not Found"}, "no Open-Meteo API at"),
        (200, {"error": True, "reason": "odd"}, "responded with an error: odd"),
    ],
)
def test_a_rejected_request_is_not_retried_and_the_reason_is_reported(
    airbyte: ConnectorRunner, api: ScriptedApi, status: int, body: object, words: str
) -> None:
    api.script = [(status, body)]
    with pytest.raises(PermanentError, match=words):
        sync(airbyte, api)
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_tried_again(airbyte: ConnectorRunner, api: ScriptedApi, status: int) -> None:
    api.script = [(status, b"")]
    assert sync(airbyte, api).records == 2
    assert len(api.requests) == 3


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[]", b"{}", b"null", b"7", b'"hours"'])
def test_a_body_without_hours_is_a_failure_and_not_no_record(
    airbyte: ConnectorRunner, api: ScriptedApi, body: bytes
) -> None:
    api.script = [(200, body)]
    with pytest.raises(TransientError, match="without hours"):
        sync(airbyte, api, max_retries=0)


def test_check_requests_once(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    airbyte.check(connection(api))
    assert [path for path, _ in api.requests] == ["/f/v1/forecast"]
    api.script = [(401, {"error": True, "reason": "no such key"})]
    with pytest.raises(PermanentError, match=r"check of open_meteo/weather failed: .*no such key"):
        airbyte.check(connection(api))


@pytest.mark.parametrize(
    "config",
    [
        {"locations": []},
        {"locations": [{"name": "Paris", "latitude": 1, "longitude": 2}]},
        {"locations": [{**PARIS, "latitude": 91}]},
        {"variables": []},
        {"variables": ["a b"]},
        {"run_date": "yesterday"},
        {"window_days": 1},
        {"authentication": "trust"},
    ],
)
def test_a_config_that_breaks_the_spec_requests_nothing(
    airbyte: ConnectorRunner, api: ScriptedApi, config: dict[str, Any]
) -> None:
    with pytest.raises(PermanentError, match="Config validation error"):
        sync(airbyte, api, **config)
    assert api.requests == []
