"""Topics: how the events of a `TopicSource` come into bronze.

Here: a topic as the intake sees it (`topic.py`), the one of Kafka (`kafka.py`), and the intake itself (`intake.py`).
Not here: what a message means (`sources/`), and the batches on the lake (`lake/batches.py`).
"""
