"""Replaces secrets in texts: of logs and messages, and of records that repeat one.

Here: how a secret may be spelled, and its replacement. Not here: which values are secrets (`settings.py`), and what
becomes of a record that repeats one (`airbyte/landing.py`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
# A shorter value cannot be distinguished from a word, so in records it counts only where it is the whole of a value.
_SHORT = 8
# Where a token may begin: after anything but a letter or digit, or after a code whose last one is no part of it: `%3D`,
# `\n`, `\x3d`, `\u003d`.
_BEGINS = r"(?:(?<![^\W_])|(?<=%[0-9a-f]{2})|(?<=\\[nrt])|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
_ENDS = r"(?![^\W_])"


class Redaction:
    """Replaces secrets that are whole tokens, as they are and as URLs and JSON spell them, by `***`.

    A token is bounded by anything but letters and digits: a secret inside a longer word is not replaced.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._long: re.Pattern[str] | None = None
        self._encoded: tuple[bytes, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """One more value to replace."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        self._encoded = tuple(spelling.encode() for spelling in _spellings(self._secrets))
        self._pattern = _tokens(_spellings(self._secrets))
        self._long = _tokens(_spellings(value for value in self._secrets if len(value) >= _SHORT))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def may_be_in(self, line: bytes) -> bool:
        """Whether a secret may be in a record's JSON: fast, and true too often."""
        return any(spelling in line for spelling in self._encoded)

    def masked(self, data: Any) -> Any:
        """A record (JSON values) with every secret in its texts and names replaced; an equal one if there is none."""
        if isinstance(data, str):
            return MASK if data in self._secrets else self._mask_long(data)
        if isinstance(data, Mapping):
            return {self._mask_long(name): self.masked(value) for name, value in data.items()}
        return [self.masked(value) for value in data] if isinstance(data, list) else data

    def _mask_long(self, text: str) -> str:
        return self._long.sub(MASK, text) if self._long else text


def _spellings(secrets: Iterable[str]) -> set[str]:
    return {
        spelling
        for value in secrets
        for spelling in (
            value,
            quote(value),
            quote(value, safe=""),
            quote_plus(value),
            json.dumps(value)[1:-1],
            json.dumps(value, ensure_ascii=False)[1:-1],
            repr(value)[1:-1],
        )
    }


def _tokens(spellings: set[str]) -> re.Pattern[str] | None:
    if not spellings:
        return None
    # The longest first: one spelling may be the beginning of another. Percent codes come in both cases.
    return re.compile("|".join(map(_token, sorted(spellings, key=len, reverse=True))), re.IGNORECASE)


def _token(spelling: str) -> str:
    begins = _BEGINS if spelling[0].isalnum() else ""
    return begins + re.escape(spelling) + (_ENDS if spelling[-1].isalnum() else "")
