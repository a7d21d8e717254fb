"""How fast Keepa's responses are decoded, next to `json.loads` and the community's `keepa` library.

    python benchmarks/decode.py

Both sides start from bytes in memory, the same responses: the recordings beside the project, each copied under 60
ASINs of its own. Ours ends in eight sorted, checked, unique Arrow tables (rank histories, figures, buy box and all);
theirs in a dict of numpy arrays of `csv` alone. Runs alternate in one process; the medians count.
"""

import importlib.metadata
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from keepa import parse_csv

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.series import SERIES
from vp_pipeline.sources.landed import LandedLine

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "keepa"
COPIES = 60
RUNS = 7


def main() -> int:
    """Print both speeds and their ratio; 0 also where there are no recordings to measure on."""
    responses = _responses()
    if not responses:
        print(f"nothing to measure: no recordings in {RECORDINGS}")
        return 0
    lines = [
        LandedLine("benchmark", number, orjson.dumps(_landed(response)))
        for number, response in enumerate(responses, start=1)
    ]
    bodies = [orjson.dumps(response) for response in responses]
    points = sum(decoded.records_in for decoded in decode(lines).values())
    csv_points = sum(map(_csv_points, responses))
    _decode_with_keepa(bodies)  # decode() is warm already

    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(_seconds(lambda: decode(lines)))
        theirs.append(_seconds(lambda: _decode_with_keepa(bodies)))
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"{len(lines)} responses, {sum(len(line.text) for line in lines) / 1e6:.1f} MB, median of {RUNS} runs")
    print(f"ours          {mine:6.3f} s  {points:>9,} points  {points / mine / 1e6:5.2f} M points/s  (all tables)")
    print(
        f"json + keepa  {peer:6.3f} s  {csv_points:>9,} points  {csv_points / peer / 1e6:5.2f} M points/s  "
        f"(csv alone; keepa {importlib.metadata.version('keepa')})"
    )
    print(f"ratio         {points / mine / (csv_points / peer):.1f}x in points/s, {peer / mine:.1f}x in time")
    return 0


def _responses() -> list[dict[str, Any]]:
    """The recordings, each under `COPIES` ASINs, so that no copy is a duplicate of another."""
    responses = []
    for path in sorted(RECORDINGS.glob("*.json")):
        # One recording holds NaN, which is not JSON, and is a product without its envelope.
        recorded = json.loads(path.read_bytes(), parse_constant=lambda _: None)
        response = recorded if "products" in recorded else {"timestamp": 1_725_000_000_000, "products": [recorded]}
        for _ in range(COPIES):
            products = [{**product, "asin": f"B{len(responses):09}"} for product in response["products"]]
            responses.append({**response, "products": products})
    return responses


def _landed(response: dict[str, Any]) -> dict[str, Any]:
    return {
        "_airbyte_raw_id": "00000000-0000-0000-0000-000000000000",
        "_airbyte_extracted_at": response["timestamp"],
        "_airbyte_generation_id": 0,
        "_airbyte_meta": {"sync_id": 1, "changes": []},
        "_airbyte_data": response,
    }


def _csv_points(response: dict[str, Any]) -> int:
    return sum(
        len(history) // (3 if series.with_shipping else 2)
        for product in response["products"]
        for series, history in zip(SERIES, product["csv"], strict=False)
        if history
    )


def _decode_with_keepa(bodies: list[bytes]) -> None:
    for body in bodies:
        for product in json.loads(body)["products"]:
            csv = product["csv"]
            parse_csv(csv + [None] * (36 - len(csv)))  # it fails on responses with 34 histories


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
