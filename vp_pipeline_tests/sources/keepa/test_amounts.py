"""How much of each product's history a day requests: enough that nothing is missing, and no more."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.sources.earlier import Doubt, Earlier, EarlierAnswer
from vp_pipeline.sources.keepa.questions import FIRST, Amount, amounts

DAY = date(2026, 3, 10)
ONE = "1:B0SBXTWO06"
# Days on which it is not the turn of ONE, with 1,000 as `full_every`: its turn is on none of these tests' days.
SELDOM = 1_000


def one(earlier: Earlier, day: date = DAY, full_every: int = SELDOM, overlap: int = 2) -> Amount:
    return amounts([ONE], day, earlier, full_every=full_every, overlap=overlap)[ONE]


def before(*answers: tuple[int, int | None], **more: Any) -> Earlier:
    """Answers so many days before DAY, newest first, of so many days of history."""
    found = [EarlierAnswer(DAY - timedelta(days=ago), days) for ago, days in answers]
    return Earlier({ONE: found}, **more)


def test_a_first_answer_is_the_whole_history_and_later_ones_are_of_the_days_since() -> None:
    assert one(Earlier()) == Amount(None, FIRST)
    assert one(before((1, None))) == Amount(3)
    assert one(before((5, None))) == Amount(7)
    assert one(before((1, 3), (2, 3), (3, None))) == Amount(3)
    assert one(before((1, 3), (2, None)), overlap=1) == Amount(2)


def test_what_is_missing_is_mended_by_the_whole_history() -> None:
    # Of 3 days, an answer begins within the second day before its own.
    assert one(before((1, 3), (3, None))) == Amount(3)
    assert one(before((1, 3), (4, None))) == Amount(None, "a part is missing after 2026-03-06")
    assert one(before((1, 3), (2, 3))) == Amount(None, "none of its earlier answers is whole")
    # An older answer than that may reach further back.
    assert one(before((1, 3), (2, 9), (9, None))) == Amount(3)


def test_a_doubt_is_settled_by_a_whole_answer_after_it() -> None:
    def doubt(ago: int) -> Mapping[str, Doubt]:
        return {ONE: Doubt(DAY - timedelta(days=ago), "why")}

    chain = ((1, 3), (2, 3), (3, None))
    assert one(before(*chain, doubts=doubt(1))) == Amount(None, "why")
    assert one(before(*chain, doubts=doubt(3))) == Amount(None, "why")  # the whole answer itself is in doubt
    assert one(before(*chain, doubts=doubt(4))) == Amount(3)
    assert one(before(*chain, doubts=doubt(0))) == Amount(3)  # of a day that comes later


def test_a_day_that_is_requested_again_requests_no_less() -> None:
    assert one(before((1, None), own={ONE: None})) == Amount(None, "an earlier sync of the day requested it")
    assert one(before((1, None), own={ONE: 9})) == Amount(9)
    assert one(before((5, None), own={ONE: 3})) == Amount(7)


def test_days_that_come_later_do_not_count() -> None:
    later = before((-1, None), (0, None), (3, None))
    assert one(later) == Amount(5)
    assert one(before((-1, None))) == Amount(None, FIRST)


def test_a_whole_answer_does_not_get_older_than_the_turn() -> None:
    assert one(before((1, 2 * SELDOM), (SELDOM - 1, None))) == Amount(3)
    old = DAY - timedelta(days=SELDOM)
    assert one(before((1, 2 * SELDOM), (SELDOM, None))) == Amount(None, f"its last whole answer is of {old}")


@given(full_every=st.integers(2, 40), first=st.dates(date(2026, 1, 1), date(2027, 1, 1)))
def test_each_product_has_its_turn_once_in_so_many_days(full_every: int, first: date) -> None:
    turns = [
        day
        for n in range(full_every)
        if one(Earlier({ONE: [EarlierAnswer((day := first + timedelta(days=n)) - timedelta(days=1), None)]}), day,
               full_every).days is None
    ]  # fmt: skip
    assert len(turns) == 1


def test_turns_are_spread_over_the_days() -> None:
    products = [f"1:B{n:09d}" for n in range(3_000)]
    counts: Counter[int] = Counter()
    for n in range(30):
        day = DAY + timedelta(days=n)
        earlier = Earlier({product: [EarlierAnswer(day - timedelta(days=1), None)] for product in products})
        found = amounts(products, day, earlier, full_every=30, overlap=2)
        counts[n] = sum(amount.days is None for amount in found.values())
    assert sum(counts.values()) == len(products)
    assert 60 <= min(counts.values()) <= max(counts.values()) <= 150


def test_one_requests_everything_every_day() -> None:
    assert one(before((1, None)), full_every=1).days is None


class Year:
    """A product's answers as the vendor gives them: each after the end of its day, of the time that was requested."""

    def __init__(self, full_every: int, overlap: int) -> None:
        self.full_every = full_every
        self.overlap = overlap
        self.included: dict[date, tuple[int | None, datetime, datetime]] = {}

    def ask(self, day: date, late: timedelta) -> None:
        answers = [EarlierAnswer(d, days) for d, (days, _, _) in sorted(self.included.items(), reverse=True)]
        amount = one(Earlier({ONE: answers}), day, self.full_every, self.overlap)
        at = datetime.combine(day + timedelta(days=1), datetime.min.time()) + late
        begins = datetime.min if amount.days is None else at - timedelta(days=amount.days)
        self.included[day] = (amount.days, begins, at)

    def is_whole(self, day: date) -> bool:
        """Whether the answers up to that of a day have every moment up to it."""
        known = datetime.max
        for of_day, (_, begins, at) in sorted(self.included.items(), reverse=True):
            if of_day <= day:
                if at < known != datetime.max:
                    return False
                known = min(known, begins)
        return known == datetime.min


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 60),  # the day that is requested, in any order
            st.integers(0, 23 * 60 + 59),  # minutes after its end
            st.sampled_from(["answered", "answered", "answered", "lost", "excluded later"]),
        ),
        max_size=60,
    ),
    full_every=st.integers(2, 40),
    overlap=st.integers(1, 4),
)
def test_a_day_that_is_answered_has_the_whole_history(
    steps: list[tuple[int, int, str]], full_every: int, overlap: int
) -> None:
    """Whatever was lost, excluded later or requested in another order before."""
    year = Year(full_every, overlap)
    for number, minutes, fate in steps:
        day = DAY + timedelta(days=number)
        if fate == "excluded later":
            year.included.pop(day, None)
        elif fate == "answered":
            year.ask(day, timedelta(minutes=minutes))
            assert year.is_whole(day)
