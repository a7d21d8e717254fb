"""How much is too little."""

import pytest

from vp_pipeline.quality.volume import Volume, volume

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
    outcome = volume("silver/keepa/price for D", "snapshot", today, USUAL)
    assert (outcome.passed, outcome.warning) == {
        "passed": (True, False),
        "warning": (False, True),
        "blocked": (False, False),
    }[expected]


def test_what_a_person_reads() -> None:
    outcome = volume("silver/keepa/price for 2026-02-08", "snapshot", Volume(10_000, 10), USUAL)
    assert outcome.description.startswith(
        "silver/keepa/price for 2026-02-08: 10,000 rows, 50% of the usual 20,030 (median of 7 days before)"
    )
    assert "--waive volume" in outcome.description


def test_a_stream_of_events_may_have_quiet_days() -> None:
    assert volume("orders", "window", Volume(6_000), [Volume(10_000)] * 7).passed
    assert volume("orders", "window", Volume(3_000), [Volume(10_000)] * 7).warning
    assert not volume("orders", "window", Volume(500), [Volume(10_000)] * 7).warning


@pytest.mark.parametrize("recent", [[], USUAL[:2], [Volume(3, 10)] * 7])
def test_few_days_and_few_rows_pass(recent: list[Volume]) -> None:
    assert volume("sellers", "snapshot", Volume(0, 10), recent).passed


def test_one_odd_day_before_does_not_matter() -> None:
    assert volume("price", "snapshot", Volume(20_000, 10), [*USUAL[:6], Volume(2_000_000, 10)]).passed
