"""The tables that Open-Meteo's responses are decoded into: their contracts.

Here: columns, units, ranges and natural keys. Not here: the hourly variables (`variables.py`), and how a response
becomes rows (`decode.py`).

Every key holds `snapshot_at`: silver and RAW keep every response, and CORE chooses of an hour what counts.
"""

from datetime import datetime

from vp_pipeline.sources.contract import INT, TEXT, TIMESTAMP, Column, Table, Type
from vp_pipeline.sources.open_meteo.variables import VARIABLES

# 1e-7 degrees are about a centimetre.
DEGREES = Type.decimal(10, 7)
DATASETS = ("archive", "forecast", "recorded")
NAME = "[a-z0-9][a-z0-9_-]{0,62}"
# ERA5, the oldest data that there are, begins here.
EARLIEST = datetime(1940, 1, 1)
LATEST = datetime(2099, 12, 31, 23, 59, 59, 999999)
_CALENDAR = "ERA5 begins in 1940; beyond 2099 not every consumer's calendar reaches"

LOCATION_ID = Column(
    "location_id", TEXT, "The name of the place in the settings.", matches=NAME, range_source="settings.py"
)
DATASET = Column(
    "dataset",
    TEXT,
    "Which API has it: `archive` (reanalysis, final after about five days), `forecast` (what the models had of days "
    "that the archive does not have yet), `recorded` (a recording, of either).",
    one_of=DATASETS,
    range_source="connector.yaml",
)
OBSERVED_AT = Column(
    "observed_at",
    TIMESTAMP,
    "The hour. Sums, and gusts, are of the hour before it, all else of the moment. A whole hour, but in a recording "
    "that was requested in a zone with half hours.",
    unit="UTC",
    at_least=EARLIEST,
    at_most=LATEST,
    not_after="snapshot_at",
    range_source=_CALENDAR,
)
SNAPSHOT_AT = Column(
    "snapshot_at",
    TIMESTAMP,
    "When the sync got the response: Open-Meteo's name no moment.",
    unit="UTC",
    at_least=EARLIEST,
    at_most=LATEST,
    range_source=_CALENDAR,
)


def _degrees(name: str, description: str, limit: int) -> Column:
    return Column(
        name,
        DEGREES,
        description,
        unit="degrees (WGS84)",
        at_least=-limit,
        at_most=limit,
        range_source="Open-Meteo rejects others",
    )


def _table(name: str, description: str, grain: str, key: tuple[str, ...], columns: tuple[Column, ...]) -> Table:
    return Table("open_meteo", "weather", name, description, grain, key, columns)


LOCATION = _table(
    "location",
    "Where a response is of: the place that was requested, and the centre of the model's cell that it is in.",
    "one row per place, dataset and response",
    ("location_id", "dataset", "snapshot_at"),
    (
        LOCATION_ID,
        DATASET,
        SNAPSHOT_AT,
        _degrees("requested_latitude", "Latitude of the place.", 90),
        _degrees("requested_longitude", "Longitude of the place.", 180),
        _degrees("latitude", "Latitude of the cell.", 90),
        _degrees("longitude", "Longitude of the cell.", 180),
        Column(
            "elevation",
            Type.decimal(7, 2),
            "Height that the values are adjusted to. Null: not given.",
            unit="m",
            nullable=True,
            at_least=-500,
            at_most=9000,
            range_source="the Dead Sea to Mount Everest",
        ),
        Column(
            "timezone",
            TEXT,
            "Time zone of the response's hours; the connector requests GMT.",
            at_least=1,
            at_most=64,
            range_source="names of the IANA time zone database",
        ),
        Column(
            "utc_offset_seconds",
            INT,
            "How far the response's hours are ahead of UTC, all of them alike.",
            unit="s",
            at_least=-43_200,
            at_most=50_400,
            range_source="UTC-12 to UTC+14",
        ),
    ),
)

HOURLY = _table(
    "hourly",
    "The weather of each hour, in UTC.",
    "one row per place, hour and response",
    ("location_id", "observed_at", "snapshot_at"),
    (LOCATION_ID, OBSERVED_AT, SNAPSHOT_AT, DATASET, *(variable.column for variable in VARIABLES)),
)

TABLES = (LOCATION, HOURLY)
