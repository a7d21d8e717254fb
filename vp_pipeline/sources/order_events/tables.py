"""The table that notifications of changed orders are decoded into: its contract."""

import dataclasses
from datetime import datetime

from vp_pipeline.sources.contract import INT, TEXT, TIMESTAMP, Column, Table
from vp_pipeline.sources.order_events.notification import CHANGES, NOTIFICATION_ID
from vp_pipeline.sources.sp_api.tables import MARKETPLACE_ID, MOST_UNITS, ORDER_ID, STATUS

_SCHEMA = "Amazon's published schema of ORDER_CHANGE"
_EARLIEST, _LATEST = datetime(1970, 1, 1), datetime(2099, 12, 31, 23, 59, 59, 999_999)
_MOST = 10**18


def _moment(name: str, description: str, range_source: str, *, nullable: bool = True) -> Column:
    return Column(
        name,
        TIMESTAMP,
        description,
        unit="UTC",
        nullable=nullable,
        at_least=_EARLIEST,
        at_most=_LATEST,
        range_source=range_source,
    )


def _count(name: str, description: str) -> Column:
    return Column(
        name,
        INT,
        description,
        unit="units",
        nullable=True,
        at_least=0,
        at_most=MOST_UNITS,
        range_source=f"{_SCHEMA}: a count; six digits at most, a limit of ours, so that no phone number is one",
    )


ORDER_CHANGE = Table(
    source="order_events",
    stream="order_change",
    name="order_change",
    description="What Amazon has notified of a changed order.",
    grain="one row per message of the topic",
    natural_key=("topic", "topic_partition", "topic_offset"),
    columns=(
        Column(
            "topic",
            TEXT,
            "The Kafka topic.",
            matches="[A-Za-z0-9._-]{1,249}",
            range_source="Kafka's rule for the names of topics",
        ),
        Column(
            "topic_partition",
            INT,
            "The topic's partition that has the message.",
            at_least=0,
            at_most=2**31 - 1,
            range_source="Kafka's protocol: 32 bits",
        ),
        Column(
            "topic_offset",
            INT,
            "The number of the message within its partition.",
            at_least=0,
            at_most=_MOST,
            range_source="Kafka counts from 0; a billion a second for thirty years, a limit of ours",
        ),
        _moment(
            "snapshot_at",
            "When Amazon published the notification: the day that it is filed under.",
            "an event that is younger than its message is rejected (sources/topic.py)",
            nullable=False,
        ),
        _moment(
            "sent_at",
            "When the message was written to the topic; null: the topic does not record it.",
            "Kafka's protocol: milliseconds since 1970",
        ),
        Column(
            "notification_id",
            TEXT,
            "Amazon's number of the notification: one that was delivered twice has the same.",
            matches=NOTIFICATION_ID,
            range_source=f"{_SCHEMA}: its example is a UUID",
        ),
        ORDER_ID,
        dataclasses.replace(MARKETPLACE_ID, description="Amazon's ID of the marketplace.", nullable=False),
        Column(
            "change_type",
            TEXT,
            "What has changed: the status of the order, or what the buyer has requested.",
            one_of=tuple(CHANGES.values()),
            range_source=f"{_SCHEMA}: `OrderChangeType`",
        ),
        _moment(
            "changed_at",
            "When it changed; null: Amazon names no moment.",
            f"{_SCHEMA}: `TimeOfOrderChange`",
        ),
        STATUS,
        Column(
            "fulfilled_by",
            TEXT,
            "Who ships it: AMAZON or MERCHANT.",
            one_of=("AMAZON", "MERCHANT"),
            range_source=f"{_SCHEMA}: `FulfillmentType`, AFN or MFN",
        ),
        _moment(
            "purchased_at",
            "When the customer placed the order; null: Amazon names no moment.",
            f"{_SCHEMA}: `PurchaseDate`",
        ),
        _count("items_shipped", "Units that were shipped; null: not given."),
        _count("items_unshipped", "Units that are still to be shipped; null: not given."),
    ),
)
TABLES = (ORDER_CHANGE,)
