"""Runs a connector manifest in this process and lands its records on the lake, as an Airbyte server would.

Here: one sync: what it reads, what it landed, and the messages of one that failed. Not here: which day is synced and
whether a finished sync is reused (`local.py`), how the connector runtime is driven (`connector.py`), what the landed
objects look like (`landing.py`), Dagster.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from vp_pipeline.airbyte.batches import Requested
from vp_pipeline.airbyte.connector import Connector, ConnectorFailed, Record
from vp_pipeline.airbyte.landing import Landing
from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Batches


@dataclass(frozen=True)
class AirbyteConnection:
    """What to sync: one stream of one source, with the connector's config.

    `secrets` are the secret values inside `config`: they are replaced by `***` in every message and log line.
    `credentials`: the variables that they come from, for people. `batches`: how it requests several entities at once.
    """

    source: str
    stream: str
    manifest: Path
    config: Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    credentials: tuple[str, ...] = ()
    batches: Batches | None = None


@dataclass(frozen=True)
class Begun:
    """A sync of batches that an earlier attempt began, or that keeps its state for a later one. `landed`: its objects,
    of a response each."""

    job_id: int
    landed: tuple[str, ...]
    requested: Requested


@dataclass(frozen=True)
class SyncJob:
    """A sync that ended. `status` is Airbyte's; times are UTC; `bytes` are those on the lake. `refused`: why the vendor
    refused a part of the request, by what it was for. `figures`: of a sync of batches, such as what it has cost."""

    job_id: int
    source: str
    stream: str
    status: str
    started_at: datetime
    ended_at: datetime
    records: int
    bytes: int
    objects: tuple[str, ...]
    messages: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, int] = field(default_factory=dict)


class ConnectorRunner:
    """Syncs connections into the lake, in the caller's thread.

    A part of `part_bytes` (uncompressed) is followed by the next one. A sync that is not done after
    `deadline_seconds` fails when the connector next yields a record, so at most one wait later.
    `log` gets the connector's log, line by line and without secrets.
    """

    def __init__(
        self,
        lake: Lake,
        part_bytes: int = 200 * 1024 * 1024,
        log: Callable[[str], None] | None = None,
        deadline_seconds: float = 3600,
    ) -> None:
        self._lake = lake
        self._part_bytes = part_bytes
        self._log = log
        self._deadline_seconds = deadline_seconds

    def sync(self, connection: AirbyteConnection, job_id: int | None = None, begun: Begun | None = None) -> SyncJob:
        """Reads the whole stream and lands it under `bronze/<source>/<stream>/`.

        `job_id`: unix milliseconds (default: the present): the sync's number, and the moment in its objects' names.

        Of a connection with batches each response is an object of its own, whole as soon as it is there. A refused
        request is sent again in halves. `begun` is continued: what it landed is not requested again.

        As with Airbyte's own, a sync that fails leaves the parts that it had finished; no manifest lists them, so
        they are never read.

        Raises:
            PermanentError: the request, the key, the config or the manifest is rejected; or the lake cannot be written.
            TransientError: the API is busy, failing or unreachable, or the sync took too long.
        """
        if begun is not None:
            job_id = begun.job_id
        job_id = next_job_id() if job_id is None else job_id
        landing = Landing(
            self._lake,
            connection.source,
            connection.stream,
            job_id,
            self._part_bytes if connection.batches is None else 0,
            connection.secrets,
            begun.landed if begun else (),
        )
        requested = begun.requested if begun else None
        if requested is None and connection.batches is not None:
            requested = Requested(connection.batches, connection.config)
        try:
            if requested is None:
                connector = self._connector(connection)
                with closing(connector.records(connection.stream, self._deadline_seconds)) as records:
                    landing.land(records)
                messages, refused, figures = connector.messages, connector.refused, {}
            else:
                messages = self._land_batches(connection, requested, landing)
                refused, figures = requested.refused_entities, requested.figures
        except ConnectorFailed as failed:
            kept = requested.progress() if begun and requested else ""
            raise _failure("sync", connection, failed, landing.objects, kept) from None
        return SyncJob(
            job_id=job_id,
            source=connection.source,
            stream=connection.stream,
            status="succeeded",
            started_at=landing.started_at,
            ended_at=datetime.now(UTC),
            records=landing.records,
            bytes=landing.bytes,
            objects=tuple(landing.objects),
            messages=tuple(messages),
            refused=refused,
            figures=figures,
        )

    def _land_batches(self, connection: AirbyteConnection, requested: Requested, landing: Landing) -> list[str]:
        """Sends what is outstanding, until nothing is; returns the warnings and retries. Waiting for tokens takes as
        long as they need: the connector bounds each wait, so the deadline is none of the whole sync."""

        def log(line: str) -> None:
            if self._log is not None:
                self._log(line)
                if "Retrying in" in line:
                    self._log(f"{connection.source}/{connection.stream}: {requested.progress()}")

        def answers(connector: Connector) -> Generator[Record]:
            for record in connector.records(connection.stream, inf):
                yield record
                # Asked for the next one, the landing has this one on the lake.
                requested.answer(record.data)
                log(f"{connection.source}/{connection.stream}: {requested.progress()}")

        messages: list[str] = []
        while outstanding := requested.outstanding:
            config = requested.configuration(outstanding)
            connector = Connector(connection.manifest, config, connection.secrets, log, requested.refuse)
            with closing(answers(connector)) as records:
                landing.land(records)
            messages += connector.messages
            if requested.refused_all(outstanding):
                break
            requested.answered.update(outstanding)  # what has no record and is not refused is missing, not outstanding
        return messages

    def check(self, connection: AirbyteConnection) -> None:
        """Checks with the connector that its config can be used.

        Raises:
            PermanentError: it cannot; the message is the connector's.
        """
        try:
            self._connector(connection).check()
        except ConnectorFailed as failed:
            raise PermanentError(str(_failure("check", connection, failed, []))) from None

    def _connector(self, connection: AirbyteConnection) -> Connector:
        return Connector(connection.manifest, connection.config, connection.secrets, self._log)


def _failure(
    what: str, connection: AirbyteConnection, failed: ConnectorFailed, objects: list[str], kept: str = ""
) -> PipelineError:
    """The failure as ours: what, where, and what to do next. `failed` carries no secret, nor does its chain. `kept`:
    how far a sync is that the next attempt continues."""
    message = f"The Airbyte {what} of {connection.source}/{connection.stream} failed: {failed}"
    if kept:
        message += f" What was received is kept, and the next attempt requests the rest: {kept}"
    elif objects:
        message += (
            f" {len(objects)} finished part{'s' if len(objects) > 1 else ''} stayed on the lake, from {objects[0]} "
            "on; no manifest lists them, so nothing reads them."
        )
    if failed.transient:
        return TransientError(f"{message} Run it again later.")
    named = f" (its credentials: {', '.join(connection.credentials)})" if connection.credentials else ""
    return PermanentError(
        f"{message} A retry gives the same result: correct the config of the connection first{named}."
    )


_last_job_id = 0
_job_id_lock = threading.Lock()


def next_job_id() -> int:
    """The present in unix milliseconds, or one more than the last id: unique in the process, increasing."""
    global _last_job_id
    with _job_id_lock:
        _last_job_id = max(_last_job_id + 1, time.time_ns() // 1_000_000)
        return _last_job_id
