"""The arrays of a response become hours: moments in UTC, values in the contract's units.

Here: times, units and conversions. Not here: which response they are of (`responses.py`), and ranges (`tables.py`).

A response has one offset from UTC, `utc_offset_seconds`: that of the moment of the request, whatever day its hours are
of. So a local time less the offset is UTC, also across a change to or from summer time. Unix times are in UTC already.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from vp_pipeline.sources.contract import Type
from vp_pipeline.sources.open_meteo.decoding.responses import is_number
from vp_pipeline.sources.open_meteo.variables import BY_NAME, Convert, Variable

_EPOCH = datetime(1970, 1, 1)
_FORMATS = ("iso8601", "unixtime")


class UnreadableHours(Exception):
    """Why the hours of a response cannot be read, all of them."""


class Hour(NamedTuple):
    """One hour. `time`: as it is in the response. `observed_at`: UTC, without a zone. `values`: by variable, in the
    contract's units. `problem`: why it cannot become a row; its values are then those of the response."""

    time: Any
    observed_at: datetime | None
    values: Mapping[str, Any]
    problem: str | None


def number_of_hours(body: Mapping[str, Any]) -> int:
    """How many hours a response lists, readable or not."""
    times = body["hourly"].get("time")
    return len(times) if isinstance(times, list) else 0


def read_hours(body: Mapping[str, Any]) -> Iterator[Hour]:
    """The hours of a response, in its order.

    Raises:
        UnreadableHours: its arrays are of different lengths, or a unit is not one that the contract's can be made of.
    """
    hourly, units = body["hourly"], body["hourly_units"]
    times, offset = hourly.get("time"), body.get("utc_offset_seconds")
    if not isinstance(times, list):
        raise UnreadableHours("hourly.time is not a list")
    if units.get("time") not in _FORMATS:
        raise UnreadableHours(f"times are in {units.get('time')!r}: {' and '.join(_FORMATS)} can be read")
    if not isinstance(offset, int) or isinstance(offset, bool) or abs(offset) > 86_400:
        raise UnreadableHours("utc_offset_seconds is not a number of seconds")
    ahead = timedelta(seconds=offset if units["time"] == "iso8601" else 0)
    series = [
        (variable, _list(name, hourly[name], len(times)), _conversion(variable, units, hourly[name]))
        for name, variable in BY_NAME.items()
        if name in hourly
    ]
    for index, time in enumerate(times):
        observed_at = _moment(time, units["time"], ahead)
        problem = None if observed_at else f"time is {str(time)[:40]!r}: not in {units['time']}"
        values: dict[str, Any] = {}
        for variable, column, convert in series:
            values[variable.name], wrong = _value(variable, column[index], convert)
            problem = problem or wrong
        if problem is not None:
            values = {variable.name: column[index] for variable, column, _ in series}
        yield Hour(time, observed_at, values, problem)


def as_measured(value: Any, kind: Type) -> Any:
    """A JSON number as a value of a column; None: it has more digits than the column has.

    A whole number stays an int where the column has no digits.
    """
    if kind.digits is None:
        return int(value) if value == int(value) and abs(value) < 2**63 else None
    precision, scale = kind.digits
    fits = abs(Decimal(value)) < 10 ** (precision - scale) and Decimal(value) == round(Decimal(value), scale)
    return Decimal(value) if fits else None


def _list(name: str, values: object, length: int) -> Sequence[Any]:
    if not isinstance(values, list) or len(values) != length:
        found = f"{len(values)} values" if isinstance(values, list) else "no list"
        raise UnreadableHours(f"hourly.{name} has {found} for {length} times")
    return values


def _conversion(variable: Variable, units: Mapping[str, Any], values: object) -> Convert:
    unit = units.get(variable.name)
    # Of a variable that a dataset does not have, the unit is "undefined" and every value null.
    if isinstance(values, list) and all(value is None for value in values):
        return lambda value: value
    convert = variable.conversion(unit) if isinstance(unit, str) else None
    if convert is None:
        raise UnreadableHours(f"{variable.name} is in {unit!r}, which cannot be converted to {variable.unit}")
    return convert


def _value(variable: Variable, value: Any, convert: Convert) -> tuple[Any, str | None]:
    """A value as the column has it, and what is wrong with it."""
    if value is None:
        return None, None
    if not is_number(value):
        return None, f"{variable.name} is not a number: {str(value)[:40]!r}"
    found = as_measured(convert(Decimal(value)), variable.type)
    return found, None if found is not None else f"{variable.name} is {value}: it does not fit {variable.type.name}"


def _moment(time: object, form: str, ahead: timedelta) -> datetime | None:
    try:
        if form == "unixtime":
            whole = isinstance(time, int) and not isinstance(time, bool)
            return _EPOCH + timedelta(seconds=time) if whole and isinstance(time, int) else None
        local = datetime.fromisoformat(time) if isinstance(time, str) else None
        return local - ahead if local is not None and local.tzinfo is None else None
    except (ValueError, OverflowError):
        return None
