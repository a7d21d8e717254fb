"""The tables that Amazon's orders are decoded into: their contracts.

Here: schemas, units, natural keys and ranges, with where each range comes from. Not here: how an order becomes rows
(`decode.py`).

An order is answered again whenever it changes. Silver and RAW keep every state that was answered, by its
`last_updated_at`; CORE chooses the newest.
"""

from datetime import datetime

from vp_pipeline.sources.contract import FLAG, INT, TEXT, TIMESTAMP, Column, Table, Type
from vp_pipeline.sources.sp_api.marketplaces import MARKETPLACES

# Dinars have three digits after the point; no currency that Amazon sells in has more.
MONEY = Type.decimal(18, 3)

_MODEL = "Amazon's published model of the orders API"
_PAIRS = "Amazon's own sample pairs"
_EARLIEST = datetime(1970, 1, 1)
_LATEST = datetime(2099, 12, 31, 23, 59, 59, 999_999)
_MOST_MONEY = 1_000_000_000
MOST_UNITS = 999_999
STATUSES = (
    "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "INVOICE_UNCONFIRMED", "CANCELLED",
    "UNFULFILLABLE",
)  # fmt: skip
# Before these an order has no price: its payment is not authorised.
PENDING = ("PENDING_AVAILABILITY", "PENDING")

ORDER_ID = Column(
    "order_id",
    TEXT,
    "Amazon's number of the order.",
    matches="[A-Z0-9]{3}-[0-9]{7}-[0-9]{7}",
    range_source=f"{_PAIRS} and documents: three, seven and seven digits; orders of other channels begin with a letter",
)
MARKETPLACE_ID = Column(
    "marketplace_id",
    TEXT,
    "Amazon's ID of the marketplace; null: an order of another channel.",
    nullable=True,
    matches="[A-Z0-9]{10,20}",
    range_source="Amazon's list of marketplaces: 12 to 14 letters and digits",
)
STATUS = Column(
    "order_status",
    TEXT,
    "Where the order is, in the words of the newest API; v0's are translated.",
    one_of=STATUSES,
    range_source=f"{_MODEL}: `FulfillmentStatus`, and of v0 `OrderStatus`",
)
PURCHASED_AT = Column(
    "purchased_at",
    TIMESTAMP,
    "When the customer placed the order.",
    unit="UTC",
    at_least=_EARLIEST,
    at_most=_LATEST,
    not_after="last_updated_at",
    range_source=f"{_PAIRS} have moments of January 1970; no order is updated before it is placed",
)
LAST_UPDATED_AT = Column(
    "last_updated_at",
    TIMESTAMP,
    "When Amazon or the seller last changed the order: this row is its state from then on.",
    unit="UTC",
    at_least=_EARLIEST,
    at_most=_LATEST,
    not_after="snapshot_at",
    range_source=f"{_PAIRS} have moments of January 1970; an order that is updated after the requested day is not in "
    "its answer",
)
SNAPSHOT_AT = Column(
    "snapshot_at",
    TIMESTAMP,
    "The last moment of the day that was requested: the order was in this state then.",
    unit="UTC",
    at_least=_EARLIEST,
    at_most=_LATEST,
    range_source="days that are over when they are requested (decoding/lines.py refuses others), to the end of every "
    "consumer's calendar",
)
CURRENCY = Column(
    "currency",
    TEXT,
    "ISO 4217 code of every amount of the row; null: it has none.",
    nullable=True,
    matches="[A-Z]{3}",
    range_source="ISO 4217: three letters",
)


def _money(name: str, description: str) -> Column:
    return Column(
        name,
        MONEY,
        description,
        unit="the row's currency",
        nullable=True,
        at_least=0,
        at_most=_MOST_MONEY,
        range_source="below zero no customer pays; a billion of any currency, a limit of ours",
    )


