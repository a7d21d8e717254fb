"""How much is too little."""

from datetime import date

import pytest

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.volume import Volume, Volumes, like_with_like, volume

DAY = date(2026, 2, 8)
USUAL = [Volume(20_000 + 10 * n, 10) for n in range(7)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (Volume(20_100, 10), "passed"),
        (Volume(40_000, 30), "passed"),  # twenty products came to the list, with short histories
        (Volume(9_000, 4), "passed"),  # six products left it
        (Volume(17_000, 10), "warning"),
        (Volume(10_000, 10), "blocked"),  # half the rows are gone
        (Volume(0, 10), "blocked"),
    ],
)
def test_a_day_against_the_days_before(today: Volume, expected: str) -> None:
    outcome = volume("silver/keepa/price for D", DAY, "snapshot", today, USUAL)
    assert (outcome.passed, outcome.warning) == {
        "passed": (True, False),
        "warning": (False, True),
        "blocked": (False, False),
    }[expected]


def test_what_a_person_reads() -> None:
    outcome = volume("silver/keepa/price for 2026-02-08", DAY, "snapshot", Volume(10_000, 10), USUAL)
    assert outcome.description == (
        "silver/keepa/price for 2026-02-08: 10,000 rows, 50% of the usual 20,030 (median of 7 days before); 1,000.0 "
        "rows per record, 50% of the usual 2,003.0. Less than 60% of both is treated as data loss. Look at the "
        "vendor's responses. If something is missing in them, request the day again: `vp run --date 2026-02-08 "
        "--resync`. If they are complete: `vp run --date 2026-02-08 --waive volume`."
    )


def test_each_share_is_printed_with_its_own_base() -> None:
    """As of a day with one product of twelve, whose history is short."""
    usual = [Volume(25_036, 12)] * 7
    found = volume("p", DAY, "snapshot", Volume(433, 1), usual)
    assert "p: 433 rows, 1.7% of the usual 25,036 (median of 7 days before); 433.0 rows per record, 21% of the" in (
        found.description
    )
    assert "rows per record, 21% of the usual 2,086.3." in found.description
    assert found.metadata["share_of_usual_rows"] == 433 / 25_036
    assert found.metadata["share_of_usual_rows_per_record"] == 433 / (25_036 / 12)
    assert found.blocks


@pytest.mark.parametrize(("received", "expected"), [(12, "passed"), (9, "warning"), (6, "blocked")])
def test_half_of_twelve_records_block(received: int, expected: str) -> None:
    """Of the sandbox, too: a stream of a dozen products is no handful."""
    found = volume("bronze/keepa/product for D", DAY, "snapshot", Volume(received), [Volume(12)] * 7)
    assert expected == ("passed" if found.passed else "warning" if found.warning else "blocked")
    assert found.description.startswith(
        f"bronze/keepa/product for D: {received} records, {received / 12:.0%} of the usual 12 (median of 7 days "
    )


def test_of_a_handful_of_records_nothing_is_decided() -> None:
    assert volume("b", DAY, "snapshot", Volume(1), [Volume(9)] * 7).passed


def test_what_another_check_blocks_for_is_no_second_failure() -> None:
    cause = Outcome("completeness", False, "six products are missing")
    found = volume("b", DAY, "snapshot", Volume(6), [Volume(12)] * 7, cause)
    assert (found.passed, found.blocks) == (False, False)
    assert "The check completeness has failed because of what is missing." in found.description
    assert "--waive" not in found.description


MIXED = [Volumes(Volume(2_000 * n, 10), Volume(100, 100)) for n in (9, 10, 11)]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (Volumes(Volume(20_000, 10), Volume(90, 100)), "passed"),
        (Volumes(Volume(200_000, 100), None), "passed"),  # everything as a whole
        (Volumes(Volume(19_000, 10), Volume(9, 100)), "blocked"),  # what is recent did not arrive
        (Volumes(Volume(19_000, 10), Volume(40, 100)), "warning"),
        (Volumes(Volume(9_000, 10), Volume(100, 100)), "blocked"),  # half of what is whole did not
        (Volumes(Volume(900, 3), Volume(100, 100)), "passed"),  # a few products, others than on the days before
        (Volumes(None, Volume(100, 100)), "passed"),
    ],
)
def test_whole_histories_and_last_days_are_compared_with_their_like(today: Volumes, expected: str) -> None:
    found = like_with_like("p", DAY, "snapshot", today, MIXED)
    assert expected == ("passed" if found.passed else "warning" if found.warning else "blocked")


def test_a_first_day_of_last_days_is_not_compared_with_whole_histories() -> None:
    before = [Volumes(each, None) for each in USUAL]
    found = like_with_like("p", DAY, "snapshot", Volumes(None, Volume(30, 10)), before)
    assert found.passed
    assert found.description == "p, of last days: 30 rows; fewer than 3 days before it to compare with."


def test_a_stream_of_events_may_have_quiet_days() -> None:
    assert volume("orders", DAY, "window", Volume(6_000), [Volume(10_000)] * 7).passed
    assert volume("orders", DAY, "window", Volume(3_000), [Volume(10_000)] * 7).warning
    assert not volume("orders", DAY, "window", Volume(500), [Volume(10_000)] * 7).warning


@pytest.mark.parametrize("recent", [[], USUAL[:2], [Volume(3, 10)] * 7])
def test_few_days_and_few_rows_pass(recent: list[Volume]) -> None:
    assert volume("sellers", DAY, "snapshot", Volume(0, 10), recent).passed


def test_one_odd_day_before_does_not_matter() -> None:
    assert volume("price", DAY, "snapshot", Volume(20_000, 10), [*USUAL[:6], Volume(2_000_000, 10)]).passed
