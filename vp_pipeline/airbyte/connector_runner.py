"""Runs a connector manifest in this process and lands its records on the lake, as an Airbyte server would.

Here: one sync: what it reads, what it landed, and the messages of one that failed. Not here: which day is synced and
whether a finished sync is reused (`local.py`), how the connector runtime is driven (`connector.py`), what the landed
objects look like (`landing.py`), Dagster.
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
class AirbyteConnection:
    """What to sync: one stream of one source, with the connector's config.

    `secrets` are the secret values inside `config`: they are replaced by `***` in every message and log line.
    `credentials`: the variables that they come from, for people.
    """

    source: str
    stream: str
    manifest: Path
    config: Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    credentials: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncJob:
    """A sync that ended. `status` is Airbyte's; times are UTC; `bytes` are those on the lake. `refused`: why the vendor
    refused a part of the request, by what it was for."""

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

    def sync(self, connection: AirbyteConnection, job_id: int | None = None) -> SyncJob:
        """Reads the whole stream and lands it under `bronze/<source>/<stream>/`.

        `job_id`: unix milliseconds (default: the present): the sync's number, and the moment in its objects' names.

        As with Airbyte's own, a sync that fails leaves the parts that it had finished; no manifest lists them, so
        they are never read.

        Raises:
            PermanentError: the request, the key, the config or the manifest is rejected; or the lake cannot be written.
            TransientError: the API is busy, failing or unreachable, or the sync took too long.
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
            refused=connector.refused,
        )

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


def _failure(what: str, connection: AirbyteConnection, failed: ConnectorFailed, objects: list[str]) -> PipelineError:
    """The failure as ours: what, where, and what to do next. `failed` carries no secret, nor does its chain."""
    message = f"The Airbyte {what} of {connection.source}/{connection.stream} failed: {failed}"
    if objects:
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
