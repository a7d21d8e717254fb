"""Airbyte Cloud or a self-managed Airbyte: which syncs are started, attached to, waited for and filed.

Here: one finished sync per partition, whatever happens on the way. Not here: the API (`api.py`), and what
a connection must look like (`drift.py`).

The job that a run waits for is on record (`layout.RUNNING_SYNC`): a retry continues with it.
"""

import json
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from vp_pipeline.airbyte.api import AirbyteApi, AlreadyRunning, Job, reason_of
from vp_pipeline.airbyte.drift import drift, fingerprints, source_drift
from vp_pipeline.airbyte.interface import Log, Sync, sync_of_past_day
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import bronze, layout
from vp_pipeline.lake.manifests import Document, SyncRecord, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY, newest_finished_day, start_of
from vp_pipeline.sources.source import AirbyteSource, Stream, SyncRequest
from vp_pipeline.stored_formats import StoredFormat, with_default


class RunningSync(Document):
    """A job that was started or attached to for a partition and is not filed yet.

    `source`, `stream` and `run_date` are None of version 1. `request`: what the source was configured to request when
    the job was started; None: not known.
    """

    FORMAT = StoredFormat(
        "record of a running sync", (with_default(source=None, stream=None, run_date=None, request=None),)
    )
    REMEDY = "Move it away: the run starts another Airbyte job then, or attaches to the one that is running."

    job_id: int
    connection: str
    source: str | None
    stream: str | None
    run_date: date | None
    request: SyncRequest | None

    @property
    def parts(self) -> Mapping[str, object]:
        return {} if self.run_date is None else {"source": self.source, "stream": self.stream, "day": self.run_date}


