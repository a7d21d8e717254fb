"""Weather from a seed: by latitude, day of the year and hour, the same whenever and in whatever window it is requested.

Here: values in Open-Meteo's default units. Not here: which hours are there, and how they are written (`api.py`).

Each value is a mean of the season and the hour of the day, and a draw that changes smoothly from day to day, so that
warm and wet days follow each other as they do.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_HOURS_OF_A_YEAR = 8766
_WARMEST_DAY, _WARMEST_HOUR = 201, 15
_SHARE_OF_WET_DAYS = 0.35


@dataclass(frozen=True)
class Weather:
    """The weather at a place: `latitude` and `longitude` in degrees."""

    seed: int
    latitude: float
    longitude: float

    def at(self, hour: int, forecast: bool) -> Mapping[str, float | int]:
        """All variables at an hour (hours since 1970, UTC). A forecast is near what the archive has later."""
        error = self._smooth("error", hour) if forecast else 0.0
        temperature = self._temperature(hour) + 0.8 * error
        rain = self._rain(hour) * (1 + 0.3 * error)
        humidity = min(100, max(15, round(65 + 20 * self._smooth("humidity", hour) + 20 * (rain > 0))))
        wind = 14 + 11 * self._smooth("wind", hour)
        clouds = min(100, max(0, round(50 + 60 * self._smooth("clouds", hour) + 40 * (rain > 0))))
        sun = max(0.0, math.cos((self._solar_hour(hour) - 12) / 24 * 2 * math.pi))
        return {
            "temperature_2m": round(temperature, 1),
            "apparent_temperature": round(temperature + 0.02 * humidity - 0.15 * wind, 1),
            "wet_bulb_temperature_2m": round(temperature - (100 - humidity) * 0.12, 1),
            "relative_humidity_2m": humidity,
            "precipitation": round(rain, 1),
            "precipitation_probability": min(100, round(40 + 40 * self._smooth("rain", hour) + 60 * (rain > 0))),
            "pressure_msl": round(1014 + 12 * self._smooth("pressure", hour), 1),
            "cloud_cover": clouds,
            "wind_speed_10m": round(wind, 1),
            "wind_gusts_10m": round(wind * 1.8, 1),
            "wind_direction_10m": round(180 + 180 * self._smooth("direction", hour)) % 360,
            "et0_fao_evapotranspiration": round(max(0.0, 0.02 * temperature * sun * (1 - clouds / 200)), 2),
            "weather_code": _weather_code(temperature, rain, clouds),
        }

    def _temperature(self, hour: int) -> float:
        away = abs(self.latitude) / 90
        day = hour / 24 % (_HOURS_OF_A_YEAR / 24)
        season = math.cos((day - _WARMEST_DAY) / (_HOURS_OF_A_YEAR / 24) * 2 * math.pi)
        daily = math.cos((self._solar_hour(hour) - _WARMEST_HOUR) / 24 * 2 * math.pi)
        mean = 27 - 50 * away**2
        return mean + math.copysign(20 * away, self.latitude) * season + 4.5 * daily + 4 * self._smooth("warmth", hour)

    def _rain(self, hour: int) -> float:
        """Millimetres of the hour: wet days have one shower of some hours."""
        day = hour // 24
        if self._draw("wet", day) >= _SHARE_OF_WET_DAYS:
            return 0.0
        begins, lasts = int(self._draw("begins", day) * 18), 2 + int(self._draw("lasts", day) * 5)
        if not begins <= hour % 24 < begins + lasts:
            return 0.0
        return 0.1 + 4 * self._draw("amount", day) * self._draw("share", hour)

    def _solar_hour(self, hour: int) -> float:
        return (hour + self.longitude / 15) % 24

    def _smooth(self, what: str, hour: int) -> float:
        """A number from -1 to 1 that is drawn for each day and is between the draws within it."""
        day, share = divmod(hour, 24)
        weight = (1 - math.cos(share / 24 * math.pi)) / 2
        return 2 * ((1 - weight) * self._draw(what, day) + weight * self._draw(what, day + 1)) - 1

    def _draw(self, what: str, number: int) -> float:
        return _draw(f"{self.seed} {self.latitude:.4f} {self.longitude:.4f} {what} {number}")


@lru_cache(maxsize=10_000)
def _draw(name: str) -> float:
    """A number from 0 to 1, the same for the same name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48


def _weather_code(temperature: float, rain: float, clouds: int) -> int:
    if rain > 0:
        kind = 0 if rain < 0.5 else 1 if rain < 2.5 else 2
        return (71, 73, 75)[kind] if temperature < 0 else (61, 63, 65)[kind]
    return (0, 1, 2, 3)[min(3, clouds // 25)]
