"""All sources. A new one is a folder, its models, and a line here (docs/adding-a-source.md)."""

from vp_pipeline.sources.keepa.source import KEEPA
from vp_pipeline.sources.open_meteo.source import OPEN_METEO
from vp_pipeline.sources.order_events.source import ORDER_EVENTS
from vp_pipeline.sources.scraperapi.source import SCRAPERAPI
from vp_pipeline.sources.source import Oracle, Source, Stream
from vp_pipeline.sources.sp_api.source import SP_API

SOURCES: tuple[Source, ...] = (
    KEEPA,
    OPEN_METEO,
    SP_API,
    SCRAPERAPI,
    ORDER_EVENTS,
)
ORACLES: tuple[Oracle, ...] = tuple(source.oracle for source in SOURCES if source.oracle)
NAMES: tuple[str, ...] = tuple(source.name for source in SOURCES)
STREAMS: tuple[tuple[Source, Stream], ...] = tuple((s, stream) for s in SOURCES for stream in s.streams)
