"""The settings of the topic of order events. What they are is the same for every topic (`sources/topic.py`)."""

from vp_pipeline.sources.topic import TopicSettings


class OrderEventsSettings(TopicSettings):
    """Where Amazon's notifications of changed orders are."""
