"""Airbyte Cloud or a self-managed Airbyte: which syncs are started, attached to, waited for and filed.

Here: one finished sync per partition, whatever happens on the way. Not here: the API (`api.py`), what a connection must
look like (`drift.py`), and what jobs landed (`remote_jobs.py`).

The job that a run waits for is on record (`layout.RUNNING_SYNC`): a retry continues with it. A sync that requests
several entities at once takes as many jobs as it needs, each of which gets the list of its requests before it is
started: what a job leaves without a response is requested by the next one, in halves.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from vp_pipeline.airbyte.api import AirbyteApi, AlreadyRunning, Job, reason_of
from vp_pipeline.airbyte.batches import Requested
from vp_pipeline.airbyte.drift import drift, fingerprints, source_drift
from vp_pipeline.airbyte.interface import NOT_BILLED, Log, Sync, sync_of_past_day
from vp_pipeline.airbyte.remote_jobs import JobsOfSync, RunningSync, jobs_of, landed, records, running_path
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import SyncRecord, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY, newest_finished_day, start_of
from vp_pipeline.sources.source import AirbyteSource, Stream, SyncRequest


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
        expected = self.expected.get(source.name) or {}
        jobs = jobs_of(api, self.lake, source, stream, expected, running)
        job = None
        if running is not None and running.job_id is not None:
            job = self._continued(api, run_date, running.job_id, log, resync=resync)
        request, sent = (running.request, running.sent) if running is not None else (None, ())
        if job is None:
            if existing is not None and existing.fingerprint in (fingerprint, *earlier) and not resync:
                return Sync(existing, reused=f"sync {existing.job_id} requested the same from {existing.origin}")
            past = sync_of_past_day(stream, run_date, self.newest(), existing, resync=resync)
            if past is not None:
                return past
            job, request, sent = self._started(api, source, stream, run_date, log, jobs)
        while True:
            job = self._ended(api, job, stream, run_date, log, jobs)
            if jobs is None:
                break
            jobs.add(api, self.lake, job, stream, sent)
            if not jobs.requested.outstanding or jobs.requested.refused_all(sent):
                break
            log(f"{source.name}/{stream.name}: {jobs.requested.progress()}")
            job, request, sent = self._started(api, source, stream, run_date, log, jobs)
        record = self._file(api, job, stream, run_date, fingerprint, request, jobs)
        return Sync(record, reused=None, figures=jobs.requested.figures if jobs else {})

    def estimate(self, source: AirbyteSource, stream: Stream, run_date: date, *, resync: bool = False) -> str:
        """See `Airbyte.estimate`. What an earlier attempt has landed already is not left out."""
        existing = bronze.sync_before(self.lake, stream, run_date, resync=resync)
        expected = self.expected.get(source.name) or {}
        known = fingerprints(self.connections[source.name], stream, expected)
        if existing is not None and existing.fingerprint in known and not resync:
            return f"nothing: sync {existing.job_id} requested the same"
        past = sync_of_past_day(stream, run_date, self.newest(), existing, resync=resync)
        if past is not None:
            return f"nothing: {past.reused}"
        if source.batches is None:
            return NOT_BILLED
        if source.batches.name not in expected:
            return "what its source in Airbyte is configured with"
        return Requested(source.batches, expected).estimate({})

    def _ended(
        self, api: AirbyteApi, job: Job, stream: Stream, run_date: date, log: Log, jobs: JobsOfSync | None
    ) -> Job:
        """The job when it has succeeded; if the run is stopped while it waits, the job is cancelled."""
        try:
            return self._wait(api, job, stream, run_date, log, jobs)
        except Exception:
            raise  # the job is on record: the next attempt continues with it
        except BaseException:
            # The run was cancelled or the process is terminated: a sync that no run waits for would cost for nothing.
            with suppress(Exception):  # whatever Airbyte responds, the run is to end
                api.cancel_job(job.job_id)
                self._give_up(job, stream, run_date, jobs)
            log(f"The run was stopped: Airbyte job {job.job_id} is being cancelled.")
            raise

    def _continued(self, api: AirbyteApi, run_date: date, job_id: int, log: Log, *, resync: bool) -> Job | None:
        """The job of an earlier attempt; None: another one is requested, and this one has ended."""
        try:
            job = api.job(job_id)
        except PermanentError as error:
            if resync:
                return None
            raise PermanentError(
                f"{error} An earlier attempt of {run_date} started job {job_id}; if Airbyte has deleted it, "
                f"start another one: `vp run --date {run_date} --resync`."
            ) from None
        if resync and not job.running:
            return None
        log(f"Continuing with Airbyte job {job.job_id}, which an earlier attempt of {run_date} started.")
        return job

    def _started(
        self, api: AirbyteApi, source: AirbyteSource, stream: Stream, run_date: date, log: Log, jobs: JobsOfSync | None
    ) -> tuple[Job, SyncRequest | None, tuple[str, ...]]:
        """A job that was started, or is running already; what the sync requests, and what of it this job does."""
        connection_id = self.connections[source.name]
        connection = api.get_connection_details(connection_id)
        self._refuse_drift(api, source, stream, connection_id, connection)
        of_day = dict(source.of_day(run_date))
        requests: tuple[str, ...] = ()
        if jobs is None:
            sent, request = requests, _configured(api, source, connection, log)
        else:
            requests, sent = jobs.requested.requests, tuple(jobs.requested.outstanding)
            request = source.request_of(jobs.requested.configuration(list(requests)))
            api.configure_source(connection["sourceId"], jobs.requested.parameters(list(sent)))
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
            # Of several jobs, what this one leaves outstanding shows in what it lands.
            sent = ()
            if jobs is None:
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
            requests=requests,
            sent=sent,
            jobs=tuple(jobs.jobs) if jobs else (),
            refused=jobs.requested.refused if jobs else {},
        )
        self.lake.write(running_path(stream, run_date), document.to_bytes())
        return job, request, sent

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

    def _wait(
        self, api: AirbyteApi, job: Job, stream: Stream, run_date: date, log: Log, jobs: JobsOfSync | None
    ) -> Job:
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
            self._give_up(job, stream, run_date, jobs)
            kept = "is in no manifest, so it is never read" if jobs is None else "is used, and the rest requested, next"
            raise PermanentError(
                f"The Airbyte sync of {stream.source}/{stream.name} for {run_date} ended as {job.status} (job "
                f"{job.job_id}): {reason_of(api.attempts(job.job_id))}. What it landed {kept}. See the job in Airbyte, "
                "then run the day again."
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
        jobs: JobsOfSync | None,
    ) -> SyncRecord:
        objects = landed(self.lake, job, stream) if jobs is None else tuple(jobs.objects)
        record = SyncRecord(
            source=stream.source,
            stream=stream.name,
            run_date=run_date,
            job_id=job.job_id,
            origin=f"Airbyte connection {self.connections[stream.source]}",
            fingerprint=fingerprint,
            started_at=job.started_at,
            ended_at=job.updated_at,
            records=records(api, job, stream) if jobs is None else jobs.records,
            bytes=sum(self.lake.size(path) for path in objects),
            objects=objects,
            request=request,
            refused={} if jobs is None else jobs.requested.refused_entities,  # Airbyte has it in the job's log only
            recorded=False,
        )
        self.lake.write(bronze.sync_path(stream, run_date), record.to_bytes())
        self._forget(stream, run_date)
        return record

    def _recorded_job(self, stream: Stream, run_date: date, connection_id: str) -> RunningSync | None:
        running = read_document(self.lake, running_path(stream, run_date), RunningSync)
        return running if running is not None and running.connection == connection_id else None

    def _give_up(self, job: Job, stream: Stream, run_date: date, jobs: JobsOfSync | None) -> None:
        """The next attempt starts another job; of several jobs, for what they leave outstanding."""
        running = self._recorded_job(stream, run_date, self.connections[stream.source])
        if jobs is None or running is None:
            self._forget(stream, run_date)
            return
        kept = running.model_copy(update={"job_id": None, "sent": (), "jobs": (*jobs.jobs, job.job_id)})
        self.lake.write(running_path(stream, run_date), kept.to_bytes())

    def _forget(self, stream: Stream, run_date: date) -> None:
        self.lake.delete(running_path(stream, run_date))

    def _refuse_drift(
        self, api: AirbyteApi, source: AirbyteSource, stream: Stream, connection_id: str, found: Mapping[str, Any]
    ) -> None:
        destination = api.get_destination_details(found["destinationId"])
        differences = list(drift(found, destination, stream, self.lake.location("")))
        expected = dict(self.expected.get(stream.source) or {})
        if source.batches is not None:
            expected.pop(source.batches.name, None)  # each job gets its own
        if expected:
            differences += source_drift(api.source_configuration(found["sourceId"]), expected)
        if differences:
            raise PermanentError(
                f"Airbyte's connection {connection_id} is not what {stream.source}/{stream.name} expects: "
                f"{'; '.join(differences)}. Nothing was synced. Apply infra/airbyte, or correct it in Airbyte."
            )


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


def _discard(line: str) -> None:
    """The log of a caller that passes none."""
