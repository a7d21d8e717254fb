"""One connector manifest, run inside this process by Airbyte's own runtime (`airbyte-cdk`).

Here: building the connector, reading a stream, and distinguishing transient from permanent failures. Not here: where
records go (`landing.py`), and how the runtime's logging is contained (`connector_logging.py`).

In-process, because the runtime takes seconds to import and then 0.1 s per sync: a subprocess would repeat the import
for every day of a backfill. It is imported by the first sync, never by the code location.

Partitions are read one after the other in the caller's thread, not through the runtime's worker threads: those keep
sending requests after a failure, cannot be stopped while they wait, and would keep the process from ending.
"""

import logging
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from vp_pipeline.airbyte.connector_logging import captured_logs, import_quietly
from vp_pipeline.redaction import Redaction

if TYPE_CHECKING:
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

# What the runtime puts before a reason: that its retries are used up, or which stream was checked.
_EXHAUSTED = "Exhausted available request attempts. Please see logs for more details. Exception: "
_PREFIXES = re.compile(rf"^(?:Stream \w+ is not available: )?(?P<exhausted>{re.escape(_EXHAUSTED)})?")
_UNREACHABLE = re.compile(r"^\w+: HTTPS?ConnectionPool\(host='(?P<host>[^']+)', port=(?P<port>\d+)\): ")
_REASON = re.compile(r"\[Errno -?\d+\] [\w /,-]+|\w+ timed out|certificate verify failed[^(]*")
# The first words of what a manifest reports where the vendor refuses a part of the request.
_REFUSED = "Refused by the vendor: "
# Messages of the runtime that are less specific than its internal ones.
_VAGUE = ("API rate limit exceeded", "The rate limit wait time is longer")

_LONGEST_LINE = 500


@dataclass(frozen=True)
class Record:
    """A record as the connector gave it; `extracted_at` in unix milliseconds."""

    data: Mapping[str, Any]
    extracted_at: int


class ConnectorFailed(Exception):
    """The connector failed; the message carries no secret. `transient`: a retry may help."""

    def __init__(self, message: str, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


class Connector:
    """A manifest with a config. `messages`: the warnings and retries so far. `refused`: why the vendor refused a part
    of the request, by what that was for (the value of its partition). Both are without secrets. `on_refused` is called
    with these two at each refusal."""

    def __init__(
        self,
        manifest: Path,
        config: Mapping[str, object],
        secrets: tuple[str, ...],
        log: Callable[[str], None] | None,
        on_refused: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._on_refused = on_refused
        self.messages: list[str] = []
        self.refused: dict[str, str] = {}
        self._reading = ""
        self._manifest = manifest
        self._config = config
        self._redact = Redaction(secrets)
        self._log = log

    def check(self) -> None:
        """Raises ConnectorFailed if the config cannot be used."""
        with self._runtime() as failures:
            status = self._source().check(logging.getLogger("airbyte"), dict(self._config))
            if status.status is not None and status.status.value != "SUCCEEDED":
                failures.append(self._failed(str(status.message).strip("'\"").replace("\\'", "'")))
        if failures:
            raise failures[0]

    def records(self, stream: str, seconds: float) -> Generator[Record]:
        """Every record of `stream`, in the order of the partitions, for at most `seconds`.

        Raises:
            ConnectorFailed: the stream was not read to its end. No more requests are sent then.
        """
        records = self._read(stream)
        until = time.monotonic() + seconds
        while True:
            record = None
            with self._runtime() as failures:
                record = next(records, None)
            if failures:
                raise failures[0]
            if record is None:
                return
            if time.monotonic() > until:
                raise ConnectorFailed(f"It took longer than {seconds:g} seconds.", transient=True)
            yield record

    def _read(self, stream: str) -> Iterator[Record]:
        streams = {s.name: s for s in self._source().streams(dict(self._config))}
        if stream not in streams:
            raise ConnectorFailed(
                f"{self._manifest.name} has no stream {stream}; it has {', '.join(streams)}.", transient=False
            )
        for partition in streams[stream].generate_partitions():
            self._reading = ", ".join(map(str, (partition.to_slice() or {}).values()))
            for record in partition.read():
                yield Record(record.data, time.time_ns() // 1_000_000)

    def _source(self) -> "ConcurrentDeclarativeSource":
        from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
        from airbyte_cdk.sources.utils.schema_helpers import check_config_against_spec_or_exit
        from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it
        config = dict(self._config)
        source = ConcurrentDeclarativeSource(
            config=config,
            source_config=yaml.load(self._manifest.read_text(encoding="utf-8"), Loader=loader),
            custom_components_trusted=False,
        )
        spec = source.spec(logging.getLogger("airbyte"))
        for secret in get_secrets(spec.connectionSpecification, config):
            self._redact.add(str(secret))
        check_config_against_spec_or_exit(config, spec)
        return source

    @contextmanager
    def _runtime(self) -> Iterator[list[ConnectorFailed]]:
        """Runs the block with the runtime imported and its log lines captured; collects what the block raises.

        The caller raises what was collected after the block: raised inside an `except` it would chain the
        original, and a request's text and URL hold the key.
        """
        failures: list[ConnectorFailed] = []
        import_quietly("airbyte_cdk.sources.declarative.concurrent_declarative_source")
        with captured_logs(self._redact, self._on_line):
            try:
                yield failures
            except ConnectorFailed as failed:
                failures.append(failed)
            except Exception as error:
                failures.append(self._failure_of(error))
            except BaseException as interrupt:
                # It may arrive while the runtime handles an error whose text holds the key, which would be chained.
                interrupt.__context__ = interrupt.__cause__ = None
                raise

    def _failure_of(self, error: Exception) -> ConnectorFailed:
        from airbyte_cdk.utils.traced_exception import AirbyteTracedException

        if not isinstance(error, AirbyteTracedException):
            return self._failed(f"{type(error).__name__}: {error}")
        transient = error.failure_type.value == "transient_error"
        message = error.message or error.internal_message or "The connector gave no reason."
        if message.startswith(_VAGUE) and error.internal_message:
            message = error.internal_message.removeprefix("Rate limit retry budget exhausted. Last exception: ")
        return self._failed(message, transient)

    def _failed(self, message: str, transient: bool = False) -> ConnectorFailed:
        prefixes = _PREFIXES.match(message)
        assert prefixes is not None
        # What the runtime retried until it gave up is transient, whatever type it reports.
        transient = transient or prefixes["exhausted"] is not None
        text = message[prefixes.end() :].strip()
        if unreachable := _UNREACHABLE.match(text):
            reason = _REASON.search(text, unreachable.end())
            why = reason[0] if reason else text[unreachable.end() :]
            text = f"{unreachable['host']}:{unreachable['port']} cannot be reached ({why})."
            transient = True
        text = self._redact(text)
        return ConnectorFailed(text if text.endswith((".", "?", "!")) else f"{text}.", transient)

    def _on_line(self, level: int, line: str) -> None:
        line = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} ..."
        if line.startswith(_REFUSED):
            self.refused[self._reading] = line.removeprefix(_REFUSED)
            self._on_refused(self._reading, self.refused[self._reading])
        if level >= logging.WARNING or "Retrying in" in line:
            self.messages.append(line)
        if self._log is not None:
            self._log(line)
