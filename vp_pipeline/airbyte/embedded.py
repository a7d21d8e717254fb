"""Airbyte where there is no Airbyte: runs a connector manifest here and lands its records as Airbyte would.

Here: what is synced, what came of it, and the messages of a sync that failed. Not here: how the connector
runtime is driven (`connector.py`), what the landed objects look like (`landing.py`), Dagster.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from vp_pipeline.airbyte.connector import Connector, ConnectorFailed
from vp_pipeline.airbyte.landing import Landing
from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.lake.objects import Lake


@dataclass(frozen=True)
class Connection:
    """What to sync: one stream of one source, with the connector's config.

    `secrets` are the secret values inside `config`: they are replaced by `***` in every message and log line.
    """

    source: str
    stream: str
    manifest: Path
    config: Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class SyncJob:
    """A sync that ended. `status` is one of Airbyte's words; times are UTC; `bytes` are those on the lake."""

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


class EmbeddedAirbyte:
    """Syncs connections into the lake, in the caller's thread.

    A part of `part_bytes` (uncompressed) is followed by the next one. A sync that is not done after
    `deadline_seconds` fails when the connector next hands over a record, so at most one wait later.
    `log` is told what the connector says, line by line and without secrets.
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

    def sync(self, connection: Connection, job_id: int | None = None) -> SyncJob:
        """Reads the whole stream and lands it under `bronze/<source>/<stream>/`.

        `job_id`: unix milliseconds (default: the present): the sync's number, and the moment in its objects' names.

        Like Airbyte's own, a sync that fails leaves the parts that it had finished; nobody lists them in a
        manifest, so nobody reads them.

        Raises:
            PermanentError: the request, the key, the config or the manifest is refused; or the lake is.
            TransientError: the API is busy, failing or out of reach, or the sync took too long.
        """
        job_id = next_job_id() if job_id is None else job_id
        landing = Landing(
            self._lake, connection.source, connection.stream, job_id, self._part_bytes, connection.secrets
        )
        connector = self._connector(connection)
        try:
            with closing(connector.records(connection.stream, self._deadline_seconds)) as records:
                landing.land(records)
        except ConnectorFailed as failed:
            raise _failure("sync", connection, failed, landing.objects) from None
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
            messages=tuple(connector.messages),
        )

    def check(self, connection: Connection) -> None:
        """Asks the connector whether its config can be used.

        Raises:
            PermanentError: it cannot; the message is the connector's.
        """
        try:
            self._connector(connection).check()
        except ConnectorFailed as failed:
            raise PermanentError(str(_failure("check", connection, failed, []))) from None

    def _connector(self, connection: Connection) -> Connector:
        return Connector(connection.manifest, connection.config, connection.secrets, self._log)


def _failure(what: str, connection: Connection, failed: ConnectorFailed, objects: list[str]) -> PipelineError:
    """The failure for people: what, where, and what to do next. `failed` carries no secret, nor does its chain."""
    said = f"The Airbyte {what} of {connection.source}/{connection.stream} failed: {failed}"
    if objects:
        said += (
            f" {len(objects)} finished part{'s' if len(objects) > 1 else ''} stayed on the lake, from {objects[0]} "
            "on; no manifest lists them, so nothing reads them."
        )
    if failed.passing:
        return TransientError(f"{said} Run it again later.")
    return PermanentError(
        f"{said} Trying again gives the same: correct the config of the connection first "
        f"(its key is {connection.source.upper()}_API_KEY)."
    )


_last_job_id = 0
_job_id_lock = threading.Lock()


def next_job_id() -> int:
    """The present in unix milliseconds, or one more than the last id: unique in the process, increasing."""
    global _last_job_id
    with _job_id_lock:
        _last_job_id = max(_last_job_id + 1, time.time_ns() // 1_000_000)
        return _last_job_id
