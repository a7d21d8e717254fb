"""What the jobs of an Airbyte server landed, and which requests of a sync they leave outstanding.

Here: from the objects in the lake to the records of a job, the document of a running sync, and its jobs. Not here:
starting jobs and waiting for them (`remote.py`).
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson

from vp_pipeline.airbyte.api import AirbyteApi, Job
from vp_pipeline.airbyte.batches import Requested
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, requested_alike
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.sources.source import AirbyteSource, Stream, SyncRequest
from vp_pipeline.stored_formats import StoredFormat, with_default


class RunningSync(Document):
    """A job that was started or attached to for a partition and is not filed yet.

    `source`, `stream` and `run_date` are None of version 1. `request`: what the source was configured to request when
    the job was started; None: not known. Of a sync that takes several jobs: `requests` is all that it requests, `sent`
    what this job was given (nothing: not known), `jobs` those before it, and `refused` the reasons by request. Its
    `job_id` is None where no job is running.
    """

    FORMAT = StoredFormat(
        "record of a running sync",
        (
            with_default(source=None, stream=None, run_date=None, request=None),
            with_default(requests=(), sent=(), jobs=(), refused={}),
            requested_alike,
        ),
    )
    REMEDY = "Move it away: the run starts another Airbyte job then, or attaches to the one that is running."

    job_id: int | None
    connection: str
    source: str | None
    stream: str | None
    run_date: date | None
    request: SyncRequest | None
    requests: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    jobs: tuple[int, ...] = ()
    refused: Mapping[str, str] = {}

    @property
    def parts(self) -> Mapping[str, object]:
        return {} if self.run_date is None else {"source": self.source, "stream": self.stream, "day": self.run_date}


def running_path(stream: Stream, run_date: date) -> str:
    return layout.RUNNING_SYNC.path(source=stream.source, stream=stream.name, day=run_date)


def landed(lake: Lake, job: Job, stream: Stream) -> tuple[str, ...]:
    """The objects of a job: by the days in their names, and by the job's number in their records."""
    folder = f"bronze/{stream.source}/{stream.name}"
    day, last = job.started_at.date() - timedelta(days=1), job.updated_at.date()
    found = []
    while day <= last:
        found += [i.path for i in lake.list(folder, f"{day:%Y_%m_%d}_") if _sync_id(lake, i.path) == job.job_id]
        day += ONE_DAY
    return tuple(found)


def records(api: AirbyteApi, job: Job, stream: Stream) -> int:
    """Records of the stream that all attempts of the job committed; a connection may have other streams too."""
    statistics = [
        item["stats"].get("recordsCommitted") or 0
        for attempt in api.attempts(job.job_id)
        for item in attempt.get("streamStats") or []
        if item.get("streamName") == stream.name
    ]
    return sum(statistics) if statistics else job.records


@dataclass
class JobsOfSync:
    """The jobs of one sync that ended, with what they landed, and the requests that they leave outstanding."""

    requested: Requested
    jobs: list[int] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    records: int = 0

    def add(self, api: AirbyteApi, lake: Lake, job: Job, stream: Stream, sent: Sequence[str]) -> None:
        """A job that ended. `sent`: its requests, where they are known: of a job that succeeded, one without a record
        is refused (an Airbyte server has the reason in its log only)."""
        objects = landed(lake, job, stream)
        found = 0
        for path in objects:
            for record in _records_of(lake, path):
                self.requested.answer(record)
                found += 1
        self.jobs.append(job.job_id)
        self.objects += objects
        self.records += records(api, job, stream) if job.status == "succeeded" else found
        if job.status == "succeeded":
            for request in sent:
                if request not in self.requested.answered:
                    self.requested.refuse(
                        request, f"no response; the reason is in the log of Airbyte's job {job.job_id}"
                    )


def jobs_of(
    api: AirbyteApi,
    lake: Lake,
    source: AirbyteSource,
    stream: Stream,
    expected: Mapping[str, object],
    running: RunningSync | None,
) -> JobsOfSync | None:
    """The jobs of a sync that have ended, with what they landed; what an earlier attempt requested otherwise is none of
    it. None: it takes one job, which requests what its source is configured with. `expected`: see `RemoteAirbyte`."""
    if source.batches is None or source.batches.name not in expected:
        return None
    requested = Requested(source.batches, expected)
    found = JobsOfSync(requested)
    if running is not None and running.requests == requested.requests:
        requested.refused = dict(running.refused)
        for job_id in running.jobs:
            with suppress(PermanentError):  # Airbyte has deleted it: what it landed is requested again
                found.add(api, lake, api.job(job_id), stream, ())
    return found


def _records_of(lake: Lake, path: str) -> Iterator[Mapping[str, Any]]:
    """The records of an object, without Airbyte's envelope. One that is damaged has none: bronze reports it."""
    try:
        lines = gzip.decompress(lake.read(path)).splitlines()
        yield from [orjson.loads(line)["_airbyte_data"] for line in lines]
    except (EOFError, OSError, zlib.error, orjson.JSONDecodeError):
        return


def _sync_id(lake: Lake, path: str) -> int | None:
    """The job that landed an object, by its first record; None: it names none (damaged, or of another writer). If it
    was of our job, its records are missing: bronze counts them."""
    try:
        text = zlib.decompressobj(wbits=31).decompress(lake.read(path), 2_000)
        # The head of the first line is enough: the record itself may have megabytes.
        head = text.partition(b'"_airbyte_data"')[0].partition(b'"sync_id":')[2]
        return int(json.JSONDecoder().raw_decode(head.decode().strip())[0])
    except (zlib.error, ValueError):
        return None
