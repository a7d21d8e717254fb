"""The outcome of one check for one day, before Dagster records it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """`check` passed or not for a day. `description` is a sentence for people; a warning does not block.

    `waived`: it would block, and a person has waived it for the run (`waivers.py`). `is_consequence`: it follows from a
    check that blocks; while that one does, it says nothing of its own.
    """

    check: str
    passed: bool
    description: str
    warning: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    waived: bool = False
    is_consequence: bool = False

    @property
    def blocks(self) -> bool:
        """Whether the day may not be built."""
        return not self.passed and not self.warning


def first_blocking(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The first that blocks: the cause of what follows from it."""
    return next((outcome for outcome in outcomes if outcome.blocks), None)


def conservation(what: str, records_in: int, rows: int, duplicates: int, quarantined: int) -> Outcome:
    """`records in = rows out + duplicates + quarantined`: nothing is dropped silently."""
    accounted = rows + duplicates + quarantined
    equation = f"{records_in:,} in = {rows:,} rows + {duplicates:,} duplicates + {quarantined:,} quarantined"
    passed = records_in == accounted
    description = (
        f"{what}: {equation}."
        if passed
        else f"{what}: {records_in - accounted:+,} records not accounted for: {equation}."
    )
    return Outcome(
        "conservation",
        passed,
        description,
        metadata={
            "records_in": records_in,
            "rows": rows,
            "duplicates": duplicates,
            "quarantined": quarantined,
        },
    )
