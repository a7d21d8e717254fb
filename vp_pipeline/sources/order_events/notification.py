"""What may land of a message: an allow-list of an ORDER_CHANGE notification, by Amazon's published schema.

Here: names and forms. Nothing of the buyer's is in it (the notification has the postal code of the destination), and a
value of another form than its field has does not land either. Not here: what the values mean (`decode.py`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson

from vp_pipeline.sources.sp_api.decoding.fields import DROPPED
from vp_pipeline.sources.sp_api.decoding.v0 import FULFILLED_BY, STATUS
from vp_pipeline.sources.sp_api.tables import MARKETPLACE_ID, MOST_UNITS, ORDER_ID
from vp_pipeline.sources.topic import Event

TYPE = "ORDER_CHANGE"
CHANGES = {"OrderStatusChange": "ORDER_STATUS_CHANGE", "BuyerRequestedChange": "BUYER_REQUESTED_CHANGE"}
NOTIFICATION_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# A text that matches, a whole number up to a limit, or an object of such.
Form: TypeAlias = "re.Pattern[str] | int | Mapping[str, Form]"


def _form(expression: str | None) -> re.Pattern[str]:
    return re.compile(expression or "", re.ASCII)


_MOMENT = _form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})")
MAY_LAND: Mapping[str, Form] = {
    "NotificationType": _form(TYPE),
    "EventTime": _MOMENT,
    "NotificationMetadata": {"NotificationId": _form(NOTIFICATION_ID)},
    "Payload": {
        "OrderChangeNotification": {
            "AmazonOrderId": _form(ORDER_ID.matches),
            "OrderChangeType": _form("|".join(CHANGES)),
            "OrderChangeTrigger": {"TimeOfOrderChange": _MOMENT},
            "Summary": {
                "MarketplaceId": _form(MARKETPLACE_ID.matches),
                "OrderStatus": _form("|".join(STATUS)),
                "PurchaseDate": _MOMENT,
                "FulfillmentType": _form("|".join(FULFILLED_BY)),
                "NumberOfItemsShipped": MOST_UNITS,
                "NumberOfItemsUnshipped": MOST_UNITS,
            },
        }
    },
}


def read(value: bytes | None) -> Event:
    """The notification in a message. No text of a message that is none is repeated: it may be anybody's."""
    if value is None:
        return Event(None, {}, "the message has no value (a tombstone)")
    try:
        body = orjson.loads(value)
    except ValueError:
        return Event(None, {}, f"the message is not JSON ({len(value):,} bytes)")
    if not isinstance(body, dict):
        return Event(None, {}, f"the message is not an object ({len(value):,} bytes)")
    data = _kept(body, MAY_LAND)
    return Event(_moment(data.get("EventTime")), data)


def _kept(value: Any, form: Form) -> Any:
    """What may land of a value; `DROPPED` in the place of one that has another form."""
    if value is None:
        return None
    if isinstance(form, Mapping):
        if not isinstance(value, dict):
            return DROPPED
        return {name: _kept(value[name], inner) for name, inner in form.items() if name in value}
    if isinstance(form, int):
        is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= form
        return value if is_count else DROPPED
    return value if isinstance(value, str) and form.fullmatch(value) else DROPPED


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
