"""What the warehouse has found of a stream's answers that the next sync has to know.

Here: the document, which a build of all models replaces. Not here: what decides (`assets/dbt/`), and what is requested
because of it (`sources/<source>/`).

The lake has it, so that a sync needs no warehouse.
"""

from collections.abc import Mapping
from datetime import date

from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.source import Stream
from vp_pipeline.stored_formats import StoredFormat


class Doubts(Document):
    """As of the last green build of all models. `excluded_days`: those that are left out, with the reasons.

    By the key of an entity: `excluded_answers`, the days whose answers are left out, with reasons; `incomplete`, the
    newest day of an answer of it, and why the vendor's own figures cannot be compared with its history.
    """

    FORMAT = StoredFormat("list of doubts")
    REMEDY = "Move it away: the next run writes it again."

    source: str
    stream: str
    excluded_days: Mapping[date, str]
    excluded_answers: Mapping[str, Mapping[date, str]]
    incomplete: Mapping[str, tuple[date, str]]

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream}


def read(lake: Lake, stream: Stream) -> Doubts | None:
    """The doubts about a stream; None: no build has finished yet."""
    return read_document(lake, _path(stream), Doubts)


def write(lake: Lake, stream: Stream, doubts: Doubts) -> None:
    """Replaces them; the same are not written twice."""
    if lake.find(_path(stream)) != doubts.to_bytes():
        lake.write(_path(stream), doubts.to_bytes())


def _path(stream: Stream) -> str:
    return layout.DOUBTS.path(source=stream.source, stream=stream.name)
