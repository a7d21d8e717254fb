"""The numbers of real responses of Open-Meteo, counted plainly: nothing of the decoder is imported here."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "open_meteo"
# The contract's unit of each that a real response has, and how one becomes the other: the definitions of the units.
UNITS = {
    "°F": ("°C", lambda value: (value - 32) * 5 / 9),
    "inch": ("mm", lambda value: value * Decimal("25.4")),
    "mp/h": ("km/h", lambda value: value * Decimal("1.609344")),
    "kn": ("km/h", lambda value: value * Decimal("1.852")),
    "m/s": ("km/h", lambda value: value * Decimal("3.6")),
}


def plain_count() -> Iterator[tuple[str, datetime, Decimal, str]]:
    """(variable, moment in UTC, value in the contract's unit, coordinates) of each number in the hours of the real
    responses."""
    for file in sorted(REAL.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        content = content.get("body", content) if isinstance(content, dict) else content
        for place in content if isinstance(content, list) else [content]:
            ahead = timedelta(seconds=place["utc_offset_seconds"])
            for name, values in place["hourly"].items():
                if name == "time":
                    continue
                _, convert = UNITS.get(place["hourly_units"][name], ("", None))
                for time, number in zip(place["hourly"]["time"], values, strict=True):
                    if number is not None:
                        exact = convert(Decimal(number)) if convert else Decimal(number)
                        moment = datetime.strptime(time, "%Y-%m-%dT%H:%M") - ahead
                        value = exact.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
                        yield name, moment, value, f"{place['latitude']},{place['longitude']}"
