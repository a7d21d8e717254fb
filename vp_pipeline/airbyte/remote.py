"""Airbyte Cloud, or an Airbyte of one's own: which syncs are started, attached to, waited for and filed.

Here: one finished sync a partition, whatever happens on the way. Not here: the API (`api.py`), and what
a connection must look like (`drift.py`).

    bronze/<source>/<stream>/_syncs/run_date=D.running.json    the job that a run waits for: a retry goes on with it
"""

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

from vp_pipeline.airbyte.api import AirbyteApi, AlreadyRunning, Job, reason_of
from vp_pipeline.airbyte.drift import drift
from vp_pipeline.airbyte.interface import Log, Sync, kept_for_the_past
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY, newest_finished_day, start_of
from vp_pipeline.sources.source import Source, Stream


class RunningSync(BaseModel):
    """A job that was started or attached to for a partition and is not filed yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: int
    connection: str


@dataclass(frozen=True)
class RemoteAirbyte:
    """The Airbyte resource of production. `connections`: the connection of each source, by the source's name."""

    lake: Lake
    connections: Mapping[str, str]
    client: Callable[[], AirbyteApi] = field(repr=False)
    poll_seconds: float = 10
    deadline_seconds: float = 10_800
    newest: Callable[[], date] = newest_finished_day

    def sync(
        self, source: Source, stream: Stream, run_date: date, *, resync: bool = False, log: Log | None = None
    ) -> Sync:
        """See `Airbyte.sync`. A job that an earlier try of the day started is waited for, and no other is started; with
        `resync` another one is, unless it still runs.

        Raises:
            PermanentError: the connection differs from the code, or Airbyte refuses, or the sync failed, or is not done
                by the deadline (it goes on).
            TransientError: Airbyte does not answer.
        """
        existing = bronze.read_sync(self.lake, stream, run_date)
        connection = self.connections[source.name]
        fingerprint = hashlib.sha256(f"{connection}/{stream.name}".encode()).hexdigest()
        running = self._remembered(stream, run_date, connection)
        said = log or _nobody
        api = self.client()
        job = None if running is None else self._going_on(api, run_date, running, said, resync=resync)
        if job is None:
            if existing is not None and existing.fingerprint == fingerprint and not resync:
                return Sync(existing, reused=f"sync {existing.job_id} asked the same of {existing.origin}")
            kept = kept_for_the_past(stream, run_date, self.newest(), existing)
            if kept is not None:
                return kept
            job = self._started(api, stream, run_date, connection, said)
        try:
            job = self._wait(api, job, stream, run_date, said)
        except Exception:
            raise  # the job is remembered: another try goes on with it
        except BaseException:
            # The run was cancelled or the process is told to end: a sync that nobody waits for costs for nothing.
            with suppress(Exception):  # whatever Airbyte says to that, the run is to end
                api.cancel_job(job.job_id)
                self._forget(stream, run_date)
            said(f"The run was stopped: Airbyte job {job.job_id} is asked to stop.")
            raise
        record = self._file(api, job, stream, run_date, connection, fingerprint)
        return Sync(record, reused=None)

    def _going_on(
        self, api: AirbyteApi, run_date: date, running: RunningSync, said: Log, *, resync: bool
    ) -> Job | None:
        """The job of an earlier try; None: a person asks for another one, and this one does not run any more."""
        try:
            job = api.job(running.job_id)
        except PermanentError as error:
            if resync:
                return None
            raise PermanentError(
                f"{error} An earlier try of {run_date} started job {running.job_id}; if Airbyte does not know it any "
                f"more, start another one: `vp run --date {run_date} --resync`."
            ) from None
        if resync and not job.running:
            return None
        said(f"Going on with Airbyte job {job.job_id}, which an earlier try of {run_date} started.")
        return job

    def _started(self, api: AirbyteApi, stream: Stream, run_date: date, connection: str, said: Log) -> Job:
        self._refuse_drift(api, stream, connection)
        try:
            job = api.start(connection)
            said(f"Airbyte job {job.job_id} started for {run_date}.")
        except AlreadyRunning:
            job = self._attach(api, stream, run_date, connection)
            said(f"Airbyte job {job.job_id} was running already: waiting for it.")
        document = RunningSync(job_id=job.job_id, connection=connection)
        self.lake.write(running_path(stream, run_date), document.model_dump_json().encode())
        return job

    def _attach(self, api: AirbyteApi, stream: Stream, run_date: date, connection: str) -> Job:
        job = api.running_job(connection)
        if job is None:
            raise TransientError(
                f"Airbyte said that a job of connection {connection} is running (409), and no sync is: it has just "
                f"ended, or is of another kind (a reset). Run {run_date} again."
            )
        if stream.replay == "snapshot" and job.started_at < start_of(run_date + ONE_DAY):
            raise TransientError(
                f"Airbyte job {job.job_id} of connection {connection} is running since {job.started_at:%Y-%m-%d %H:%M} "
                f"UTC: {run_date} was not over then, so its answers are not of that day. Run again when it has ended."
            )
        return job

    def _wait(self, api: AirbyteApi, job: Job, stream: Stream, run_date: date, said: Log) -> Job:
        until = time.monotonic() + self.deadline_seconds
        while job.running:
            if time.monotonic() > until:
                # No other try in this run: each would wait as long again, and nobody would hear of it.
                raise PermanentError(
                    f"Airbyte job {job.job_id} of {stream.source}/{stream.name} for {run_date} is not done after "
                    f"{self.deadline_seconds:g} seconds (VP_AIRBYTE_DEADLINE_SECONDS). It goes on: run the day again "
                    "to wait for the same job."
                )
            time.sleep(self.poll_seconds)
            job = api.job(job.job_id)
            said(f"Airbyte job {job.job_id}: {job.status}, {job.records:,} records.")
        if job.status != "succeeded":
            self._forget(stream, run_date)  # another try starts another job
            raise PermanentError(
                f"The Airbyte sync of {stream.source}/{stream.name} for {run_date} ended as {job.status} (job "
                f"{job.job_id}): {reason_of(api.attempts(job.job_id))}. What it landed is in no manifest, so nothing "
                "reads it. See the job in Airbyte, then run the day again."
            )
        return job

    def _file(
        self, api: AirbyteApi, job: Job, stream: Stream, run_date: date, connection: str, fingerprint: str
    ) -> SyncRecord:
        objects = self._landed(job, stream)
        record = SyncRecord(
            source=stream.source,
            stream=stream.name,
            run_date=run_date,
            job_id=job.job_id,
            origin=f"Airbyte connection {connection}",
            fingerprint=fingerprint,
            started_at=job.started_at,
            ended_at=job.updated_at,
            records=_records(api, job, stream),
            bytes=sum(self.lake.size(path) for path in objects),
            objects=objects,
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
        """The job that landed an object, as its first record tells; None: it tells none, so it is of another writer or
        damaged. If it was of our job, its records are missing: bronze counts them."""
        try:
            text = zlib.decompressobj(wbits=31).decompress(self.lake.read(path), 2_000)
            # The head of the first line is enough: the record itself may have megabytes.
            head = text.partition(b'"_airbyte_data"')[0].partition(b'"sync_id":')[2]
            return int(json.JSONDecoder().raw_decode(head.decode().strip())[0])
        except (zlib.error, ValueError):
            return None

    def _remembered(self, stream: Stream, run_date: date, connection: str) -> RunningSync | None:
        content = self.lake.find(running_path(stream, run_date))
        running = None if content is None else RunningSync.model_validate_json(content)
        return running if running is not None and running.connection == connection else None

    def _forget(self, stream: Stream, run_date: date) -> None:
        self.lake.delete(running_path(stream, run_date))

    def _refuse_drift(self, api: AirbyteApi, stream: Stream, connection: str) -> None:
        found = api.get_connection_details(connection)
        destination = api.get_destination_details(found["destinationId"])
        differences = list(drift(found, destination, stream, self.lake.location("")))
        if differences:
            raise PermanentError(
                f"Airbyte's connection {connection} is not what {stream.source}/{stream.name} expects: "
                f"{'; '.join(differences)}. Nothing was synced. Apply infra/airbyte, or correct it in Airbyte."
            )


def running_path(stream: Stream, run_date: date) -> str:
    return f"bronze/{stream.source}/{stream.name}/_syncs/run_date={run_date}{bronze.RUNNING}"


def _records(api: AirbyteApi, job: Job, stream: Stream) -> int:
    """Records of the stream that all attempts of the job committed; a connection may have other streams too."""
    statistics = [
        item["stats"].get("recordsCommitted") or 0
        for attempt in api.attempts(job.job_id)
        for item in attempt.get("streamStats") or []
        if item.get("streamName") == stream.name
    ]
    return sum(statistics) if statistics else job.records


def _nobody(line: str) -> None:
    """Hears what nobody asked to be told."""
