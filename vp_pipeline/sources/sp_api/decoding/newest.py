"""The fields of the newest orders API (2026-01-01) as rows.

Here: which field is which column. Not here: reading one (`fields.py`), and the columns (`tables.py`).
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from vp_pipeline.sources.sp_api.decoding.fields import Fields, total
from vp_pipeline.sources.sp_api.tables import STATUSES

_STATUS = {status: status for status in STATUSES}
_FULFILLED_BY = {"AMAZON": "AMAZON", "MERCHANT": "MERCHANT"}
# Their amounts are split into that of the price and that of shipping.
_SPLIT = ("TAX", "DISCOUNT")
_OTHER = ("GIFT_WRAP", "COD_FEE", "OTHER")
_KNOWN = {kind: kind for kind in ("ITEM", "SHIPPING", *_SPLIT, *_OTHER)}


def header(order: Fields) -> dict[str, Any]:
    """What the items have of their order, too."""
    return {
        "order_id": order.text("orderId", required=True),
        "marketplace_id": order.text("salesChannel.marketplaceId"),
        "order_status": order.word("fulfillment.fulfillmentStatus", _STATUS, required=True),
        "purchased_at": order.moment("createdTime"),
        "last_updated_at": order.moment("lastUpdatedTime"),
    }


def rest(order: Fields) -> dict[str, Any]:
    """The order's own columns."""
    replaced = [
        each.text("orderId")
        for each in order.all_of("associatedOrders")
        if each.text("associationType") == "REPLACEMENT_ORIGINAL_ID"
    ]
    programs = order.texts("programs")
    order_total = order.money("proceeds.grandTotal")
    return {
        "fulfilled_by": order.word("fulfillment.fulfilledBy", _FULFILLED_BY),
        "order_total": order_total,
        "currency": order.currency,
        "is_replacement": bool(replaced),
        "replaced_order_id": replaced[0] if replaced else None,
        "is_business": "AMAZON_BUSINESS" in programs,
        "is_prime": "PRIME" in programs,
    }


def item(found: Fields, _: dict[str, Any]) -> dict[str, Any]:
    """One item's own columns."""
    unit_price, item_total = found.money("product.price.unitPrice"), found.money("proceeds.proceedsTotal")
    amounts = _amounts(found)
    includes_tax = _includes_tax(amounts, item_total)
    ordered = found.count("quantityOrdered", required=True)
    shipped, open_ = found.count("fulfillment.quantityFulfilled"), found.count("fulfillment.quantityUnfulfilled")
    known = ordered is not None and shipped is not None and open_ is not None
    return {
        "order_item_id": found.text("orderItemId", required=True),
        "asin": found.text("product.asin", required=True),
        "sku": found.text("product.sellerSku"),
        "quantity_ordered": ordered,
        "quantity_shipped": shipped,
        "quantity_cancelled": (ordered or 0) - (shipped or 0) - (open_ or 0) if known else None,
        "currency": found.currency,
        "unit_price": unit_price,
        "item_price": amounts.get("ITEM"),
        "item_tax": amounts.get("TAX"),
        "shipping_price": amounts.get("SHIPPING"),
        "shipping_tax": amounts.get("TAX of SHIPPING"),
        "item_discount": _positive(amounts.get("DISCOUNT")),
        "shipping_discount": _positive(amounts.get("DISCOUNT of SHIPPING")),
        "other_proceeds": total([amounts.get(kind) for kind in _OTHER]),
        "item_total": item_total,
        **({} if includes_tax is None else {"price_includes_tax": includes_tax}),
    }


def _amounts(found: Fields) -> dict[str, Decimal | None]:
    """The breakdowns by kind. Of those that are split, what is of shipping has a name of its own."""
    amounts: dict[str, list[Decimal | None]] = defaultdict(list)
    for each in found.all_of("proceeds.breakdowns"):
        kind, subtotal = each.word("type", _KNOWN, required=True), each.money("subtotal")
        if kind is None or subtotal is None:
            continue
        of_shipping = total(
            [
                value
                for detail in each.all_of("detailedBreakdowns")
                for value in [detail.money("value")]
                if detail.text("subtype") == "SHIPPING"
            ]
        )
        if kind in _SPLIT and of_shipping is not None:
            amounts[f"{kind} of SHIPPING"].append(of_shipping)
            subtotal -= of_shipping
        amounts[kind].append(subtotal)
    return {kind: total(several) for kind, several in amounts.items()}


def _includes_tax(amounts: dict[str, Decimal | None], item_total: Decimal | None) -> bool | None:
    """Whether the tax is a part of the other amounts, or comes on top of them; None: the total does not tell."""
    tax = total([amounts.get("TAX"), amounts.get("TAX of SHIPPING")])
    discount = total([_positive(amounts.get("DISCOUNT")), _positive(amounts.get("DISCOUNT of SHIPPING"))]) or 0
    paid = total([amounts.get(kind) for kind in ("ITEM", "SHIPPING", *_OTHER)])
    if item_total is None or not tax or paid is None:
        return None
    return {paid - discount: True, paid - discount + tax: False}.get(item_total)


def _positive(discount: Decimal | None) -> Decimal | None:
    """Amazon's documents do not tell whether a discount is below zero: it is taken off in either case."""
    return None if discount is None else abs(discount)