def _units(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(
        name,
        INT,
        description,
        unit="units",
        nullable=nullable,
        at_least=0,
        at_most=MOST_UNITS,
        range_source=f"{_MODEL}: a count; six digits at most, a limit of ours, so that no phone number is one",
    )


def _flag(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, FLAG, description, nullable=nullable, range_source=f"{_MODEL}: true, false or not given")


ORDER = Table(
    "sp_api",
    "order",
    "order",
    "The seller's orders, in each state that was answered.",
    "one row per order and update",
    ("order_id", "last_updated_at"),
    (
        ORDER_ID,
        MARKETPLACE_ID,
        STATUS,
        PURCHASED_AT,
        LAST_UPDATED_AT,
        SNAPSHOT_AT,
        Column(
            "country",
            TEXT,
            "The marketplace's country, ISO 3166; null: of another channel, or a marketplace that we do not know.",
            nullable=True,
            one_of=tuple(sorted({m.country for m in MARKETPLACES.values()})),
            range_source="Amazon's list of marketplaces",
        ),
        Column(
            "fulfilled_by",
            TEXT,
            "Who ships it: AMAZON or MERCHANT; null: not given.",
            nullable=True,
            one_of=("AMAZON", "MERCHANT"),
            range_source=f"{_MODEL}: `fulfilledBy`, and of v0 `FulfillmentChannel`",
        ),
        _money("order_total", "What the customer pays in all; null: pending, or nothing to pay."),
        CURRENCY,
        _flag("is_replacement", "It replaces another order, and is not paid for.", nullable=False),
        Column(
            "replaced_order_id",
            TEXT,
            "The order that it replaces; null: none, or not given.",
            nullable=True,
            matches=ORDER_ID.matches,
            range_source=ORDER_ID.range_source,
        ),
        _flag("is_business", "An order of Amazon Business; null: not given."),
        _flag("is_prime", "An order of Prime; null: not given."),
        Column(
            "api_version",
            TEXT,
            "Which of Amazon's order APIs answered.",
            one_of=("2026-01-01", "v0"),
            range_source="the connector has these two",
        ),
    ),
)

ORDER_ITEM = Table(
    "sp_api",
    "order",
    "order_item",
    "The items of the seller's orders, in each state that was answered. Amounts are of all units of the item.",
    "one row per order, item and update",
    ("order_id", "order_item_id", "last_updated_at"),
    (
        ORDER_ID,
        Column(
            "order_item_id",
            TEXT,
            "Amazon's number of the item within the order.",
            matches="[0-9]{1,20}",
            range_source=f"{_PAIRS}: 14 or 15 digits",
        ),
        MARKETPLACE_ID,
        STATUS,
        PURCHASED_AT,
        LAST_UPDATED_AT,
        SNAPSHOT_AT,
        Column(
            "asin",
            TEXT,
            "Amazon's product number.",
            matches="[A-Z0-9]{10,13}",
            range_source=f"Amazon: ten letters and digits; {_PAIRS} have one of twelve",
        ),
        Column(
            "sku",
            TEXT,
            "The seller's own number of the product; null: not given.",
            nullable=True,
            at_least=1,
            at_most=100,
            range_source="Amazon takes 40 characters; longer ones are old. An empty one is read as null",
        ),
        _units("quantity_ordered", "Units ordered."),
        _units("quantity_shipped", "Units shipped; null: not given.", nullable=True),
        _units(
            "quantity_cancelled",
            "Units that will not be shipped; null: not known (v0 does not name them while an order is partly shipped).",
            nullable=True,
        ),
        CURRENCY,
        _money("unit_price", "Price of one unit; null: pending, or v0, which has none."),
        _money("item_price", "Price of all units, before discounts; null: pending, or not given."),
        _money("item_tax", "Tax on the price; tax that is not split is here as a whole."),
        _money("shipping_price", "What the customer pays for shipping, before discounts."),
        _money("shipping_tax", "Tax on shipping."),
        _money("item_discount", "Promotions off the price, as a positive amount; one that is not split is here."),
        _money("shipping_discount", "Promotions off shipping, as a positive amount."),
        _money("other_proceeds", "Gift wrap, cash on delivery and the like; v0: not read."),
        _money("item_total", "What the item brings in all, as Amazon has added it up; v0 has none."),
        _flag(
            "price_includes_tax",
            "Whether item_price includes its tax: by the sum where the total tells it, otherwise as the marketplace "
            "has it (Europe: yes, the US: no); null: an unknown marketplace.",
        ),
    ),
)

TABLES: tuple[Table, ...] = (ORDER, ORDER_ITEM)
