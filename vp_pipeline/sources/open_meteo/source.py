"""Open-Meteo as a source: its stream, and its connector's configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.sources.open_meteo.settings import OpenMeteoSettings, location
from vp_pipeline.sources.open_meteo.tables import TABLES
from vp_pipeline.sources.open_meteo.variables import DEFAULT_VARIABLES
from vp_pipeline.sources.source import AirbyteSource, Entity, Origin, Stream, SyncRequest

# A recording does not name which API it is of, so it is requested once.
_RECORDED, _DATASETS = ["recorded"], ["archive", "forecast"]


def connector_config(settings: OpenMeteoSettings, origin: Origin) -> dict[str, object]:
    """The configuration of `connector.yaml` (see its spec for what each means).

    Raises:
        PermanentError: no place is named.
    """
    locations = [location(text) for text in settings.locations or origin.entities]
    if not locations:
        raise PermanentError(
            "Requests go to the real Open-Meteo, but VP_OPEN_METEO_LOCATIONS names no place. Set it to some, separated "
            "by semicolons: NAME:LATITUDE,LONGITUDE, such as paris:48.8566,2.3522."
        )
    forecast = str(settings.forecast_url).rstrip("/") if settings.uses_vendor else origin.base_url
    config: dict[str, object] = {
        "locations": locations,
        "variables": list(settings.variables or DEFAULT_VARIABLES),
        "datasets": _RECORDED if origin.recorded else _DATASETS,
        "window_days": settings.window_days,
        "archive_lag_days": settings.archive_lag_days,
        "base_url": origin.base_url,
        "forecast_url": forecast,
        "authentication": "none",
    }
    if settings.api_key is None:
        return config
    return {**config, "authentication": "key", "api_key": settings.api_key.get_secret_value()}


def request_of(config: Mapping[str, Any]) -> SyncRequest | None:
    """What a configuration of `connector.yaml` requests: places, by name."""
    locations, days = config.get("locations"), config.get("window_days", 7)
    if not (isinstance(locations, list) and locations and all(isinstance(each, Mapping) for each in locations)):
        return None
    return SyncRequest(tuple(dict.fromkeys(str(each.get("name")) for each in locations)), days)


WEATHER = Stream(
    source="open_meteo",
    name="weather",
    description="Open-Meteo's hourly weather of each place: a window of days from the archive and the forecast API.",
    replay="window",
    tables=TABLES,
    decoder="vp_pipeline.sources.open_meteo.decode",
    inspection="vp_pipeline.sources.open_meteo.inspection",
    entity=Entity(("location_id",), "location_id"),
    lasting={"mart.dim_location": ("location_id",)},
)

OPEN_METEO = AirbyteSource(
    name="open_meteo",
    description="Open-Meteo: hourly weather of places.",
    manifest=Path(__file__).with_name("connector.yaml"),
    streams=(WEATHER,),
    settings=OpenMeteoSettings,
    connector_config=connector_config,
    request_of=request_of,
    exported_mart="mart_weather_7_days",
    of_day=lambda day: {"run_date": day.isoformat()},
    incidental=frozenset({"api_key", "base_url", "forecast_url"}),
)
