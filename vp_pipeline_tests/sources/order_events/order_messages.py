"""Notifications of changed orders, as Amazon's schema has them.

Here: values for the tests of this source and of topics. The person in them is not to be found anywhere.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# In the one field of the schema that is the buyer's, and in one that says why the order has changed.
POSTAL_CODE, REASON = "48110-Zyxwanda", "Zyxwanda has asked for it"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def notification(
    number: int, at: datetime = NOON, order: int = 1, status: str = "Unshipped", **summary: Any
) -> dict[str, Any]:
    """The notification `number`, published at a moment, a second after the change of the order."""
    return {
        "NotificationVersion": "1.0",
        "NotificationType": "ORDER_CHANGE",
        "PayloadVersion": "1.0",
        "EventTime": moment(at),
        "Payload": {
            "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": "A0SELLER0EXAMP",
                "AmazonOrderId": f"902-0000000-{order:07}",
                "OrderChangeType": "OrderStatusChange",
                "OrderChangeTrigger": {"TimeOfOrderChange": moment(at - timedelta(seconds=1)), "ChangeReason": REASON},
                "Summary": {
                    "MarketplaceId": "ATVPDKIKX0DER",
                    "OrderStatus": status,
                    "PurchaseDate": moment(at - timedelta(days=1)),
                    "DestinationPostalCode": POSTAL_CODE,
                    "FulfillmentType": "MFN",
                    "OrderType": "StandardOrder",
                    "NumberOfItemsShipped": 0,
                    "NumberOfItemsUnshipped": 2,
                    "OrderItems": [{"OrderItemId": "1", "SellerSKU": "SKU-1", "Quantity": 2}],
                    **summary,
                },
            }
        },
        "NotificationMetadata": {
            "ApplicationId": "an-application",
            "SubscriptionId": "a-subscription",
            "PublishTime": moment(at),
            "NotificationId": f"00000000-0000-4000-8000-{number:012x}",
        },
    }


def message(number: int, at: datetime = NOON, order: int = 1, status: str = "Unshipped", **summary: Any) -> bytes:
    """The same as the value of a message."""
    return orjson.dumps(notification(number, at, order, status, **summary))
