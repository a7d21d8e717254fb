"""Syncs of a `RemoteAirbyte` on the stand-in: what its jobs land, and how often one was started."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from vp_pipeline.airbyte.connector import Record
from vp_pipeline.airbyte.connector_runner import SyncJob
from vp_pipeline.airbyte.interface import Sync
from vp_pipeline.airbyte.landing import Landing
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.lake.folder import FolderStore
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn

DAY = newest_finished_day()
LAKE_URL = "s3://a-bucket/lake"


class Bucket(FolderStore):
    """A folder with the location of a bucket: what the connection's destination is compared with."""

    def location(self, path: str) -> str:
        return f"{LAKE_URL}/{path}".rstrip("/")


def landing(bucket: Lake, records: int = 3, fails: bool = False) -> Callable[[int], SyncJob]:
    """What a job of the stand-in does: two records per object."""

    def read() -> Iterator[Record]:
        for n in range(records):
            yield Record({"n": n, "text": "x" * 1000}, time.time_ns() // 1_000_000)
        if fails:
            raise RuntimeError("Keepa refused the API key (HTTP 402)")

    def work(job_id: int) -> SyncJob:
        landed = Landing(bucket, "keepa", "product", job_id, part_bytes=1500)
        landed.land(read())
        now = datetime.now(UTC)
        return SyncJob(
            job_id, "keepa", "product", "succeeded", landed.started_at, now, landed.records, landed.bytes, (), ()
        )

    return work


def sync(airbyte: RemoteAirbyte, day: date = DAY, **options: Any) -> Sync:
    return airbyte.sync(KEEPA, PRODUCT, day, **options)


def started(server: AirbyteStandIn) -> int:
    return server.requests.count("POST /api/public/v1/jobs")
