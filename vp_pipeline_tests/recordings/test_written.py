"""The committed answers are what the script writes, and the script's figures are right."""

import json
import re

import pytest

from vp_pipeline_tests.recordings.figures import DAY, stats_of
from vp_pipeline_tests.recordings.folders import MADE_UP, ODD
from vp_pipeline_tests.recordings.histories import since
from vp_pipeline_tests.recordings.write import files


def test_the_committed_answers_are_what_the_script_writes() -> None:
    written = files()
    committed = {path: path.read_text(encoding="utf-8") for folder in (MADE_UP, ODD) for path in folder.glob("*.json")}
    assert committed.keys() == written.keys()
    differing = [path.name for path, text in written.items() if committed[path] != text]
    assert not differing, "run .venv/bin/python -m vp_pipeline_tests.recordings.write"


def test_they_are_small_and_every_asin_is_clearly_made_up() -> None:
    written = files()
    assert sum(len(text.encode()) for text in written.values()) < 300_000
    for text in written.values():
        answer = json.loads(text)
        for product in answer.get("products", [answer]):
            assert re.fullmatch(r"B0MADEUP\d\d", product["asin"])


NOW = 1_000_000


def figure(name: str, flat: list[int], *, index: int = 0, tracked: int = 0) -> object:
    csv = [*[None] * index, flat]
    return stats_of(csv, now=NOW, tracking_since=tracked, interval=30)[name][index]


@pytest.mark.parametrize(
    ("name", "index", "flat", "expected"),
    [
        # 10 of 30 days at 101, 20 at 200: (10 · 101 + 20 · 200) / 30 = 167, exactly.
        ("avg30", 0, [0, 101, NOW - 20 * DAY, 200], 167),
        # One minute more at the lower value: 166.99…, floored.
        ("avg30", 0, [0, 101, NOW - 20 * DAY + 1, 200], 166),
        # Out of stock is on neither side of the mean.
        ("avg30", 0, [0, 101, NOW - 20 * DAY, -1, NOW - 10 * DAY, 200], 150),
        # The window begins at the first point if that is later.
        ("avg30", 0, [NOW - 4 * DAY, 100, NOW - DAY, 200], 125),
        ("avg30", 0, [0, 101, NOW - 40 * DAY, -1], -1),
        ("avg30", 15, [0, 5], -1),
        # The landed price: shipping below zero is unknown and counts as none.
        ("avg30", 18, [0, 100, 20, NOW - 15 * DAY, 200, -1], 160),
        ("current", 18, [0, 100, 20], 120),
        ("current", 18, [0, 100, 20, 5, -1, -1], -1),
        ("min", 18, [0, 100, 20, 5, 110, 0, 9, 110, 0], [5, 110]),
        ("max", 18, [0, 100, 20, 5, 110, 10, 9, -1, -1], [0, 120]),
        ("max", 0, [0, -1], None),
        ("min", 15, [0, 5], None),
        ("minInInterval", 0, [0, 101, NOW - DAY, 200], [NOW - 30 * DAY, 101]),
        ("maxInInterval", 0, [0, 101, 7, -1], [-1, -1]),
        ("maxInInterval", 0, [7, 101], [7, 101]),
        ("atIntervalStart", 0, [0, 101, NOW - DAY, 200], 101),
        ("isLowest", 0, [0, 101, 5, 200], False),
        ("isLowest90", 0, [0, 101, 5, 200], True),
        # 9 of 30 days without an offer.
        ("outOfStockPercentage30", 0, [0, 101, NOW - 9 * DAY, -1], 30),
        # One minute less: 29.99… %. The share in stock is what is floored.
        ("outOfStockPercentage30", 0, [0, 101, NOW - 9 * DAY + 1, -1], 30),
        ("outOfStockPercentage30", 0, [0, 101], 0),
        ("outOfStockPercentage30", 0, [0, -1], 100),
        # Before the first point there was no offer; one value alone is 0 all the same.
        ("outOfStockPercentage30", 0, [NOW - 15 * DAY, 101, NOW - DAY, 102], 50),
        ("outOfStockPercentage30", 0, [NOW - 15 * DAY, 101], 0),
        ("outOfStockPercentage30", 11, [0, 5], -1),
    ],
)
def test_figures_worked_out_by_hand(name: str, index: int, flat: list[int], expected: object) -> None:
    assert figure(name, flat, index=index) == expected


def test_out_of_stock_counts_from_the_first_look() -> None:
    flat = [NOW - 5 * DAY, 100, NOW - DAY, 101]
    assert figure("outOfStockPercentage30", flat, tracked=NOW - 10 * DAY) == 50


def test_a_history_cut_to_a_window_keeps_the_point_in_force_before_it() -> None:
    assert since([10, 1, 20, 2, 30, 3], 2, 25) == [20, 2, 30, 3]
    assert since([10, 1, 20, 2, 30, 3], 2, 20) == [20, 2, 30, 3]
    assert since([10, 1, 0, 20, 2, 0], 3, 99) == [20, 2, 0]
    assert since([10, 1], 2, 5) == [10, 1]
