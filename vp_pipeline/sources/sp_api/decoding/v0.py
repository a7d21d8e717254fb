"""The fields of the orders API v0 as rows.

Here: which field is which column. Not here: reading one (`fields.py`), and the columns (`tables.py`).
"""

from decimal import Decimal
from typing import Any

from vp_pipeline.sources.sp_api.decoding.fields import Fields

STATUS = {
    "PendingAvailability": "PENDING_AVAILABILITY",
    "Pending": "PENDING",
    "Unshipped": "UNSHIPPED",
    "PartiallyShipped": "PARTIALLY_SHIPPED",
    "Shipped": "SHIPPED",
    "InvoiceUnconfirmed": "INVOICE_UNCONFIRMED",
    "Canceled": "CANCELLED",
    "Unfulfillable": "UNFULFILLABLE",
}
FULFILLED_BY = {"AFN": "AMAZON", "MFN": "MERCHANT"}
# v0 does not name units that are cancelled: when nothing more will be shipped, they are the rest.
_DONE = ("SHIPPED", "CANCELLED", "UNFULFILLABLE")
_NOTHING_YET = ("PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "INVOICE_UNCONFIRMED")


def header(order: Fields) -> dict[str, Any]:
    """What the items have of their order, too."""
    return {
        "order_id": order.text("AmazonOrderId", required=True),
        "marketplace_id": order.text("MarketplaceId"),
        "order_status": order.word("OrderStatus", STATUS, required=True),
        "purchased_at": order.moment("PurchaseDate"),
        "last_updated_at": order.moment("LastUpdateDate"),
    }


def rest(order: Fields) -> dict[str, Any]:
    """The order's own columns."""
    order_total = _money(order, "OrderTotal")
    return {
        "fulfilled_by": order.word("FulfillmentChannel", FULFILLED_BY),
        "order_total": order_total,
        "currency": order.currency,
        "is_replacement": bool(order.flag("IsReplacementOrder")),
        "replaced_order_id": order.text("ReplacedOrderId"),
        "is_business": order.flag("IsBusinessOrder"),
        "is_prime": order.flag("IsPrime"),
    }


def item(found: Fields, of_order: dict[str, Any]) -> dict[str, Any]:
    """One item's own columns."""
    amounts = {
        "item_price": _money(found, "ItemPrice"),
        "item_tax": _money(found, "ItemTax"),
        "shipping_price": _money(found, "ShippingPrice"),
        "shipping_tax": _money(found, "ShippingTax"),
        "item_discount": _money(found, "PromotionDiscount"),
        "shipping_discount": _money(found, "ShippingDiscount"),
    }
    ordered, shipped = found.count("QuantityOrdered", required=True), found.count("QuantityShipped")
    return {
        "order_item_id": found.text("OrderItemId", required=True),
        "asin": found.text("ASIN", required=True),
        "sku": found.text("SellerSKU"),
        "quantity_ordered": ordered,
        "quantity_shipped": shipped,
        "quantity_cancelled": _cancelled(ordered, shipped, of_order["order_status"]),
        "currency": found.currency,
        "unit_price": None,
        **amounts,
        "other_proceeds": None,
        "item_total": None,
    }


def _cancelled(ordered: int | None, shipped: int | None, status: str | None) -> int | None:
    if status in _NOTHING_YET:
        return 0
    return ordered - shipped if status in _DONE and ordered is not None and shipped is not None else None


def _money(found: Fields, path: str) -> Decimal | None:
    return found.money(path, "Amount", "CurrencyCode")
