"""Open-Meteo's settings: which places are requested, of which days, and from where."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, field_validator, model_validator

from vp_pipeline.sources.open_meteo.tables import NAME
from vp_pipeline.sources.open_meteo.variables import BY_NAME
from vp_pipeline.sources.source_settings import ConnectorSettings
from vp_pipeline.variables import Listed, OrUnset

_NUMBER = r"-?\d{1,3}(?:\.\d{1,7})?"
_LOCATION = re.compile(rf"(?P<name>{NAME}):(?P<latitude>{_NUMBER}),(?P<longitude>{_NUMBER})")


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple("".join(part.split()) for part in value.split(";") if part.strip())
    return value


class OpenMeteoSettings(ConnectorSettings):
    """Requests go to the sandbox, unless `live` is set or there is a key."""

    live: bool = Field(
        default=False,
        description="true: requests go to the real Open-Meteo, which is free without a key for non-commercial use; "
        "false: to the sandbox, unless there is a key. Real and generated weather must not mix: set VP_DATA_DIR to "
        "another folder along with it.",
    )
    api_key: OrUnset[SecretStr] = Field(
        default=None,
        json_schema_extra={"variable": "OPEN_METEO_API_KEY"},
        description="The key of a commercial subscription; with it requests go to the real Open-Meteo. Set the two "
        "addresses to those of customers along with it.",
    )
    url: HttpUrl = Field(
        default=HttpUrl("https://archive-api.open-meteo.com"),
        description="The address of Open-Meteo's archive; with a key https://customer-archive-api.open-meteo.com.",
    )
    forecast_url: HttpUrl = Field(
        default=HttpUrl("https://api.open-meteo.com"),
        description="The address of Open-Meteo's forecast API; with a key https://customer-api.open-meteo.com.",
    )
    locations: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        default=(),
        description="Places to request, separated by semicolons: NAME:LATITUDE,LONGITUDE (degrees), such as "
        "paris:48.8566,2.3522;lima:-12.0464,-77.0428. Empty: five cities.",
    )
    variables: Listed[str] = Field(
        default=(),
        description="Hourly variables to request, separated by commas. Empty: all but precipitation_probability, which "
        "the archive does not have.",
    )
    archive_lag_days: int = Field(
        default=5,
        ge=1,
        le=30,
        description="The newest days that the archive does not have yet: they are requested from the forecast API. "
        "Open-Meteo's reanalysis, ERA5, is five days behind.",
    )
    # Five days of the forecast API, and two of the archive: a day that the archive gets late is requested once more.
    window_days: int = Field(
        default=7,
        ge=2,
        le=90,
        description="How many days each sync requests, the last of them the day that it is of: late values restate. "
        "More than VP_OPEN_METEO_ARCHIVE_LAG_DAYS; the forecast API goes back 92 days.",
    )

    @property
    def uses_vendor(self) -> bool:
        """Whether requests go to the vendor, and not to the sandbox: `live` or a key is set, and no recordings."""
        return (self.live or bool(self.credentials)) and self.recordings is None

    @field_validator("locations")
    @classmethod
    def _are_places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            location(text)
        names = [text.partition(":")[0] for text in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named twice: each place needs a name of its own")
        return value

    @field_validator("variables")
    @classmethod
    def _are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in BY_NAME:
                raise ValueError(f"unknown variable {name}: the tables have {', '.join(BY_NAME)}")
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _window_reaches_the_archive(self) -> "OpenMeteoSettings":
        if self.window_days <= self.archive_lag_days:
            raise ValueError(
                f"{self.window_days} days (VP_OPEN_METEO_WINDOW_DAYS) do not reach the archive, which is "
                f"{self.archive_lag_days} days behind (VP_OPEN_METEO_ARCHIVE_LAG_DAYS): set more"
            )
        return self


def location(text: str) -> dict[str, str | float]:
    """A place of the settings as the connector takes it: `name`, `latitude`, `longitude` in degrees.

    Raises:
        ValueError: it is not written as NAME:LATITUDE,LONGITUDE, or there is no such place.
    """
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text} is not a valid place: write NAME:LATITUDE,LONGITUDE, such as paris:48.8566,2.3522 (a name of "
            "lower-case letters, digits, - and _)"
        )
    latitude, longitude = float(found["latitude"]), float(found["longitude"])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"{text} is not a valid place: latitudes are from -90 to 90, longitudes from -180 to 180")
    return {"name": found["name"], "latitude": latitude, "longitude": longitude}
