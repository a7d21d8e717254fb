"""Landed lines of Open-Meteo's responses, made by hand."""

import json
from typing import Any

from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.open_meteo.decode import decode

# 2026-11-26T00:10Z, in unix milliseconds.
EXTRACTED = 1_795_651_800_000
TIMES = ["2026-11-20T00:00", "2026-11-20T01:00", "2026-11-20T02:00"]


def response(hourly: dict[str, Any], units: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """A response of Paris in GMT, with what the connector adds; of temperatures unless there are units."""
    return {
        "latitude": 48.86,
        "longitude": 2.36,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "elevation": 43.0,
        "hourly_units": {"time": "iso8601", **(units or {"temperature_2m": "°C"})},
        "hourly": hourly,
        "requested": "paris",
        "requested_latitude": 48.8566,
        "requested_longitude": 2.3522,
        "dataset": "archive",
        **fields,
    }


def landed(data: Any, line: int = 1, extracted: Any = EXTRACTED, **fields: Any) -> LandedLine:
    record = {
        "_airbyte_raw_id": "00000000-0000-0000-0000-000000000000",
        "_airbyte_extracted_at": extracted,
        "_airbyte_generation_id": 0,
        "_airbyte_meta": {"sync_id": 1, "changes": []},
        "_airbyte_data": data,
        **fields,
    }
    return LandedLine("a.jsonl.gz", line, json.dumps(record, ensure_ascii=False).encode())


def decoded(*lines: LandedLine) -> dict[str, Decoded]:
    """Every table's records add up."""
    result = decode(lines)
    assert {name: table.unaccounted for name, table in result.items()} == dict.fromkeys(result, 0)
    return result


def hours(result: dict[str, Decoded], *columns: str) -> list[tuple[Any, ...]]:
    rows = result["hourly"].rows
    return list(zip(*(rows[name].to_pylist() for name in ("observed_at", *columns)), strict=True))


def reasons(result: Decoded) -> list[str]:
    return [row.reason for row in result.quarantined]
