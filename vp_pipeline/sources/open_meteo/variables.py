"""The hourly variables of Open-Meteo: units, ranges, and other units that a response may have.

Here: what each variable is. Not here: the tables' other columns (`tables.py`) and how a response is read (`decoding/`).

Ranges are the records of the World Meteorological Organization's archive of extremes (WMO) with room above them, since
models reach beyond what was measured; or what a unit allows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from vp_pipeline.sources.contract import INT, Column, Type

# Open-Meteo writes at most three digits after the point. Converted values are rounded to this many.
MEASURED = Type.decimal(9, 4)
_WMO = "WMO archive of weather and climate extremes"
_PERCENT = "a share in percent"

Convert = Callable[[Decimal], Decimal]


def _times(factor: str) -> Convert:
    return lambda value: value * Decimal(factor)


def _celsius(fahrenheit: Decimal) -> Decimal:
    return (fahrenheit - 32) * 5 / 9


# By unit of the contract: what Open-Meteo can be asked for instead, and how that becomes it. All but Fahrenheit are
# exact before they are rounded.
_CONVERSIONS: Mapping[str, Mapping[str, Convert]] = {
    "°C": {"°F": _celsius},
    "mm": {"inch": _times("25.4")},
    "km/h": {"m/s": _times("3.6"), "mp/h": _times("1.609344"), "kn": _times("1.852")},
}


@dataclass(frozen=True)
class Variable:
    """An hourly variable. `unit`: of the contract, as Open-Meteo writes it. `low`, `high`: inclusive, in that unit."""

    name: str
    description: str
    unit: str
    low: int
    high: int
    range_source: str
    type: Type = MEASURED

    @property
    def column(self) -> Column:
        """Its column; null: the vendor has no value of the hour (yet), or was not asked."""
        return Column(
            self.name,
            self.type,
            f"{self.description} Null: the vendor has none of the hour (yet), or it was not requested.",
            unit=self.unit,
            nullable=True,
            at_least=self.low,
            at_most=self.high,
            range_source=self.range_source,
        )

    def conversion(self, unit: str) -> Convert | None:
        """How a value in `unit` becomes one of the contract's, rounded to its digits; None: it cannot."""
        if unit == self.unit:
            return lambda value: value
        convert = _CONVERSIONS.get(self.unit, {}).get(unit)
        if convert is None or self.type.digits is None:
            return None
        step = Decimal(1).scaleb(-self.type.digits[1])
        return lambda value: convert(value).quantize(step, ROUND_HALF_EVEN)


VARIABLES: tuple[Variable, ...] = (
    Variable("temperature_2m", "Air temperature at 2 m.", "°C", -95, 65, f"{_WMO}: -89.2 to 56.7"),
    Variable(
        "apparent_temperature",
        "Temperature as it is felt, with wind, humidity and radiation.",
        "°C",
        -130,
        95,
        "Open-Meteo's formula on the extremes of its parts",
    ),
    Variable(
        "wet_bulb_temperature_2m", "Wet bulb temperature at 2 m.", "°C", -95, 50, "never above the air temperature"
    ),
    Variable("relative_humidity_2m", "Relative humidity at 2 m.", "%", 0, 100, _PERCENT),
    Variable("precipitation", "Rain, showers and snow of the hour before.", "mm", 0, 500, f"{_WMO}: 305 in 42 minutes"),
    Variable("precipitation_probability", "Probability of more than 0.1 mm; forecasts only.", "%", 0, 100, _PERCENT),
    Variable("pressure_msl", "Air pressure reduced to sea level.", "hPa", 850, 1100, f"{_WMO}: 870 to 1,084.8"),
    Variable("cloud_cover", "Share of the sky that clouds cover.", "%", 0, 100, _PERCENT),
    Variable("wind_speed_10m", "Wind speed at 10 m.", "km/h", 0, 500, f"{_WMO}: gusts to 408"),
    Variable("wind_gusts_10m", "Strongest gust of the hour before, at 10 m.", "km/h", 0, 500, f"{_WMO}: 408"),
    Variable("wind_direction_10m", "Where the wind comes from, clockwise from north.", "°", 0, 360, "a full circle"),
    Variable(
        "et0_fao_evapotranspiration",
        "Reference evapotranspiration (FAO-56) of the hour before.",
        "mm",
        0,
        5,
        "the sun's radiation above the atmosphere evaporates 2 mm of water an hour",
    ),
    Variable(
        "weather_code", "Weather, as a number of WMO's table 4677.", "wmo code", 0, 99, "WMO table 4677", type=INT
    ),
)
BY_NAME: Mapping[str, Variable] = {variable.name: variable for variable in VARIABLES}
# The archive has no probabilities: what is in it has happened.
DEFAULT_VARIABLES = tuple(v.name for v in VARIABLES if v.name != "precipitation_probability")
