"""The names of the lake: from the parts of a name to its path and back, and what has no name of ours."""

import logging
from datetime import date
from pathlib import Path

import pytest

from vp_pipeline.lake import layout
from vp_pipeline.lake.layout import PLACES, Place
from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.end_to_end.foreign_places import Folder

DAY = date(2026, 3, 1)
PARTS = {
    "source": "keepa",
    "stream": "product",
    "table": "price",
    "mart": "mart_deals",
    "root": "change_exports",
    "day": DAY,
    "job": 7,
    "number": 12,
    "kind": "csv",
    "object": "2026_03_01_1795250000000_0",
    "box": "slack",
    "beside": "delivering",
    "topic": "orders.of-eu",
    "partition": 3,
    "first": 5,
    "end": 9,
}


def parts_of(place: Place) -> dict[str, object]:
    return {name: value for name, value in PARTS.items() if f"{{{name}" in place.pattern}


@pytest.mark.parametrize("name", PLACES)
def test_a_path_has_the_parts_that_it_was_made_of_and_is_of_one_place(name: str) -> None:
    place = PLACES[name]
    path = place.path(**PARTS)
    assert place.parts(path) == parts_of(place)
    assert [other for other in PLACES if PLACES[other].parts(path) is not None] == [name]


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("change", ["{}.bak", "{}~", "copy of {}"])
def test_another_name_is_of_no_place(name: str, change: str) -> None:
    folder, _, file = PLACES[name].path(**PARTS).rpartition("/")
    if name == "LANDED" and change == "copy of {}":
        pytest.skip("Airbyte chooses these names")
    assert not layout.is_known(f"{folder}/{change.format(file)}")


def test_every_place_has_a_reader_in_the_test_of_foreign_files(tmp_path: Path) -> None:
    assert set(Folder(tmp_path).lake_readers()) == set(PLACES)


def test_a_day_that_does_not_exist_is_of_no_place() -> None:
    assert layout.SYNC.parts("bronze/keepa/product/_syncs/run_date=2026-02-30.json") is None


def test_listing_passes_over_what_is_foreign_and_names_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lake = Lake(tmp_path)
    known = {"source": "keepa", "stream": "product"}
    ours = layout.BRONZE.path(**PARTS)
    for path in (ours, layout.SUPERSEDED.path(**PARTS), f"{ours}.bak", "bronze/keepa/product/_manifests/notes.txt"):
        lake.write(path, b"")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert [found.path for found in layout.BRONZE.objects(lake, **known)] == [ours]
    passed_over = [record.getMessage() for record in caplog.records]
    assert [text.split(" is not a name")[0].rpartition("/")[2] for text in passed_over] == [
        "notes.txt",
        "run_date=2026-03-01.json.bak",
    ]
    assert layout.BRONZE.objects(lake, source="other", stream="product") == []
