"""Keeps the connector runtime's hands off the logging of the process, and secrets out of it.

Here: importing `airbyte_cdk` without its side effects, redaction, and who hears its log lines. Not here: running
a connector (`connector.py`).

What the runtime and its libraries do, and what is done about it:
- `airbyte_cdk` calls `logging.config.dictConfig` on import, which closes every handler of the process and puts
  its own on the root logger: that one call is skipped.
- `airbyte.*` writes URLs into its messages, and Keepa's key is in the query string: its records stop at our
  handler, which redacts them and hands them to whoever is `listening` in the thread.
- `backoff` repeats them, and `urllib3` writes URLs too; both work for others as well. In a thread that is
  `listening`, the first is silenced and the second redacted; elsewhere they are left alone.
"""

import importlib
import json
import logging
import logging.config
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

_RUNTIME = ("airbyte", "MessageRepository")
_SHARED = ("backoff", "urllib3.connectionpool", "urllib3.util.retry")

_imports = threading.Lock()


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
        """A landed record without the secrets: an API may echo its key in an answer. Others pass as they are."""
        if not any(spelling in line for spelling in self._encoded):
            return line
        return self(line.decode()).encode()


def import_quietly(module: str) -> None:
    """Imports a module of `airbyte_cdk`, leaving the logging of the process as it was."""
    with _imports:
        if module not in sys.modules:
            real = logging.config.dictConfig

            def all_but_airbyte(config: Any) -> None:
                if "airbyte" not in config.get("formatters", {}):
                    real(config)

            logging.config.dictConfig = all_but_airbyte
            try:
                importlib.import_module(module)
            finally:
                logging.config.dictConfig = real
        for name in _RUNTIME:
            logger = logging.getLogger(name)
            logger.propagate = False
            # First, so that a handler that someone else attached gets the redacted record.
            logger.handlers[:] = [_HANDLER, *(other for other in logger.handlers if other is not _HANDLER)]
        for name in _SHARED:
            logging.getLogger(name).addFilter(_shared)


@contextmanager
def listening(redact: Redaction, hear: Callable[[int, str], None]) -> Iterator[None]:
    """Calls `hear(level, line)` for each line that the runtime logs in this thread, redacted."""
    _listener.redact, _listener.hear = redact, hear
    try:
        yield
    finally:
        _listener.redact = _listener.hear = None


class _Listener(threading.local):
    redact: Redaction | None = None
    hear: Callable[[int, str], None] | None = None


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _redact(record)
        if _listener.hear is not None:
            _listener.hear(record.levelno, record.getMessage())


def _shared(record: logging.LogRecord) -> bool:
    _redact(record)
    return _listener.redact is None or record.name != "backoff"


def _redact(record: logging.LogRecord) -> None:
    """Replaces the record's text; a traceback or attributes beside it (URLs, headers) are taken off."""
    if _listener.redact is None:
        return
    text = _listener.redact(record.getMessage())
    for name in record.__dict__.keys() - _STANDARD:
        del record.__dict__[name]
    record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None


_STANDARD = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}
_listener = _Listener()
_HANDLER = _Handler(logging.INFO)
