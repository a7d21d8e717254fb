"""The first look at landed answers: unknown fields and records that Airbyte changed."""

import json
from pathlib import Path
from typing import Any

from vp_pipeline.quality.responses.schema_drift import known_fields, unaltered
from vp_pipeline.sources.keepa.inspection import inspect
from vp_pipeline.sources.landed import Inspection, LandedLine


def line(product: dict[str, Any] | None = None, **record: Any) -> LandedLine:
    data = {"timestamp": 1, "tokensConsumed": 2, "tokensLeft": 9, "products": [product or {}]}
    return LandedLine("o", 1, json.dumps({"_airbyte_data": data, **record}).encode())


def test_nothing_in_the_recorded_answers_is_unknown(recordings: Path) -> None:
    answers = [
        json.loads(f.read_text(encoding="utf-8"), parse_constant=lambda _: None) for f in recordings.glob("*.json")
    ]
    lines = [LandedLine("o", 1, json.dumps({"_airbyte_data": answer}).encode()) for answer in answers]
    found = inspect(lines)
    assert found.unexpected == {}
    assert found.records == len(lines) > 0


def test_more_tokens_may_be_spent_than_there_were(made_up: Path) -> None:
    answer = json.loads((made_up / "yen_34_series.json").read_text(encoding="utf-8"))
    found = inspect([LandedLine("o", 1, json.dumps({"_airbyte_data": answer}).encode())])
    assert found.figures["tokens_left"] == answer["tokensLeft"] < 0


def test_new_fields_and_histories_are_named_and_warn() -> None:
    found = inspect([line({"asin": "x", "aNewField": 1, "csv": [None] * 36 + [[1, 2], None]}), line({"aNewField": 2})])
    outcome = known_fields("bronze/keepa/product for D", found)
    assert not outcome.passed
    assert outcome.warning
    assert "aNewField (2×), csv[36] (1×)" in outcome.description


def test_a_longer_csv_without_points_is_not_reported() -> None:
    assert known_fields("b", inspect([line({"csv": [None] * 40})])).passed


def test_costs_are_summed_and_what_is_no_answer_costs_nothing() -> None:
    found = inspect([line(), line(), LandedLine("o", 3, b"{"), LandedLine("o", 4, b"[]"), LandedLine("o", 5, b"{}")])
    assert found.figures == {"tokens_consumed": 4, "tokens_left": 9}
    assert found.records == 5


def test_records_that_airbyte_changed_warn_and_many_of_them_block() -> None:
    changed = line(_airbyte_meta={"changes": [{"field": "csv", "change": "NULLED", "reason": "SIZE"}]})
    assert inspect([changed, line(_airbyte_meta={"changes": []})]).altered == 1
    few = unaltered("b", Inspection(records=10, altered=9, unexpected={}, figures={}, received=()))
    assert (few.passed, few.warning) == (False, True)
    many = unaltered("b", Inspection(records=40, altered=10, unexpected={}, figures={}, received=()))
    assert (many.passed, many.warning) == (False, False)
    assert "Airbyte changed 10 of 40 records" in many.description
    assert unaltered("b", Inspection(records=10, altered=0, unexpected={}, figures={}, received=())).passed
