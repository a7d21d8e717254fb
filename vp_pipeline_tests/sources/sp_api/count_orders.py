"""What recorded answers of Amazon hold, counted with `json` and `Decimal` alone: nothing of the project is imported."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

Amounts = dict[str, Decimal]
V0_AMOUNTS = {
    "ItemPrice": "item_price", "ItemTax": "item_tax", "ShippingPrice": "shipping_price", "ShippingTax": "shipping_tax",
    "PromotionDiscount": "item_discount", "ShippingDiscount": "shipping_discount",
}  # fmt: skip


def bodies(folder: Path) -> Iterator[Any]:
    """The body of every answer that is none of an error."""
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text())
        for case in content.get("cases", [{"response": content}]):
            if str(case.get("status", "200")) == "200":
                yield case["response"]


def newest_orders(folder: Path) -> dict[str, dict[str, Any]]:
    """Every order of the newest API, by number."""
    found = (order for body in bodies(folder) for order in [*body.get("orders", []), body.get("order")] if order)
    return {order["orderId"]: order for order in found}


def newest_items(folder: Path) -> dict[tuple[str, str], tuple[Amounts, str, int, int]]:
    """By order and item: amounts by column, currency, units ordered and shipped."""
    found = {}
    for number, order in newest_orders(folder).items():
        for item in order["orderItems"]:
            amounts: Amounts = {"item_total": Decimal(item["proceeds"]["proceedsTotal"]["amount"])}
            amounts["unit_price"] = Decimal(item["product"]["price"]["unitPrice"]["amount"])
            for part in item["proceeds"]["breakdowns"]:
                name = {"ITEM": "item_price", "SHIPPING": "shipping_price", "TAX": "item_tax"}[part["type"]]
                amounts[name] = Decimal(part["subtotal"]["amount"])
                for detail in part.get("detailedBreakdowns", []):
                    if (part["type"], detail["subtype"]) == ("TAX", "SHIPPING"):
                        amounts["shipping_tax"] = Decimal(detail["value"]["amount"])
                        amounts["item_tax"] -= amounts["shipping_tax"]
            currency = item["proceeds"]["proceedsTotal"]["currencyCode"]
            units = (item["quantityOrdered"], item["fulfillment"]["quantityFulfilled"])
            found[number, item["orderItemId"]] = (amounts, currency, *units)
    return found


def v0_orders(folder: Path) -> dict[str, dict[str, Any]]:
    """Every order of v0, by number."""
    payloads = [body["payload"] for body in bodies(folder) if isinstance(body.get("payload"), dict)]
    found = [order for payload in payloads for order in payload.get("Orders", [])]
    return {order["AmazonOrderId"]: order for order in [*found, *(p for p in payloads if "OrderStatus" in p)]}


def v0_items(folder: Path) -> dict[tuple[str, str], tuple[Amounts, int]]:
    """By order and item, of the orders that are there: amounts by column, and units ordered."""
    known, found = v0_orders(folder), {}
    for body in bodies(folder):
        payload = body.get("payload")
        if isinstance(payload, dict) and payload.get("AmazonOrderId") in known:
            for item in payload.get("OrderItems", []):
                if "QuantityOrdered" in item:
                    amounts = {ours: Decimal(item[name]["Amount"]) for name, ours in V0_AMOUNTS.items() if name in item}
                    found[payload["AmazonOrderId"], item["OrderItemId"]] = (amounts, item["QuantityOrdered"])
    return found
