"""Loads and restatements in any order, grouping and repetition: the property that every incremental table must keep.

Here: which sequences there are, and how one is played. Not here: what is loaded, and what the tables must hold then
(the tests of each kind of table).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DAYS = 4
# How many sequences a test plays, each of twenty or thirty dbt commands: `make test` some, and `make exhaustive` many;
# `EXAMPLES=40 make exhaustive` plays more. The few are the first of the many.
MANY = pytest.param(int(os.environ.get("EXAMPLES", "12")), marks=pytest.mark.exhaustive, id="many")
WINDOWS = [(first, end) for first in range(DAYS) for end in range(first + 1, DAYS + 1)]
# The days that get other rows, the seed of those rows, and the windows that are restated then: of these days, of
# others, or of both. No window at all is `None`; "full" is --full-refresh.
Window = tuple[int, int] | str | None
Round = tuple[set[int], int, list[Window]]


class Tables(Protocol):
    """The tables under test, on days that are counted from the first."""

    def clear(self) -> None: ...

    def load(self, number: int, seed: int) -> None:
        """Gives a day other rows."""
        ...

    def restate(self, window: Window, changed: set[int]) -> None:
        """Runs the models on a window, after the days in `changed` got other rows."""
        ...

    def check(self) -> None:
        """Fails unless the tables hold what they must of all rows."""
        ...


@dataclass
class Player:
    """Plays a sequence, and checks the tables whenever every changed day has been restated."""

    tables: Tables
    changed: set[int] = field(default_factory=set)

    def play(self, rounds: Sequence[Round], finish: Sequence[int], seed: int) -> None:
        self.tables.clear()
        self.load(0, seed)
        self.restate((0, 1))
        for days, seed_of_round, windows in rounds:
            for number in days:
                self.load(number, seed_of_round + number)
            for window in windows:
                self.restate(window)
        for number in finish:
            if number in self.changed or number == finish[0]:
                self.restate((number, number + 1))
        assert not self.changed
        self.tables.check()

    def load(self, number: int, seed: int) -> None:
        self.tables.load(number, seed)
        self.changed.add(number)

    def restate(self, window: Window) -> None:
        self.tables.restate(window, self.changed)
        self.changed -= restated(window)
        if not self.changed:
            self.tables.check()


def restated(window: Window) -> set[int]:
    """The days that a run on a window restates completely."""
    if window is None or window == "full":
        return set(range(DAYS))
    return set(range(*window)) if isinstance(window, tuple) else set()


def flags(window: Window, of_days: Any) -> Sequence[str]:
    """dbt's flags of a window; `of_days` makes them of the first day and the one after the last."""
    if window is None:
        return ()
    return ("--full-refresh",) if isinstance(window, str) else of_days(*window)


def play_examples(tables: Tables, examples: int, rounds: tuple[int, int], *more_windows: str) -> None:
    """Plays so many sequences of `rounds` (from, to) rounds: the same ones each time."""
    drawn = st.lists(
        st.tuples(
            st.sets(st.integers(0, DAYS - 1), min_size=1),
            st.integers(0, 2**32),
            st.lists(st.sampled_from([*WINDOWS, *WINDOWS, None, "full", *more_windows]), min_size=1, max_size=2),
        ),
        min_size=rounds[0],
        max_size=rounds[1],
    )

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(rounds=drawn, finish=st.permutations(range(DAYS)), seed=st.integers(0, 2**32))
    def play(rounds: list[Round], finish: list[int], seed: int) -> None:
        Player(tables).play(rounds, finish, seed)

    play()
