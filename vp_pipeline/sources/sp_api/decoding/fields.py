"""The fields of an order or an item, by path: typed, or reported as what is wrong with them.

Here: reading values and collecting problems. Not here: which fields there are (`newest.py`, `v0.py`).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# What the connector lets land in the place of a value of another form.
DROPPED = "***"
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_ZERO = Decimal(0)


class Fields:
    """Reads one JSON object. A path is names joined by dots; what is missing or null on the way is None. `problems`:
    one per value that cannot be read; None stands in its place. `currency`: of the amounts read so far."""

    def __init__(self, piece: Any) -> None:
        self.problems: list[str] = []
        self.currency: str | None = None
        self._piece: Mapping[str, Any] = piece if isinstance(piece, dict) else {}
        if not isinstance(piece, dict):
            self.problems.append("it is not an object")

    def text(self, path: str, *, required: bool = False) -> str | None:
        """A text; an empty one is none."""
        value = self._value(path, required)
        if value is None or isinstance(value, str):
            return value or None
        self._wrong(path, "is not a text")
        return None

    def word(self, path: str, words: Mapping[str, str], *, required: bool = False) -> str | None:
        """One of the vendor's words, as ours."""
        value = self.text(path, required=required)
        if value is None or value in words:
            return None if value is None else words[value]
        self._wrong(path, f"is {value!r}, not one of the {len(words)} known values")
        return None

    def count(self, path: str, *, required: bool = False) -> int | None:
        """A whole number. Older versions write it as a text."""
        value = self._value(path, required)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong(path, "is not a whole number")
        return None

    def flag(self, path: str) -> bool | None:
        """True or false. v0 writes some as a text."""
        value = self._value(path, required=False)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if value is None or isinstance(value, bool):
            return value
        self._wrong(path, "is neither true nor false")
        return None

    def moment(self, path: str, *, required: bool = True) -> datetime | None:
        """A moment with its zone, as UTC without one."""
        value = self._value(path, required)
        if value is None:
            return None
        try:
            parsed = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self._wrong(path, "is not a moment (ISO 8601)")
            return None
        if parsed.tzinfo is None:
            self._wrong(path, "is a moment without a zone")
            return None
        try:
            return parsed.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            self._wrong(path, "is a moment beyond every calendar")
            return None

    def money(self, path: str, amount: str = "amount", currency: str = "currencyCode") -> Decimal | None:
        """An exact amount. All amounts of an object are of one currency."""
        if self._value(path, required=False) is None:
            return None
        value, code = self._value(f"{path}.{amount}", required=True), self.text(f"{path}.{currency}", required=True)
        if value is None or code is None:
            return None
        if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
            # A JSON number has been through a float on its way: which amount it was, nobody knows.
            self._wrong(f"{path}.{amount}", "is not an amount as a text")
            return None
        exact = Decimal(value)
        if exact != round(exact, 3):
            self._wrong(f"{path}.{amount}", "has more than three digits after the point")
            return None
        if self.currency not in (None, code):
            self._wrong(path, f"is in {code}, another amount in {self.currency}")
            return None
        self.currency = code
        return round(exact, 3)

    def all_of(self, path: str) -> Iterator["Fields"]:
        """The objects of a list; what is wrong with one is reported with this object."""
        value = self._value(path, required=False)
        if value is not None and not isinstance(value, list):
            self._wrong(path, "is not a list")
        for place, each in enumerate(value if isinstance(value, list) else ()):
            inner = Fields(each)
            inner.currency = self.currency
            yield inner
            self.currency = inner.currency
            self.problems += [f"{path}[{place}].{problem}" for problem in inner.problems]

    def texts(self, path: str) -> tuple[str, ...]:
        """The texts of a list."""
        value = self._value(path, required=False)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

    def _value(self, path: str, required: bool) -> Any:
        value: Any = self._piece
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None if value is None else DROPPED
        if value == DROPPED:
            self._wrong(path, "had another form than its field has, so the connector did not let it land")
            return None
        if value is None and required:
            self._wrong(path, "is missing: a value is required")
            return None
        return value

    def _wrong(self, path: str, problem: str) -> None:
        text = f"{path} {problem}"
        if text not in self.problems:
            self.problems.append(text)


def total(amounts: Iterator[Decimal | None] | list[Decimal | None]) -> Decimal | None:
    """The sum of the amounts that there are; None: there are none."""
    there = [amount for amount in amounts if amount is not None]
    return sum(there, _ZERO) if there else None
