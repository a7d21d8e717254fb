"""The sandbox's Open-Meteo: a request in, a status and one place, or a list of places, out.

Here: the form of responses, errors and limits. Not here: HTTP (`../server.py`), values (`weather.py`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.open_meteo.recordings import Recordings
from vp_pipeline.sandbox.open_meteo.request import HoursRequest, Rejected, moment, parse
from vp_pipeline.sandbox.open_meteo.weather import Weather
from vp_pipeline.sources.open_meteo.variables import BY_NAME

PLACES = (
    "new-york:40.7128,-74.006",
    "london:51.5074,-0.1278",
    "berlin:52.52,13.41",
    "tokyo:35.6762,139.6503",
    "sydney:-33.8688,151.2093",
)
# An hour is in the archive when it is this old.
ARCHIVE_LAG = timedelta(days=5)
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_USED_UP = "Minutely API request limit exceeded. Please try again in one minute."
# By the value of a parameter: the unit that it stands for, and what becomes of a value in the default unit.
_UNITS: dict[str, tuple[str, Callable[[float], float]]] = {
    "fahrenheit": ("°F", lambda celsius: round(celsius * 1.8 + 32, 1)),
    "ms": ("m/s", lambda kmh: round(kmh / 3.6, 2)),
    "mph": ("mp/h", lambda kmh: round(kmh / 1.609344, 1)),
    "kn": ("kn", lambda kmh: round(kmh / 1.852, 1)),
    "inch": ("inch", lambda mm: round(mm / 25.4, 3)),
}
_PARAMETER = {"°C": "temperature_unit", "km/h": "wind_speed_unit", "mm": "precipitation_unit"}


class OpenMeteoApi:
    """Responds to requests with generated weather, or from a folder of recorded responses.

    Args:
        recordings: the folder; None: responses are generated.
        seed: another seed generates other weather.
        calls_per_minute: the limit; one place counts for one call, or more (`HoursRequest.calls`).

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(self, recordings: Path | None = None, seed: int = 7, calls_per_minute: int = 600) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed
        self._limit = calls_per_minute
        self._minute, self._used = 0, 0.0
        self._lock = threading.Lock()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings holds no hours, each as a sentence with its file."""
        return () if self._recordings is None else self._recordings.left_out

    @property
    def entities(self) -> tuple[str, ...]:
        """Places, as in the settings; of recordings one entry per response, so that requesting all of them once gets
        every response."""
        return PLACES if self._recordings is None else self._recordings.places

    @property
    def example(self) -> str:
        """A request of one place and day."""
        latitude, longitude = self.entities[0].partition(":")[2].split(",")
        place = f"latitude={latitude}&longitude={longitude}"
        return f"/v1/archive?{place}&hourly=temperature_2m&start_date=2026-03-01&end_date=2026-03-01"

    def respond(self, request: Request) -> Response:
        """What a GET of `/v1/archive` or `/v1/forecast` gets. Each clock goes through the recordings on its own."""
        if request.method != "GET":
            return self.refusal(405, "", "Method Not Allowed")
        began = time.perf_counter()
        try:
            places = self._places(request)
        except Rejected as rejected:
            return self.refusal(rejected.status, "", rejected.reason)
        for place in places:
            place.setdefault("generationtime_ms", (time.perf_counter() - began) * 1000)
        return Response(200, orjson.dumps(places if len(places) > 1 else places[0]))

    def refusal(self, status: int, kind: str, message: str) -> Response:
        """An error in Open-Meteo's form, which has no kinds."""
        return Response(status, orjson.dumps({"error": True, "reason": message}))

    def _places(self, request: Request) -> list[dict[str, Any]]:
        now = moment(request.now)
        wanted = parse(request.path, request.query, now)
        self._count(wanted.calls)
        if self._recordings is not None:
            found = [self._recordings.take(request.clock, place) for place in wanted.places]
        else:
            found = [self._place(wanted, place, now) for place in wanted.places]
        # The first place of a list has no position, as with the vendor.
        return [{**place, **({"location_id": index} if index else {})} for index, place in enumerate(found)]

    def _count(self, calls: float) -> None:
        with self._lock:
            minute = int(time.time() // 60)
            used = self._used if minute == self._minute else 0.0
            if used + calls > self._limit:
                raise Rejected(_MINUTE_USED_UP, 429)
            self._minute, self._used = minute, used + calls

    def _place(self, request: HoursRequest, place: tuple[float, float], now: datetime) -> dict[str, Any]:
        latitude, longitude = (round(round(value * 10) / 10, 6) for value in place)
        hours = list(_hours(request))
        weather = Weather(self._seed, *place)
        values = [weather.at(hour, not request.is_archive) for hour in hours]
        there = [not request.is_archive or _EPOCH + hour * _HOUR < now - ARCHIVE_LAG for hour in hours]
        seconds = int(request.offset.total_seconds())
        return {
            "latitude": latitude,
            "longitude": longitude,
            "utc_offset_seconds": seconds,
            "timezone": request.timezone,
            "timezone_abbreviation": _abbreviation(seconds),
            "elevation": float(round(abs(latitude * 7 + longitude * 3) % 400)),
            "hourly_units": {
                "time": request.chosen["timeformat"],
                **{name: self._unit(request, name)[0] for name in request.variables},
            },
            "hourly": {
                "time": [_written(request, hour) for hour in hours],
                **{name: self._series(request, name, values, there) for name in request.variables},
            },
        }

    def _series(self, request: HoursRequest, name: str, values: list[Any], there: list[bool]) -> list[Any]:
        if request.is_archive and name == "precipitation_probability":
            return [None] * len(values)
        convert = self._unit(request, name)[1]
        return [convert(value[name]) if known else None for value, known in zip(values, there, strict=True)]

    def _unit(self, request: HoursRequest, name: str) -> tuple[str, Callable[[float], float]]:
        unit = BY_NAME[name].unit
        if request.is_archive and name == "precipitation_probability":
            return "undefined", lambda value: value
        return _UNITS.get(request.chosen.get(_PARAMETER.get(unit, ""), ""), (unit, lambda value: value))


def build(recordings: Path | None, seed: int) -> OpenMeteoApi:
    """The stand-in with the limit of the free API."""
    return OpenMeteoApi(recordings, seed)


def _hours(request: HoursRequest) -> Iterator[int]:
    """The hours of the local days (hours since 1970, UTC); where local time is half an hour off, of the hour begun."""
    midnight = datetime(request.start.year, request.start.month, request.start.day, tzinfo=UTC)
    first = (midnight - request.offset - _EPOCH) // _HOUR
    yield from range(first, first + 24 * ((request.end - request.start).days + 1))


def _written(request: HoursRequest, hour: int) -> str | int:
    if request.chosen["timeformat"] == "unixtime":
        return hour * 3600
    midnight = datetime(request.start.year, request.start.month, request.start.day)
    first = (midnight.replace(tzinfo=UTC) - request.offset - _EPOCH) // _HOUR
    return (midnight + (hour - first) * _HOUR).isoformat(timespec="minutes")


def _abbreviation(seconds: int) -> str:
    if not seconds:
        return "GMT"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"GMT{'+' if seconds > 0 else '-'}{hours}{f':{minutes:02}' if minutes else ''}"
