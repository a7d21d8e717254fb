"""Our `stats` against Keepa's own in the real answers, and against an independent computation in the made-up ones."""

import json
from pathlib import Path
from typing import Any

from vp_pipeline.sandbox.keepa.stats import product_stats
from vp_pipeline_tests.recordings.answers import ASKED_FOR, CUT_SHORT

# The interval that each real answer was asked for; the file's name begins with it. Others were asked with another.
INTERVALS = {"cunuo_B0D8W1YVBX_20260510_full": 180, "cunuo_B0F7XPYCSJ": 180, "nostock_B0D4M48BM2": 1}


def test_the_figures_of_made_up_answers_are_those_of_the_script(made_up: Path) -> None:
    compared = 0
    for file in sorted(made_up.glob("*.json")):
        envelope = json.loads(file.read_text(encoding="utf-8"))
        for product in envelope.get("products", []) if file.stem not in CUT_SHORT else []:
            now = envelope["timestamp"] // 60_000 - 21_564_000
            days = ASKED_FOR.get(file.stem, 180)
            ours = product_stats(product["csv"], now=now, tracking_since=product["trackingSince"], days=days)
            compared += compare(ours, product["stats"], of_the_interval=True)
    assert compared > 2_000


def test_the_figures_are_the_vendors(real_answers: Path) -> None:
    compared = 0
    for file in sorted(real_answers.glob("*.json")):
        envelope = json.loads(file.read_text(encoding="utf-8"))
        for product in envelope.get("products", []):
            now = envelope["timestamp"] // 60_000 - 21_564_000
            days = next((d for name, d in INTERVALS.items() if file.name.startswith(name)), None)
            ours = product_stats(product["csv"], now=now, tracking_since=product["trackingSince"], days=days or 180)
            compared += compare(ours, product["stats"], of_the_interval=days is not None)
    assert compared > 2_000


def compare(ours: dict[str, Any], theirs: dict[str, Any], *, of_the_interval: bool) -> int:
    """Exact, except that averages may differ by 1, and the time of an extreme in the interval by 2 minutes."""
    windows = ("30", "90", "180", "365", *(("",) if of_the_interval else ()))
    compared = 0
    for name in (f"avg{window}" for window in windows):
        assert all(abs(a - b) <= 1 for a, b in zip(ours[name], theirs[name], strict=True)), name
        compared += len(ours[name])
    exact = ["current", "min", "max", "isLowest", "isLowest90"]
    exact += ["outOfStockCountAmazon30", "outOfStockCountAmazon90"]
    exact += [f"outOfStockPercentage{window or 'InInterval'}" for window in windows]
    exact += ["atIntervalStart"] if of_the_interval else []
    for name in exact:
        assert ours[name] == theirs[name], name
        compared += len(ours[name]) if isinstance(ours[name], list) else 1
    for name in ("minInInterval", "maxInInterval") if of_the_interval else ():
        for a, b in zip(ours[name], theirs[name], strict=True):
            assert (a is None) == (b is None)
            assert a is None or (a[1] == b[1] and abs(a[0] - b[0]) <= 2), name
            compared += 1
    return compared
