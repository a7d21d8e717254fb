"""What was requested for a day and has no data, so that the next day need not report it again.

Here: the list of a day. Not here: what is missing (`quality/completeness.py`).

A day on which everything was received has no list.
"""

from collections.abc import Mapping
from datetime import date

from vp_pipeline.lake import bronze, layout
from vp_pipeline.lake.manifests import Document, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Stream
from vp_pipeline.stored_formats import StoredFormat


class Unanswered(Document):
    """The entities without data on a day, and since which day each has had none."""

    FORMAT = StoredFormat("list of what has no data")

    source: str
    stream: str
    run_date: date
    since: Mapping[str, date]

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream, "day": self.run_date}


def path(stream: Stream, run_date: date) -> str:
    return layout.UNANSWERED.path(source=stream.source, stream=stream.name, day=run_date)


def before(lake: Lake, stream: Stream, run_date: date) -> Mapping[str, date]:
    """What had no data on the newest day of bronze before `run_date`, and since when."""
    earlier = [day for day in bronze.days(lake, stream) if day < run_date]
    found = read_document(lake, path(stream, earlier[-1]), Unanswered) if earlier else None
    return found.since if found else {}


def record(lake: Lake, stream: Stream, run_date: date, since: Mapping[str, date]) -> None:
    """Replaces the list of a day; the same list is not written twice."""
    document = Unanswered(source=stream.source, stream=stream.name, run_date=run_date, since=since)
    if not since:
        lake.delete(path(stream, run_date))
    elif lake.find(path(stream, run_date)) != document.to_bytes():
        lake.write(path(stream, run_date), document.to_bytes())
