"""Open-Meteo's settings: places, variables and days, and what the connector is configured with."""

from typing import Any

import pytest
import yaml
from jsonschema import validate
from pydantic import SecretStr, ValidationError

from vp_pipeline.failures import PermanentError
from vp_pipeline.sources.open_meteo.settings import OpenMeteoSettings
from vp_pipeline.sources.open_meteo.source import OPEN_METEO, connector_config, request_of
from vp_pipeline.sources.open_meteo.variables import DEFAULT_VARIABLES
from vp_pipeline.sources.source import Origin

SANDBOX = Origin("http://127.0.0.1:1", "sandbox", ("berlin:52.52,13.41", "lima:-12.05,-77.04"))
SPEC = yaml.safe_load(OPEN_METEO.manifest.read_text())["spec"]["connection_specification"]


def configured(origin: Origin = SANDBOX, **settings: Any) -> dict[str, Any]:
    config = connector_config(OpenMeteoSettings.model_validate(settings), origin)
    validate(config, SPEC)
    return config


def test_places_are_separated_by_semicolons() -> None:
    config = configured(locations="paris:48.8566,2.3522; the-pole:-90,0;")
    assert config["locations"] == [
        {"name": "paris", "latitude": 48.8566, "longitude": 2.3522},
        {"name": "the-pole", "latitude": -90.0, "longitude": 0.0},
    ]
    found = request_of(config)
    assert found is not None
    assert (found.entities, found.days) == (("paris", "the-pole"), 7)


def test_without_places_those_of_the_sandbox_are_requested_with_all_variables_that_the_archive_has() -> None:
    config = configured()
    assert [place["name"] for place in config["locations"]] == ["berlin", "lima"]
    assert config["variables"] == list(DEFAULT_VARIABLES)
    assert config["datasets"] == ["archive", "forecast"]
    assert config["base_url"] == config["forecast_url"] == SANDBOX.base_url


def test_a_recording_is_requested_once_as_it_does_not_name_its_api() -> None:
    assert configured(Origin("http://127.0.0.1:1", "r", SANDBOX.entities, recorded=True))["datasets"] == ["recorded"]


def test_the_vendor_has_an_address_for_each_api_and_takes_a_key() -> None:
    free = OpenMeteoSettings(live=True)
    assert free.uses_vendor
    config = configured(Origin.of_vendor(free), live=True, locations="paris:48.8566,2.3522")
    assert config["base_url"] == "https://archive-api.open-meteo.com"
    assert config["forecast_url"] == "https://api.open-meteo.com"
    assert config["authentication"] == "none"
    paying = OpenMeteoSettings(api_key=SecretStr("k"))
    assert paying.uses_vendor
    assert paying.secrets == ("k",)
    config = configured(Origin.of_vendor(paying), api_key="k", locations="paris:48.8566,2.3522")
    assert (config["authentication"], config["api_key"]) == ("key", "k")


def test_the_vendor_is_requested_for_places_that_are_named() -> None:
    live = OpenMeteoSettings(live=True)
    with pytest.raises(PermanentError, match="VP_OPEN_METEO_LOCATIONS names no place"):
        connector_config(live, Origin.of_vendor(live))


def test_recordings_are_never_the_vendor() -> None:
    assert not OpenMeteoSettings(live=True, recordings="x").uses_vendor  # type: ignore[arg-type]
    assert not OpenMeteoSettings().uses_vendor


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"locations": "paris"}, "paris is not a valid place: write NAME:LATITUDE,LONGITUDE"),
        ({"locations": "Paris:1,2"}, "Paris:1,2 is not a valid place"),
        ({"locations": "paris:91,2"}, "latitudes are from -90 to 90"),
        ({"locations": "paris:1,181"}, "longitudes from -180 to 180"),
        ({"locations": "a:1,2;a:3,4"}, "a is named twice"),
        ({"variables": "temperature_2m,warmth"}, "unknown variable warmth: the tables have temperature_2m, "),
        ({"window_days": 5}, r"5 days \(VP_OPEN_METEO_WINDOW_DAYS\) do not reach the archive"),
        ({"window_days": 91}, "less than or equal to 90"),
    ],
)
def test_what_cannot_be_requested_is_named(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        OpenMeteoSettings.model_validate(settings)


@pytest.mark.parametrize("config", [{}, {"locations": []}, {"locations": ["paris"]}, {"asins": ["B000000001"]}])
def test_another_configuration_requests_nothing_that_is_known(config: dict[str, Any]) -> None:
    assert request_of(config) is None
