"""Landed lines and answers to decode, made by hand or of recordings."""

import json
from pathlib import Path
from typing import Any

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.landed import Decoded, LandedLine

NOW = 1_778_386_768_884  # unix milliseconds; its Keepa minute is 8 075 779
ASIN = "B000000001"


def product(**fields: Any) -> dict[str, Any]:
    return {"asin": ASIN, "domainId": 1, "productType": 0, "csv": None, **fields}


def answer(*products: Any, **fields: Any) -> dict[str, Any]:
    return {"timestamp": NOW, "tokensLeft": 7, "products": list(products), **fields}


def landed(data: Any, line: int = 1, extracted: Any = "now", **fields: Any) -> LandedLine:
    """A landed line, extracted at the moment of the response unless another is given."""
    if extracted == "now":
        answered = data.get("timestamp") if isinstance(data, dict) else None
        extracted = max(NOW, answered) if isinstance(answered, int) else NOW
    record = {
        "_airbyte_raw_id": "00000000-0000-0000-0000-000000000000",
        "_airbyte_extracted_at": extracted,
        "_airbyte_generation_id": 0,
        "_airbyte_meta": {"sync_id": 1, "changes": []},
        "_airbyte_data": data,
        **fields,
    }
    return LandedLine("a.jsonl.gz", line, json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode())


def csv(**series: Any) -> list[Any]:
    """`csv` with the given entries, by index: `csv(_1=[...])`."""
    entries = {int(name[1:]): history for name, history in series.items()}
    return [entries.get(index) for index in range(max(35, *entries) + 1)]


def decoded(*products: Any) -> dict[str, Decoded]:
    """One answer with the products, decoded; every table's records add up."""
    result = decode([landed(answer(*products))])
    assert {name: table.unaccounted for name, table in result.items()} == dict.fromkeys(result, 0)
    return result


def rejections(result: Decoded) -> list[tuple[str, str]]:
    """The quarantine of a table as (reason, record)."""
    return [(row.reason, row.record) for row in result.quarantined]


def recorded_answers(folder: Path) -> dict[str, dict[str, Any]]:
    """Every recording of a folder as an answer, by file name; a lone product gets an envelope."""
    answers = {}
    for path in sorted(folder.glob("*.json")):
        # One recording holds NaN, which is not JSON.
        recorded = json.loads(path.read_bytes(), parse_constant=lambda _: None)
        answers[path.name] = recorded if "products" in recorded else answer(recorded)
    return answers
