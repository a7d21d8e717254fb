"""Data land as they are, and a response that repeats the key is quarantined without it."""

import json
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.airbyte.connector import Record
from vp_pipeline.airbyte.landing import Landing
from vp_pipeline.lake.objects import Lake
from vp_pipeline.quality.responses.schema_drift import unaltered
from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.inspection import inspect
from vp_pipeline.sources.landed import LandedLine
from vp_pipeline_tests.airbyte.pages import lines
from vp_pipeline_tests.sources.keepa.decode_lines import NOW, answer, product

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"


def landed(folder: Path, key: str, *responses: dict[str, Any]) -> list[LandedLine]:
    lake = Lake(folder)
    landing = Landing(lake, "keepa", "product", NOW, part_bytes=10**6, secrets=(key,))
    landing.land(iter([Record(response, NOW) for response in responses]))
    (path,) = landing.objects
    return [LandedLine(path, number, line) for number, line in enumerate(lines(lake, path), start=1)]


@pytest.mark.parametrize("key", ["Lab", "k", "B0", "1", "title"])
def test_a_key_that_is_a_part_of_the_data_changes_none_of_it(tmp_path: Path, key: str) -> None:
    response = answer(product(title="Lab Kettle, Labels: k", csv=[[1, 2]]), product(asin="B000000002", title="k-Lab"))
    (line,) = landed(tmp_path, key, response)
    record = json.loads(line.text)
    assert record["_airbyte_data"] == response
    assert record["_airbyte_meta"]["changes"] == []


def test_a_response_that_repeats_the_key_is_quarantined_without_it(tmp_path: Path) -> None:
    sound = answer(product(asin="B000000002", csv=[[1, 2]]))
    echo = answer(product(csv=[[1, 2]]), request=f"/product?key={KEY}&asin=B000000001")
    found = landed(tmp_path, KEY, echo, sound)
    assert not any(KEY.encode() in line.text for line in found)
    decoded = decode(found)
    (rejected,) = decoded["product"].quarantined
    assert rejected.reason == "altered by Airbyte: _airbyte_data MASKED (the response repeats a secret)"
    assert "key=***&asin=B000000001" in rejected.record
    assert decoded["price"].rows["asin"].to_pylist() == ["B000000002"]
    assert not any(table.unaccounted for table in decoded.values())
    assert not unaltered("bronze", inspect(found)).passed
