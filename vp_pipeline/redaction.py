"""Replaces secrets in texts: of logs, messages and landed records.

Here: how a secret may be spelled, and its replacement. Not here: which values are secrets (`settings.py`).
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus


class Redaction:
    """Replaces secrets, as they are and as URLs and JSON spell them, by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._encoded: tuple[bytes, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """One more value to replace."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        spellings = {
            spelling
            for value in self._secrets
            for spelling in (
                value,
                quote(value),
                quote(value, safe=""),
                quote_plus(value),
                json.dumps(value)[1:-1],
                repr(value)[1:-1],
            )
        }
        self._encoded = tuple(spelling.encode() for spelling in spellings)
        # The longest first: one spelling may be the beginning of another. Percent codes come in both cases.
        self._pattern = re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        return self._pattern.sub("***", text) if self._pattern else text

    def line(self, line: bytes) -> bytes:
        """A landed record without the secrets: an API may echo its key in a response. Others are unchanged."""
        if not any(spelling in line for spelling in self._encoded):
            return line
        return self(line.decode()).encode()
