"""A request of hours: its parameters, as Open-Meteo checks them, and what it counts for.

Here: parsing and checking the query. Not here: the response (`api.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vp_pipeline.sources.open_meteo.variables import BY_NAME

ARCHIVE, FORECAST = "/v1/archive", "/v1/forecast"
_ARCHIVE_BEGINS = date(1940, 1, 1)
# What the forecast API has of the past and of the future, in days.
_BACK, _AHEAD = 92, 15
_CHOICES = {
    "timeformat": ("iso8601", "unixtime"),
    "temperature_unit": ("celsius", "fahrenheit"),
    "wind_speed_unit": ("kmh", "ms", "mph", "kn"),
    "precipitation_unit": ("mm", "inch"),
}


class Rejected(Exception):
    """A request that Open-Meteo would reject, with its status and reason."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@dataclass(frozen=True)
class HoursRequest:
    """A checked request. `start`, `end`: local days, both included. `offset`: how far local time is ahead of UTC, of
    the moment of the request. `chosen`: the units and the form of times, by parameter."""

    is_archive: bool
    places: tuple[tuple[float, float], ...]
    variables: tuple[str, ...]
    start: date
    end: date
    timezone: str
    offset: timedelta
    chosen: Mapping[str, str]

    @property
    def calls(self) -> float:
        """What it counts for in the limits: more than ten variables, or two weeks, count for more than one."""
        days = (self.end - self.start).days + 1
        return len(self.places) * max(1.0, len(self.variables) / 10) * max(1.0, days / 14)


def parse(path: str, query: Mapping[str, str], now: datetime) -> HoursRequest:
    """Parses a query; `now` is the moment of the request (UTC).

    Raises:
        Rejected: with Open-Meteo's status and reason.
    """
    if path not in (ARCHIVE, FORECAST):
        raise Rejected("Not Found", 404)
    places = _places(query)
    variables = tuple(name for name in query.get("hourly", "").split(",") if name)
    for name in variables:
        if name not in BY_NAME:
            raise Rejected(f"Data corrupted at path ''. Cannot initialize variable from invalid String value {name}.")
    timezone = query.get("timezone") or "GMT"
    offset = _offset(timezone, now)
    today = (now + offset).date()
    oldest, newest = _ARCHIVE_BEGINS, today
    if path == FORECAST:
        oldest, newest = today - timedelta(days=_BACK), today + timedelta(days=_AHEAD)
    start, end = (_day(query, name, oldest, newest) for name in ("start_date", "end_date"))
    if end < start:
        raise Rejected("End-date must be larger or equals than start-date.")
    chosen = {name: _choice(query, name, values) for name, values in _CHOICES.items()}
    return HoursRequest(path == ARCHIVE, places, variables, start, end, timezone, offset, chosen)


def _places(query: Mapping[str, str]) -> tuple[tuple[float, float], ...]:
    columns = []
    for name, limit in (("latitude", 90), ("longitude", 180)):
        try:
            values = [float(text) for text in query.get(name, "").split(",")]
        except ValueError:
            raise Rejected(f"Value of type 'Float' required for key '{name}'.") from None
        for value in values:
            if not -limit <= value <= limit:
                raise Rejected(f"{name.capitalize()} must be in range of -{limit} to {limit}°. Given: {value}.")
        columns.append(values)
    if len(columns[0]) != len(columns[1]):
        raise Rejected("Parameter 'latitude' and 'longitude' must have the same number of elements")
    return tuple(zip(*columns, strict=True))


def _day(query: Mapping[str, str], name: str, oldest: date, newest: date) -> date:
    try:
        day = date.fromisoformat(query.get(name, ""))
    except ValueError:
        raise Rejected(f"Invalid date format. Make sure to use 'YYYY-MM-DD': {name}") from None
    if not oldest <= day <= newest:
        raise Rejected(f"Parameter '{name}' is out of allowed range from {oldest} to {newest}")
    return day


def _offset(timezone: str, now: datetime) -> timedelta:
    try:
        found = now.astimezone(ZoneInfo("UTC" if timezone == "GMT" else timezone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        raise Rejected("Invalid timezone") from None
    return found or timedelta()


def _choice(query: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    found = query.get(name) or values[0]
    if found not in values:
        raise Rejected(f"Data corrupted at path ''. Cannot initialize {name} from invalid String value {found}.")
    return found


def moment(now: int) -> datetime:
    """Unix milliseconds as a moment (UTC)."""
    return datetime.fromtimestamp(now / 1000, UTC)
