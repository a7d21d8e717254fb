"""The decoder of orders, on orders made by hand: both API versions, every status, and what cannot be read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from vp_pipeline.sources.landed import Decoded
from vp_pipeline.sources.sp_api.decode import decode
from vp_pipeline.sources.sp_api.decoding.fields import DROPPED
from vp_pipeline_tests.sources.sp_api.orders import (
    breakdown,
    decoded,
    item,
    item_v0,
    landed,
    money,
    order,
    order_v0,
    rows,
)


def only(table: Decoded) -> dict[str, Any]:
    (row,) = rows(table)
    return row


def reasons(table: Decoded) -> list[str]:
    return [each.reason for each in table.quarantined]


def test_an_order_of_a_marketplace_without_tax_in_its_prices() -> None:
    """Several units, a promotion on the price and on shipping, tax on top."""
    found = decoded(
        landed(
            order(
                item(
                    breakdown("ITEM", "59.98"),
                    breakdown("SHIPPING", "5.00"),
                    breakdown("DISCOUNT", "-7.00", ITEM="-6.00", SHIPPING="-1.00"),
                    breakdown("TAX", "4.79", ITEM="4.46", SHIPPING="0.33"),
                    breakdown("GIFT_WRAP", "2.50"),
                    total="65.27",
                    quantityOrdered=2,
                    fulfillment={"quantityFulfilled": 2, "quantityUnfulfilled": 0},
                ),
                proceeds={"grandTotal": money("65.27")},
                programs=["PRIME", "AMAZON_BUSINESS"],
            )
        )
    )
    row = only(found["order_item"])
    amounts = ("item_price", "shipping_price", "item_discount", "shipping_discount", "item_tax", "shipping_tax")
    assert [row[name] for name in amounts] == [Decimal(a) for a in ("59.98", "5", "6", "1", "4.46", "0.33")]
    assert (row["other_proceeds"], row["item_total"]) == (Decimal("2.5"), Decimal("65.27"))
    assert (row["currency"], row["price_includes_tax"]) == ("USD", False)
    assert (row["quantity_ordered"], row["quantity_shipped"], row["quantity_cancelled"]) == (2, 2, 0)
    head = only(found["order"])
    assert (head["order_total"], head["currency"], head["country"]) == (Decimal("65.27"), "USD", "US")
    assert (head["is_prime"], head["is_business"], head["is_replacement"]) == (True, True, False)
    assert head["purchased_at"] == datetime(2026, 9, 30, 10)
    assert head["snapshot_at"] == datetime(2026, 10, 1, 23, 59, 59, 999_000)


@pytest.mark.parametrize(("tax", "total", "includes"), [("19.16", "120.00", True), ("24.00", "144.00", False)])
def test_whether_the_price_includes_tax_is_told_by_the_sum(tax: str, total: str, includes: bool) -> None:
    parts = (breakdown("ITEM", "120.00", "EUR"), breakdown("TAX", tax, "EUR"))
    german = {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"}
    row = only(decoded(landed(order(item(*parts, total=total, currency="EUR"), salesChannel=german)))["order_item"])
    assert (row["price_includes_tax"], row["item_tax"]) == (includes, Decimal(tax))


def test_without_a_sum_it_is_told_by_the_marketplace() -> None:
    german = {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"}
    row = only(decoded(landed(order(item(), salesChannel=german)))["order_item"])
    assert row["price_includes_tax"] is True
    unknown = {"channelName": "AMAZON", "marketplaceId": "AAAAAAAAAAAA"}
    assert only(decoded(landed(order(item(), salesChannel=unknown)))["order_item"])["price_includes_tax"] is None


@pytest.mark.parametrize(
    ("amount", "currency", "exact"),
    [("5980", "JPY", "5980"), ("12.345", "KWD", "12.345"), ("0.1", "USD", "0.1"),
     ("999999999.999", "KWD", "999999999.999"), ("900719925474099", "JPY", None)],
)  # fmt: skip
def test_amounts_are_exact_in_every_currency(amount: str, currency: str, exact: str | None) -> None:
    found = decoded(landed(order(item(breakdown("ITEM", amount, currency)))))["order_item"]
    if exact is None:
        assert "at most 1000000000 is allowed" in reasons(found)[0]
    else:
        assert only(found)["item_price"] == Decimal(exact)


def test_a_pending_order_has_no_price() -> None:
    found = decoded(landed(order({**item(), "proceeds": None}, status="PENDING")))
    row = only(found["order_item"])
    assert (row["order_status"], row["item_price"], row["currency"]) == ("PENDING", None, None)
    assert only(found["order"])["order_total"] is None


def test_what_is_neither_shipped_nor_open_is_cancelled() -> None:
    part = {"quantityFulfilled": 2, "quantityUnfulfilled": 1}
    row = only(decoded(landed(order(item(quantityOrdered=5, fulfillment=part))))["order_item"])
    assert (row["quantity_ordered"], row["quantity_shipped"], row["quantity_cancelled"]) == (5, 2, 2)


def test_a_replacement_names_the_order_that_it_replaces() -> None:
    associated = [
        {"orderId": "902-0000000-0000001", "associationType": "EXCHANGE_ORIGINAL_ID"},
        {"orderId": "902-0000000-0000002", "associationType": "REPLACEMENT_ORIGINAL_ID"},
    ]
    head = only(decoded(landed(order(associatedOrders=associated)))["order"])
    assert (head["is_replacement"], head["replaced_order_id"]) == (True, "902-0000000-0000002")
    of_v0 = order_v0(IsReplacementOrder="true", ReplacedOrderId="902-0000000-0000002")
    head = only(decoded(landed(of_v0, []))["order"])
    assert (head["is_replacement"], head["replaced_order_id"]) == (True, "902-0000000-0000002")


@pytest.mark.parametrize(
    ("status", "ours", "cancelled"),
    [("Pending", "PENDING", 0), ("Unshipped", "UNSHIPPED", 0), ("PartiallyShipped", "PARTIALLY_SHIPPED", None),
     ("Shipped", "SHIPPED", 2), ("Canceled", "CANCELLED", 2), ("InvoiceUnconfirmed", "INVOICE_UNCONFIRMED", 0),
     ("Unfulfillable", "UNFULFILLABLE", 2), ("PendingAvailability", "PENDING_AVAILABILITY", 0)],
)  # fmt: skip
def test_v0_in_the_words_of_the_newest_api(status: str, ours: str, cancelled: int | None) -> None:
    found = decoded(landed(order_v0(status), [item_v0(QuantityOrdered=3, QuantityShipped="1")]))
    row = only(found["order_item"])
    assert (row["order_status"], row["quantity_shipped"], row["quantity_cancelled"]) == (ours, 1, cancelled)
    assert only(found["order"])["fulfilled_by"] == "AMAZON"


def test_pages_of_items_of_v0_are_one_order() -> None:
    lines = [landed(order_v0(), [item_v0(OrderItemId=number)], line=n) for n, number in enumerate(("1", "2"), 1)]
    found = decoded(*lines)
    assert [row["order_item_id"] for row in rows(found["order_item"])] == ["1", "2"]
    assert (found["order"].rows.num_rows, found["order"].duplicates) == (1, 1)


def test_every_state_that_was_answered_is_kept() -> None:
    later = order(item(), status="SHIPPED", lastUpdatedTime="2026-10-01T12:00:00.250Z")
    found = decoded(landed(order(item(), status="UNSHIPPED")), landed(later, line=2))
    assert [row["order_status"] for row in rows(found["order"])] == ["UNSHIPPED", "SHIPPED"]
    assert [row["order_status"] for row in rows(found["order_item"])] == ["UNSHIPPED", "SHIPPED"]


def test_of_two_answers_of_one_state_the_newer_stays() -> None:
    older, newer = order(status="UNSHIPPED"), order(status="SHIPPED")
    found = decoded(landed(newer, line=1, extracted=2_000_000_000_000), landed(older, line=2), landed(newer, line=3))
    assert only_row(found["order"])["order_status"] == "SHIPPED"
    assert (found["order"].duplicates, reasons(found["order"])) == (
        1,
        ["conflicts with a newer record of the same key"],
    )


def only_row(table: Decoded) -> dict[str, Any]:
    (row,) = table.rows.to_pylist()
    return dict(row)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (item(breakdown("ITEM", 59.98)), "proceeds.breakdowns[0].subtotal.amount is not an amount as a text"),
        (item(breakdown("ITEM", "1.0001")), "has more than three digits after the point"),
        (item(breakdown("ITEM", "1"), breakdown("TAX", "1", "EUR")), "is in EUR, another amount in USD"),
        (item(breakdown("SURPRISE", "1")), "type is 'SURPRISE', not one of the 7 known values"),
        (item(quantityOrdered=None), "quantityOrdered is missing"),
        (item(quantityOrdered=DROPPED), "quantityOrdered had another form than its field has"),
        (item(quantityOrdered=1.5), "quantityOrdered is not a whole number"),
        (item(product={}), "product.asin is missing"),
        (item(product=DROPPED), "product.asin had another form"),
        (item(fulfillment={"quantityFulfilled": 3, "quantityUnfulfilled": 0}), "quantity_cancelled is -2"),
        ("an item", "it is not an object"),
    ],
)
def test_an_item_that_cannot_be_read_is_rejected_alone(broken: Any, reason: str) -> None:
    sound = item(orderItemId="2")
    found = decoded(landed(order(broken, sound)))
    assert found["order"].rows.num_rows == 1
    assert found["order_item"].rows["order_item_id"].to_pylist() == ["2"]
    (problem,) = reasons(found["order_item"])
    assert reason in problem
    assert found["order_item"].quarantined[0].entity == "902-1234567-1234567"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"orderId": None}, "orderId is missing"),
        ({"createdTime": "yesterday"}, "createdTime is not a moment"),
        ({"lastUpdatedTime": "2026-10-01T11:00:00"}, "lastUpdatedTime is a moment without a zone"),
        ({"fulfillment": {"fulfillmentStatus": "LOST"}}, "fulfillment.fulfillmentStatus is 'LOST', not one of"),
    ],
)
def test_items_are_rejected_with_an_order_that_cannot_be_placed(fields: dict[str, Any], reason: str) -> None:
    found = decoded(landed(order(item(), **fields)))
    assert (found["order"].rows.num_rows, found["order_item"].rows.num_rows) == (0, 0)
    assert reason in reasons(found["order"])[0]
    assert reasons(found["order_item"])[0].startswith("of its order, ")


def test_items_are_sound_where_only_the_total_of_their_order_cannot_be_read() -> None:
    found = decoded(landed(order(item(), proceeds={"grandTotal": money(1.5)})))
    assert (found["order"].rows.num_rows, found["order_item"].rows.num_rows) == (0, 1)


def test_an_answer_to_another_day_is_rejected() -> None:
    line = landed(order(item()))
    assert decode([line], datetime(2026, 10, 1, tzinfo=UTC))["order"].rows.num_rows == 1
    (problem,) = reasons(decode([line], datetime(2026, 10, 2, tzinfo=UTC))["order"])
    assert "2026-10-02 or later was requested" in problem
    early = landed(order(), extracted="2026-10-01T23:00:00Z")
    assert "was not over when it was requested" in reasons(decoded(early)["order"])[0]


def test_a_line_that_is_no_order_is_rejected() -> None:
    meta = {"changes": [{"field": "order", "change": "NULLED", "reason": "too large"}]}
    changed = landed(order(), line=2)
    changed = type(changed)("a", 2, changed.text.replace(b'{"changes": []}', repr(meta).replace("'", '"').encode()))
    found = decoded(
        type(changed)("a", 1, b"{"), changed, landed(None, line=3), landed(order(), line=4, api_version="v1"),
        landed(order(), line=5, day="2026-02-30"), landed(order_v0(), {"no": "list"}, line=6),
    )  # fmt: skip
    starts = ("line is not JSON", "altered by Airbyte: order NULLED", "order is not an object", "api_version is 'v1'",
              "day is '2026-02-30'")  # fmt: skip
    assert [r.startswith(s) for r, s in zip(reasons(found["order"]), starts, strict=True)] == [True] * 5
    assert reasons(found["order_item"]) == ["the items are not a list"]
