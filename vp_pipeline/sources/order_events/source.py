"""The topic of order events as a source."""

from vp_pipeline.sources.order_events.settings import OrderEventsSettings
from vp_pipeline.sources.order_events.tables import TABLES
from vp_pipeline.sources.source import Entity, Stream
from vp_pipeline.sources.topic import TopicSource

ORDER_CHANGES = Stream(
    source="order_events",
    name="order_change",
    description="Amazon's notifications of changed orders, from a Kafka topic; without anything of the buyer.",
    replay="appended",
    tables=TABLES,
    decoder="vp_pipeline.sources.order_events.decode",
    inspection="vp_pipeline.sources.order_events.inspection",
    entity=Entity(("order_id",), "order_id"),
    lasting={"mart.fct_order_event": ("order_id",)},
)

ORDER_EVENTS = TopicSource(
    name="order_events",
    description="A Kafka topic of Amazon's notifications of changed orders.",
    streams=(ORDER_CHANGES,),
    settings=OrderEventsSettings,
    reader="vp_pipeline.sources.order_events.notification",
    exported_mart="fct_order_event",
    is_available=lambda settings: settings.is_configured,
)
