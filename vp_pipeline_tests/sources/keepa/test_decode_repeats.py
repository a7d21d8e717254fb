"""Airbyte delivers at least once: what repeats is counted, what contradicts itself is resolved the same way always."""

import random

import pytest

from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline_tests.sources.keepa.decode_lines import NOW, answer, csv, landed, product, recorded_answers, rejections

CONFLICT = "conflicts with a newer record of the same key"


def prices(*lines: LandedLine) -> Decoded:
    result = decode(lines)
    assert all(table.unaccounted == 0 for table in result.values())
    return result["price"]


def with_price(price: int, line: int = 1, extracted: object = NOW, at: int = 100) -> LandedLine:
    return landed(answer(product(csv=csv(_0=[at, price]))), line, extracted)


def test_a_repeated_record_is_a_duplicate_of_every_row(recordings):
    answers = list(recorded_answers(recordings).values())
    once = decode(landed(data, line) for line, data in enumerate(answers, start=1))
    twice = decode(landed(data, line) for line, data in enumerate(answers * 2, start=1))
    for name, table in once.items():
        assert twice[name].rows.equals(table.rows)
        assert twice[name].duplicates == table.rows.num_rows
        assert twice[name].quarantined == ()
        assert twice[name].unaccounted == 0


@pytest.mark.parametrize("older_first", [True, False])
@pytest.mark.parametrize("newer", [NOW + 1, "2026-05-10T04:19:28.885Z"])
def test_of_two_records_of_a_key_the_newer_extraction_stays(older_first, newer):
    lines = [with_price(10, line=9, extracted=NOW), with_price(11, line=1, extracted=newer)]
    table = prices(*(lines if older_first else lines[::-1]))
    assert table.rows["price"].to_pylist() == [11]
    assert [(row.reason, row.source_line) for row in table.quarantined] == [(CONFLICT, 9)]


def test_of_equal_age_the_later_line_stays():
    assert prices(with_price(10, line=2), with_price(11, line=1)).rows["price"].to_pylist() == [10]


def test_repeats_of_the_one_that_stays_are_duplicates_and_the_others_conflicts():
    table = prices(*(with_price(price, line) for line, price in enumerate((10, 11, 10, 11, 12, 11), start=1)))
    assert table.rows["price"].to_pylist() == [11]
    assert table.duplicates == 2
    assert [row.source_line for row in table.quarantined] == [1, 3, 5]


def test_a_broken_newer_point_does_not_displace_a_valid_one():
    table = prices(with_price(10, extracted=NOW), with_price(-5, extracted=NOW + 1))
    assert table.rows["price"].to_pylist() == [10]
    assert [reason for reason, _ in rejections(table)] == ["price is -5: at least -1 is allowed"]


def test_of_two_points_of_a_time_the_last_stays():
    table = prices(landed(answer(product(csv=csv(_0=[100, 5, 100, 6, 50, 7])))))
    assert table.rows["price"].to_pylist() == [7, 6]
    assert [reason for reason, _ in rejections(table)] == [CONFLICT]


def test_answers_of_different_moments_are_both_kept():
    later = landed(answer(product(csv=csv(_0=[100, 5])), timestamp=NOW + 60_000), line=2)
    assert prices(landed(answer(product(csv=csv(_0=[100, 5])))), later).rows.num_rows == 2


def test_products_of_one_key_that_differ_in_a_field_conflict():
    one, other = (landed(answer(product(title=title)), line) for line, title in ((1, "a"), (2, "b")))
    table = decode([other, one])["product"]
    assert table.rows["title"].to_pylist() == ["b"]
    assert [reason for reason, _ in rejections(table)] == [CONFLICT]


def test_the_order_of_lines_does_not_matter_on_recorded_answers(recordings):
    lines = [landed(data, line) for line, data in enumerate(list(recorded_answers(recordings).values()) * 3, start=1)]
    shuffled = random.Random(4).sample(lines, len(lines))
    one, other = decode(lines), decode(shuffled)
    for name, table in one.items():
        assert other[name].rows.equals(table.rows)
        assert (other[name].duplicates, other[name].quarantined) == (table.duplicates, table.quarantined)
