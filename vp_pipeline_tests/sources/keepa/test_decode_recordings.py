"""The decoder on recorded answers, made-up and real, value by value against a second decoder that is plain and slow."""

import json
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.series import SERIES
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import Decoded
from vp_pipeline_tests.recordings.folders import recordings_of
from vp_pipeline_tests.sources.keepa.decode_lines import landed, recorded_answers
from vp_pipeline_tests.sources.keepa.decode_naively import naive


@pytest.fixture(scope="module")
def answers(recordings: Path) -> dict[str, dict[str, Any]]:
    return recorded_answers(recordings)


@pytest.fixture(scope="module")
def everything(answers: dict[str, dict[str, Any]]) -> dict[str, Decoded]:
    return decode([landed(data, line) for line, data in enumerate(answers.values(), start=1)])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_value_is_the_plain_decoder_s(answers, everything, table):
    rows = everything[table.name].rows
    expected = naive(landed(data, line) for line, data in enumerate(answers.values(), start=1))[table.name]
    others = [c.name for c in table.columns if c.name not in table.natural_key]
    keys = zip(*(rows[name].to_pylist() for name in table.natural_key), strict=True)
    values = zip(*(rows[name].to_pylist() for name in others), strict=True)
    assert list(zip(keys, values, strict=True)) == sorted(expected.items())


def test_nothing_is_lost_doubled_or_refused(everything):
    for decoded in everything.values():
        assert (decoded.records_in, decoded.duplicates, decoded.quarantined) == (decoded.rows.num_rows, 0, ())
        assert decoded.rows.schema.equals(decoded.table.schema)


def test_as_many_points_as_the_arrays_hold(answers, everything):
    counted = dict.fromkeys(("price", "rank", "review", "offer_count", "buy_box", "monthly_sold"), 0)
    for data in answers.values():
        for product in data["products"]:
            for series, history in zip(SERIES, product["csv"], strict=False):
                counted[series.kind] += len(history or ()) // (3 if series.with_shipping else 2)
            counted["rank"] += sum(len(history) // 2 for history in (product["salesRanks"] or {}).values())
            counted["buy_box"] += len(product["buyBoxSellerIdHistory"] or ()) // 2
            counted["monthly_sold"] += len(product["monthlySoldHistory"] or ()) // 2
    assert {name: everything[name].rows.num_rows for name in counted} == counted
    assert min(counted["rank"], counted["price"]) > 500


def test_answers_of_34_and_of_36_series_are_both_whole(answers, everything):
    lengths = {len(product["csv"]) for data in answers.values() for product in data["products"]}
    assert lengths >= {34, 36}
    series = set(everything["offer_count"].rows["series"].to_pylist())
    assert {"COUNT_NEW", "COUNT_NEW_FBA", "COUNT_NEW_FBM"} <= series


@pytest.mark.parametrize(
    ("name", "first"), [("made_up", [-1, 4900, 4480]), ("real", [-1, 2980, 2680])], ids=["made_up", "real"]
)
def test_yen_stay_whole_yen(name, first):
    answers = recorded_answers(recordings_of(name))
    japanese = next(data for data in answers.values() if data["products"][0]["domainId"] == 5)
    prices = decode([landed(japanese)])["price"].rows.to_pylist()
    amazon = [row for row in prices if row["series"] == "AMAZON"]
    assert {row["currency"] for row in prices} == {"JPY"}
    assert [row["price"] for row in amazon][:3] == first


def test_the_text_s_layout_does_not_matter(answers, everything):
    """Indented JSON, with spaces and line breaks, is the same answer."""
    for line, data in enumerate(answers.values(), start=1):
        compact = landed(data, line)
        spaced = json.dumps(json.loads(compact.text), indent=1).encode()
        one, other = decode([compact]), decode([type(compact)(compact.object, line, spaced)])
        assert all(one[name].rows.equals(other[name].rows) for name in one)
