"""A sync that was begun and has no record yet: what it landed is paid for, so the next attempt continues it.

Here: the document of such a sync, and the responses that it landed. Not here: which requests are left (`batches.py`).
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Stream
from vp_pipeline.stored_formats import StoredFormat


class UnfinishedSync(Document):
    """A sync of one partition that has begun. `fingerprint`: of what it requests, as in `SyncRecord`. `refused`: the
    vendor's reason by request."""

    FORMAT = StoredFormat("record of an unfinished sync")
    REMEDY = "Move it away: the run requests the day from the beginning then."

    source: str
    stream: str
    run_date: date
    job_id: int
    fingerprint: str
    refused: Mapping[str, str]

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream, "day": self.run_date}


def unfinished_path(stream: Stream, run_date: date) -> str:
    return layout.UNFINISHED_SYNC.path(source=stream.source, stream=stream.name, day=run_date)


def read_unfinished(lake: Lake, stream: Stream, run_date: date, fingerprint: str) -> UnfinishedSync | None:
    """The unfinished sync of a day, if there is one that requested the same."""
    found = read_document(lake, unfinished_path(stream, run_date), UnfinishedSync)
    return found if found is not None and found.fingerprint == fingerprint else None


def landed_responses(lake: Lake, stream: Stream, job_id: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a job of this process, one response each, with what is in them. One that cannot be read is passed
    over: it is requested again."""
    started = datetime.fromtimestamp(job_id / 1000, UTC)
    for info in lake.list(f"bronze/{stream.source}/{stream.name}", f"{started:%Y_%m_%d}_{job_id}_"):
        try:
            record = orjson.loads(gzip.decompress(lake.read(info.path)))
        except (EOFError, OSError, zlib.error, orjson.JSONDecodeError):
            continue
        yield info.path, record["_airbyte_data"]
