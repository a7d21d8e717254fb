"""Landed lines of ScraperAPI's responses, made by hand."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.scraperapi.decode import decode

# 2026-11-26T00:10Z, in unix milliseconds.
EXTRACTED = 1_795_651_800_000
ASIN = "B0D4M48BM2"


def page(requested: str = f"US:{ASIN}", **fields: Any) -> dict[str, Any]:
    """A page with every field that the table has, and what the connector adds."""
    return {
        "name": "Snorkel Mask",
        "product_information": {"asin": requested.partition(":")[2], "best_sellers_rank": ["#54 in Goggles"]},
        "brand": "Visit the Example Store",
        "pricing": "$18.31",
        "list_price": "$1,022.50",
        "availability_status": "In Stock",
        "average_rating": 4.6,
        "total_reviews": 8218,
        "ships_from": "Amazon.com",
        "sold_by": "Example Trading",
        "requested": requested,
        **fields,
    }


def landed(data: Any, line: int = 1, extracted: Any = EXTRACTED, **fields: Any) -> LandedLine:
    record = {
        "_airbyte_extracted_at": extracted,
        "_airbyte_meta": {"sync_id": 1, "changes": []},
        "_airbyte_data": data,
        **fields,
    }
    return LandedLine("a.jsonl.gz", line, json.dumps(record, ensure_ascii=False).encode())


def decoded(lines: Iterable[LandedLine], not_before: datetime | None = None) -> Decoded:
    """The table; its records add up."""
    found = decode(lines, not_before)["product_page"]
    assert found.unaccounted == 0
    return found


def reasons(found: Decoded) -> list[str]:
    return [row.reason for row in found.quarantined]
