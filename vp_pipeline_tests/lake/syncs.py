"""A finished sync as the Airbyte asset records it, without an Airbyte."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from vp_pipeline.lake import bronze
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.source import PRODUCT

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)


def record_sync(
    lake: Lake, day: date, objects: Sequence[str], *, job_id: int = 1, records: int = 1, at: datetime = MOMENT
) -> SyncRecord:
    """Files a sync of the day that began and ended `at`, and landed the objects with so many records in all."""
    record = SyncRecord(
        source=PRODUCT.source,
        stream=PRODUCT.name,
        run_date=day,
        job_id=job_id,
        origin="test",
        fingerprint="f",
        started_at=at,
        ended_at=at,
        records=records,
        bytes=1,
        objects=tuple(objects),
        request=None,
        refused={},
        recorded=False,
    )
    lake.write(bronze.sync_path(PRODUCT, day), record.to_bytes())
    return record