@dataclass(frozen=True)
class RemoteAirbyte:
    """Production's implementation of `Airbyte`. `connections`: the connection ID by the source's name. `expected`: what
    the settings have of a source's configuration, without credentials; of a source that is not in it, nothing."""

    lake: Lake
    connections: Mapping[str, str]
    client: Callable[[], AirbyteApi] = field(repr=False)
    poll_seconds: float = 10
    deadline_seconds: float = 10_800
    newest: Callable[[], date] = newest_finished_day
    expected: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def sync(
        self, source: AirbyteSource, stream: Stream, run_date: date, *, resync: bool = False, log: Log | None = None
    ) -> Sync:
        """See `Airbyte.sync`. A job that an earlier attempt of the day started is waited for, and no other is started;
        with `resync` another one is, unless the earlier one is still running.

        Raises:
            PermanentError: the connection differs from the code, or Airbyte rejects a request, or the sync failed, or
                is not done by the deadline (it keeps running).
            TransientError: Airbyte does not respond.
        """
        existing = bronze.sync_before(self.lake, stream, run_date, resync=resync)
        connection_id = self.connections[source.name]
        fingerprint, *earlier = fingerprints(connection_id, stream, self.expected.get(source.name))
        running = self._recorded_job(stream, run_date, connection_id)
        log = log or _discard
        api = self.client()
        job = None if running is None else self._continued(api, run_date, running, log, resync=resync)
        request = running.request if running is not None else None
        if job is None:
            if existing is not None and existing.fingerprint in (fingerprint, *earlier) and not resync:
                return Sync(existing, reused=f"sync {existing.job_id} requested the same from {existing.origin}")
            past = sync_of_past_day(stream, run_date, self.newest(), existing, resync=resync)
            if past is not None:
                return past
            job, request = self._started(api, source, stream, run_date, log)
        try:
            job = self._wait(api, job, stream, run_date, log)
        except Exception:
            raise  # the job is on record: the next attempt continues with it
        except BaseException:
            # The run was cancelled or the process is terminated: a sync that no run waits for would cost for nothing.
            with suppress(Exception):  # whatever Airbyte responds, the run is to end
                api.cancel_job(job.job_id)
                self._forget(stream, run_date)
            log(f"The run was stopped: Airbyte job {job.job_id} is being cancelled.")
            raise
        record = self._file(api, job, stream, run_date, fingerprint, request)
        return Sync(record, reused=None)

    def _continued(
        self, api: AirbyteApi, run_date: date, running: RunningSync, log: Log, *, resync: bool
    ) -> Job | None:
        """The job of an earlier attempt; None: another one is requested, and this one has ended."""
        try:
            job = api.job(running.job_id)
        except PermanentError as error:
            if resync:
                return None
            raise PermanentError(
                f"{error} An earlier attempt of {run_date} started job {running.job_id}; if Airbyte has deleted it, "
                f"start another one: `vp run --date {run_date} --resync`."
            ) from None
        if resync and not job.running:
            return None
        log(f"Continuing with Airbyte job {job.job_id}, which an earlier attempt of {run_date} started.")
        return job

    def _started(
        self, api: AirbyteApi, source: AirbyteSource, stream: Stream, run_date: date, log: Log
    ) -> tuple[Job, SyncRequest | None]:
        """A job that was started, or is running already, and what it requests."""
        connection_id = self.connections[source.name]
        connection = api.get_connection_details(connection_id)
        self._refuse_drift(api, stream, connection_id, connection)
        request = _configured(api, source, connection, log)
        of_day = source.of_day(run_date)
        if of_day:
            api.configure_source(connection["sourceId"], of_day)
        try:
            job = api.start(connection_id)
            log(f"Airbyte job {job.job_id} started for {run_date}.")
        except AlreadyRunning:
            if of_day:
                raise TransientError(
                    f"Airbyte is running another sync of connection {connection_id}, which may be of another day than "
                    f"{run_date}. Run {run_date} again when it has ended."
                ) from None
            job = self._attach(api, stream, run_date, connection_id)
            # The source may have been configured otherwise when the job was started; a run that did that recorded how.
            other = self._recorded_job(stream, run_date, connection_id)
            request = other.request if other is not None and other.job_id == job.job_id else None
            log(f"Airbyte job {job.job_id} was already running: waiting for it.")
        document = RunningSync(
            job_id=job.job_id,
            connection=connection_id,
            source=stream.source,
            stream=stream.name,
            run_date=run_date,
            request=request,
        )
        self.lake.write(running_path(stream, run_date), document.to_bytes())
        return job, request

    def _attach(self, api: AirbyteApi, stream: Stream, run_date: date, connection_id: str) -> Job:
        job = api.running_job(connection_id)
        if job is None:
            raise TransientError(
                f"Airbyte reported a running job of connection {connection_id} (409), and no sync is running: it has "
                f"just ended, or is of another kind (a reset). Run {run_date} again."
            )
        if stream.replay == "snapshot" and job.started_at < start_of(run_date + ONE_DAY):
            raise TransientError(
                f"Airbyte job {job.job_id} of connection {connection_id} has been running since "
                f"{job.started_at:%Y-%m-%d %H:%M} UTC: {run_date} was not over then, so its responses are not of "
                "that day. Run again when it has ended."
            )
        return job

    def _wait(self, api: AirbyteApi, job: Job, stream: Stream, run_date: date, log: Log) -> Job:
        until = time.monotonic() + self.deadline_seconds
        while job.running:
            if time.monotonic() > until:
                # No retry in this run: each would wait as long again, and no notification would be sent.
                raise PermanentError(
                    f"Airbyte job {job.job_id} of {stream.source}/{stream.name} for {run_date} is not done after "
                    f"{self.deadline_seconds:g} seconds (VP_AIRBYTE_DEADLINE_SECONDS). It keeps running: run the day "
                    "again to wait for the same job."
                )
            time.sleep(self.poll_seconds)
            job = api.job(job.job_id)
            log(f"Airbyte job {job.job_id}: {job.status}, {job.records:,} records.")
        if job.status != "succeeded":
            self._forget(stream, run_date)  # the next attempt starts another job
            raise PermanentError(
                f"The Airbyte sync of {stream.source}/{stream.name} for {run_date} ended as {job.status} (job "
                f"{job.job_id}): {reason_of(api.attempts(job.job_id))}. What it landed is in no manifest, so it "
                "is never read. See the job in Airbyte, then run the day again."
            )
        return job

    def _file(
        self,
        api: AirbyteApi,
        job: Job,
        stream: Stream,
        run_date: date,
        fingerprint: str,
        request: SyncRequest | None,
    ) -> SyncRecord:
        objects = self._landed(job, stream)
        record = SyncRecord(
            source=stream.source,
            stream=stream.name,
            run_date=run_date,
            job_id=job.job_id,
            origin=f"Airbyte connection {self.connections[stream.source]}",
            fingerprint=fingerprint,
            started_at=job.started_at,
            ended_at=job.updated_at,
            records=_records(api, job, stream),
            bytes=sum(self.lake.size(path) for path in objects),
            objects=objects,
            request=request,
            refused={},  # Airbyte has it in the log of the job only
            recorded=False,
        )
        self.lake.write(bronze.sync_path(stream, run_date), record.to_bytes())
        self._forget(stream, run_date)
        return record

    def _landed(self, job: Job, stream: Stream) -> tuple[str, ...]:
        """The objects of a job: by the days in their names, and by the job's number in their records."""
        folder = f"bronze/{stream.source}/{stream.name}"
        day, last = job.started_at.date() - timedelta(days=1), job.updated_at.date()
        found = []
        while day <= last:
            found += [i.path for i in self.lake.list(folder, f"{day:%Y_%m_%d}_") if self._sync_id(i.path) == job.job_id]
            day += ONE_DAY
        return tuple(found)

    def _sync_id(self, path: str) -> int | None:
        """The job that landed an object, by its first record; None: it names none (damaged, or of another
        writer). If it was of our job, its records are missing: bronze counts them."""
        try:
            text = zlib.decompressobj(wbits=31).decompress(self.lake.read(path), 2_000)
            # The head of the first line is enough: the record itself may have megabytes.
            head = text.partition(b'"_airbyte_data"')[0].partition(b'"sync_id":')[2]
            return int(json.JSONDecoder().raw_decode(head.decode().strip())[0])
        except (zlib.error, ValueError):
            return None

    def _recorded_job(self, stream: Stream, run_date: date, connection_id: str) -> RunningSync | None:
        running = read_document(self.lake, running_path(stream, run_date), RunningSync)
        return running if running is not None and running.connection == connection_id else None

    def _forget(self, stream: Stream, run_date: date) -> None:
        self.lake.delete(running_path(stream, run_date))

    def _refuse_drift(self, api: AirbyteApi, stream: Stream, connection_id: str, found: Mapping[str, Any]) -> None:
        destination = api.get_destination_details(found["destinationId"])
        differences = list(drift(found, destination, stream, self.lake.location("")))
        if expected := self.expected.get(stream.source):
            differences += source_drift(api.source_configuration(found["sourceId"]), expected)
        if differences:
            raise PermanentError(
                f"Airbyte's connection {connection_id} is not what {stream.source}/{stream.name} expects: "
                f"{'; '.join(differences)}. Nothing was synced. Apply infra/airbyte, or correct it in Airbyte."
            )


def running_path(stream: Stream, run_date: date) -> str:
    return layout.RUNNING_SYNC.path(source=stream.source, stream=stream.name, day=run_date)


def _configured(api: AirbyteApi, source: AirbyteSource, connection: Mapping[str, Any], log: Log) -> SyncRequest | None:
    """What the source of a connection is configured to request now; None: not known."""
    try:
        request = source.request_of(api.source_configuration(connection["sourceId"]))
    except (PermanentError, KeyError) as error:
        log(f"The configuration of {source.name} in Airbyte cannot be read: {error}")
        return None
    if request is None:
        log(f"The configuration of {source.name} in Airbyte names nothing to request.")
    return request


def _records(api: AirbyteApi, job: Job, stream: Stream) -> int:
    """Records of the stream that all attempts of the job committed; a connection may have other streams too."""
    statistics = [
        item["stats"].get("recordsCommitted") or 0
        for attempt in api.attempts(job.job_id)
        for item in attempt.get("streamStats") or []
        if item.get("streamName") == stream.name
    ]
    return sum(statistics) if statistics else job.records


def _discard(line: str) -> None:
    """The log of a caller that passes none."""
