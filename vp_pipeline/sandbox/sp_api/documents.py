"""The orders in the forms of both APIs.

Here: which field has what. Not here: which orders there are (`orders.py`), pages and errors (`api.py`).

Amounts have the digits of their currency. A pending order has no price yet.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from vp_pipeline.sandbox.sp_api.orders import Line, Order, State

Json = dict[str, Any]
_V0_STATUS = {
    "PENDING": "Pending", "UNSHIPPED": "Unshipped", "PARTIALLY_SHIPPED": "PartiallyShipped", "SHIPPED": "Shipped",
    "CANCELLED": "Canceled",
}  # fmt: skip
_SITES = {"US": "Amazon.com", "GB": "Amazon.co.uk", "DE": "Amazon.de", "JP": "Amazon.co.jp"}


def newest(order: Order, state: State, included: Collection[str]) -> Json:
    """An order of the API 2026-01-01, with the sets of data that were requested."""
    priced = state.status != "PENDING"
    programs = [name for name, has in (("PRIME", order.prime), ("AMAZON_BUSINESS", order.business)) if has]
    document: Json = {
        "orderId": order.order_id,
        "createdTime": _moment(order.purchased_at),
        "lastUpdatedTime": _moment(state.at),
        "programs": programs,
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": order.marketplace.id,
            "marketplaceName": _SITES[order.marketplace.country],
        },
        "orderItems": [_item(order, line, n, state, included) for n, line in enumerate(order.lines)],
    }
    if order.replaces:
        document["associatedOrders"] = [{"orderId": order.replaces, "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    if "BUYER" in included:
        document["buyer"] = {"buyerName": "Robin Sandbox", "buyerEmail": "robin@marketplace.example"}
    if "RECIPIENT" in included:
        document["recipient"] = {"deliveryAddress": {"name": "Robin Sandbox", "addressLine1": "1 Sandbox Street"}}
    if "PROCEEDS" in included and priced:
        whole = sum((line.total for line in order.lines), Decimal(0))
        document["proceeds"] = {"grandTotal": _money(whole, order.lines[0])}
    if "FULFILLMENT" in included:
        document["fulfillment"] = {
            "fulfillmentStatus": state.status,
            "fulfilledBy": order.fulfilled_by,
            "fulfillmentServiceLevel": "STANDARD",
        }
    return document


def _item(order: Order, line: Line, place: int, state: State, included: Collection[str]) -> Json:
    priced = state.status != "PENDING"
    product: Json = {"asin": line.product.asin, "title": line.product.title, "sellerSku": sku(line)}
    if priced:
        product["price"] = {"unitPrice": _money(line.price / line.units, line)}
    item: Json = {"orderItemId": line.item_id, "quantityOrdered": line.units, "product": product}
    if "PROCEEDS" in included and priced:
        item["proceeds"] = {"proceedsTotal": _money(line.total, line), "breakdowns": list(_breakdowns(line))}
    if "FULFILLMENT" in included:
        shipped, cancelled = state.shipped[place], state.cancelled[place]
        item["fulfillment"] = {
            "quantityFulfilled": shipped, "quantityUnfulfilled": line.units - shipped - cancelled,
        }  # fmt: skip
    if "PROMOTION" in included and line.discount:
        item["promotion"] = {"breakdowns": [{"promotionId": "SANDBOX-TEN-PERCENT"}]}
    if "CANCELLATION" in included and state.cancelled[place]:
        item["cancellation"] = {"cancellationExecution": {"cancelledBy": "MERCHANT", "cancelReason": "Out of stock"}}
    return item


def _breakdowns(line: Line) -> list[Json]:
    breakdowns = [{"type": "ITEM", "subtotal": _money(line.price, line)}]
    if line.shipping:
        breakdowns.append({"type": "SHIPPING", "subtotal": _money(line.shipping, line)})
    if line.discount:
        breakdowns.append(_split("DISCOUNT", -line.discount, Decimal(0), line))
    if line.tax or line.shipping_tax:
        breakdowns.append(_split("TAX", line.tax, line.shipping_tax, line))
    return breakdowns


def _split(kind: str, of_item: Decimal, of_shipping: Decimal, line: Line) -> Json:
    parts = (("ITEM", of_item), ("SHIPPING", of_shipping))
    details = [{"subtype": name, "value": _money(value, line)} for name, value in parts if value]
    return {"type": kind, "subtotal": _money(of_item + of_shipping, line), "detailedBreakdowns": details}


def v0(order: Order, state: State) -> Json:
    """An order of v0, as it is without a restricted data token."""
    document: Json = {
        "AmazonOrderId": order.order_id,
        "PurchaseDate": _moment(order.purchased_at),
        "LastUpdateDate": _moment(state.at),
        "OrderStatus": _V0_STATUS[state.status],
        "FulfillmentChannel": "AFN" if order.fulfilled_by == "AMAZON" else "MFN",
        "SalesChannel": _SITES[order.marketplace.country],
        "ShipServiceLevel": "Standard",
        "NumberOfItemsShipped": sum(state.shipped),
        "NumberOfItemsUnshipped": sum(line.units for line in order.lines) - sum(state.shipped) - sum(state.cancelled),
        "PaymentMethod": "Other",
        "MarketplaceId": order.marketplace.id,
        "OrderType": "StandardOrder",
        "IsReplacementOrder": "true" if order.replaces else "false",
        "IsBusinessOrder": order.business,
        "IsPrime": order.prime,
        # Where it is delivered to, without a name and a street: that is what v0 shows to everyone.
        "ShippingAddress": {"City": "Sandbox City", "PostalCode": "00000", "CountryCode": order.marketplace.country},
    }
    if order.replaces:
        document["ReplacedOrderId"] = order.replaces
    if state.status != "PENDING":
        whole = sum((line.total for line in order.lines), Decimal(0))
        document["OrderTotal"] = _money_v0(whole, order.lines[0])
    return document


def v0_items(order: Order, state: State) -> list[Json]:
    """The items of an order of v0."""
    items = []
    for place, line in enumerate(order.lines):
        item: Json = {
            "ASIN": line.product.asin,
            "SellerSKU": sku(line),
            "OrderItemId": line.item_id,
            "Title": line.product.title,
            "QuantityOrdered": line.units,
            "QuantityShipped": state.shipped[place],
            "ProductInfo": {"NumberOfItems": "1"},
            "IsGift": "false",
            "ConditionId": "New",
        }
        if state.status != "PENDING":
            amounts = {
                "ItemPrice": line.price, "ItemTax": line.tax, "PromotionDiscount": line.discount,
                "ShippingPrice": line.shipping, "ShippingTax": line.shipping_tax, "ShippingDiscount": Decimal(0),
            }  # fmt: skip
            item |= {name: _money_v0(amount, line) for name, amount in amounts.items()}
        items.append(item)
    return items


def sku(line: Line) -> str:
    """The seller's number of a product."""
    return f"{line.product.asin[-4:]}-{line.product.country}"


def _money(amount: Decimal, line: Line) -> Json:
    return {"amount": f"{amount:.{line.product.digits}f}", "currencyCode": line.product.currency}


def _money_v0(amount: Decimal, line: Line) -> Json:
    return {"CurrencyCode": line.product.currency, "Amount": f"{amount:.{line.product.digits}f}"}


def _moment(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
