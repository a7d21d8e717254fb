"""Keeps the connector runtime from changing the logging of the process, and secrets out of it.

Here: importing `airbyte_cdk` without its side effects, and capturing its log lines. Not here: running a connector
(`connector.py`), and how a secret is replaced (`redaction.py`).

What the runtime and its libraries do, and what is done about it:
- `airbyte_cdk` calls `logging.config.dictConfig` on import, which closes every handler of the process and puts
  its own on the root logger: that one call is skipped.
- `airbyte.*` writes URLs into its messages, and a key may be in the query string: its records stop at our
  handler, which redacts them and passes them to the `captured_logs` of the thread.
- It also writes whole bodies and headers, where a request is rejected: a body may name a person. They are cut off.
- `backoff` repeats them, and `urllib3` writes URLs too; other code uses both as well. Within `captured_logs` the first
  is silenced and the second redacted; in other threads they are left alone.
"""

import importlib
import logging
import logging.config
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vp_pipeline.redaction import Redaction

_RUNTIME = ("airbyte", "MessageRepository")
_SHARED = ("backoff", "urllib3.connectionpool", "urllib3.util.retry")

# Of the runtime's line about a rejected request: what comes after the status repeats the response.
_RESPONSE = re.compile(r"(?<= failed with status code )('[0-9]+') and error message: .*", re.DOTALL)
_imports = threading.Lock()


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
            logging.getLogger(name).addFilter(_filter_shared)


@contextmanager
def captured_logs(redact: Redaction, on_line: Callable[[int, str], None]) -> Iterator[None]:
    """Calls `on_line(level, line)` for each line that the runtime logs in this thread, redacted."""
    _capture.redact, _capture.on_line = redact, on_line
    try:
        yield
    finally:
        _capture.redact = _capture.on_line = None


class _Capture(threading.local):
    redact: Redaction | None = None
    on_line: Callable[[int, str], None] | None = None


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _redact(record)
        if _capture.on_line is not None:
            _capture.on_line(record.levelno, record.getMessage())


def _filter_shared(record: logging.LogRecord) -> bool:
    _redact(record)
    return _capture.redact is None or record.name != "backoff"


def _redact(record: logging.LogRecord) -> None:
    """Replaces the record's text; a traceback or attributes beside it (URLs, headers) are removed."""
    if _capture.redact is None:
        return
    text = _RESPONSE.sub(r"\1.", _capture.redact(record.getMessage()))
    for name in record.__dict__.keys() - _STANDARD:
        del record.__dict__[name]
    record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None


_STANDARD = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime"}
_capture = _Capture()
_HANDLER = _Handler(logging.INFO)
