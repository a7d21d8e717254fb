"""All sources. A new one is a folder beside `keepa/`, its staging models, and a line here."""

from vp_pipeline.sources.keepa.source import KEEPA
from vp_pipeline.sources.source import Source, Stream

SOURCES: tuple[Source, ...] = (KEEPA,)
STREAMS: tuple[tuple[Source, Stream], ...] = tuple((s, stream) for s in SOURCES for stream in s.streams)
