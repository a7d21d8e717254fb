"""The weather of each place, by day."""

import pandas as pd

from vp_pipeline.dashboard.reading import Reader

DAYS = 400


def places(reader: Reader) -> list[str]:
    """The places, by name."""
    found = reader.rows("select location_id from {dim_location} order by location_id")
    return [str(name) for name in found["location_id"]]


def daily(reader: Reader, place: str) -> pd.DataFrame:
    """The last `DAYS` days of a place, in order. Columns: observed_date, average_temperature, min_temperature,
    max_temperature (°C), precipitation_total (mm; missing where an hour is), is_complete."""
    found = reader.rows(
        "select observed_date, average_temperature, min_temperature, max_temperature, precipitation_total, is_complete "
        f"from {{fct_weather_daily}} where location_id = ? order by observed_date desc limit {DAYS}",
        place,
    )
    return found.iloc[::-1].reset_index(drop=True)
