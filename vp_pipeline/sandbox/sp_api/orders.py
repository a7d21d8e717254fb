"""The orders of the sandbox's world: who orders what on a day, and what becomes of it over the next weeks.

Here: orders and their states, from (seed, day) alone. Not here: how an API shows them (`documents.py`).

Sales follow the product: a good rank sells more, a price above the usual one less, and what is out of stock nothing.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from vp_pipeline.sandbox.world import Draws, Product, offer_at, products
from vp_pipeline.sources.sp_api.marketplaces import BY_COUNTRY, Marketplace

# From the purchase to the last update of an order, or of the one that replaces it.
LONGEST = timedelta(days=30)
_TAX = Decimal("0.0825")
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Line:
    """One item of an order. Amounts are of all its units."""

    item_id: str
    product: Product
    units: int
    price: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    shipping_tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.price - self.discount + self.shipping + self.tax + self.shipping_tax


@dataclass(frozen=True)
class State:
    """An order from `at` (UTC) on: its status in the words of the newest API, units shipped and cancelled by line."""

    at: datetime
    status: str
    shipped: tuple[int, ...]
    cancelled: tuple[int, ...]


@dataclass(frozen=True)
class Order:
    """One order with all its states, in order. `replaces`: the order that it replaces free of charge."""

    order_id: str
    marketplace: Marketplace
    fulfilled_by: str
    lines: tuple[Line, ...]
    states: tuple[State, ...]
    business: bool
    prime: bool
    replaces: str | None = None

    @property
    def purchased_at(self) -> datetime:
        return self.states[0].at

    def state_at(self, moment: datetime) -> State | None:
        """The state in force; None: it is not placed yet."""
        return next((state for state in reversed(self.states) if state.at <= moment), None)


def updated_between(seed: int, first: datetime, last: datetime, now: datetime) -> list[tuple[Order, State]]:
    """The orders whose newest update at `now` is in [first, last], in the order of their updates."""
    days = (min(last, now).date() - first.date() + LONGEST).days
    found = []
    for back in range(days + 1):
        for order in placed_on(seed, min(last, now).date() - timedelta(days=back)):
            state = order.state_at(now)
            if state is not None and first <= state.at <= last:
                found.append((order, state))
    return sorted(found, key=lambda pair: (pair[1].at, pair[0].order_id))


@lru_cache(maxsize=256)
def placed_on(seed: int, day: date) -> tuple[Order, ...]:
    """The orders of a UTC day, with those that replace one of them later."""
    return tuple(order for product in products() for order in _of_product(seed, product, day))


def _of_product(seed: int, product: Product, day: date) -> Iterator[Order]:
    draws = Draws(seed, "orders", product.country, product.asin, day.isoformat())
    noon = offer_at(seed, product, datetime(day.year, day.month, day.day, 12))
    if noon is None:
        return
    cheapness = float(product.usual_price / noon.price) if noon.price else 1.0
    for number in range(_poisson(draws, 14 * noon.rank**-0.35 * cheapness**1.2)):
        own = draws.named(number)
        at = datetime(day.year, day.month, day.day) + timedelta(seconds=own.between(0, 86_399))
        if offer_at(seed, product, at) is not None:
            yield from _order(seed, own, product, at)


def _order(seed: int, draws: Draws, product: Product, at: datetime) -> Iterator[Order]:
    market = BY_COUNTRY[product.country]
    chosen = [product]
    others = [each for each in products() if each.country == product.country and each != product]
    if others and draws.between(1, 100) <= 15:
        chosen.append(others[draws.between(0, len(others) - 1)])
    merchant = draws.between(1, 100) <= 35
    lines = []
    for place, each in enumerate(chosen):
        offer = offer_at(seed, each, at)
        if offer is not None:
            lines.append(_line(draws.named("line", place), each, offer.price, market, merchant))
    states = tuple(_states(draws.named("states"), at, [line.units for line in lines]))
    order = Order(
        order_id=_order_id(draws.named("id")),
        marketplace=market,
        fulfilled_by="MERCHANT" if merchant else "AMAZON",
        lines=tuple(lines),
        states=states,
        business=draws.between(1, 100) <= 10,
        prime=not merchant and draws.between(1, 100) <= 70,
    )
    yield order
    if states[-1].status == "SHIPPED" and draws.between(1, 100) <= 4:
        yield _replacement(draws.named("replacement"), order)


def _line(draws: Draws, product: Product, price: Decimal, market: Marketplace, merchant: bool) -> Line:
    units = (1, 1, 1, 1, 2, 2, 3)[draws.between(0, 6)]
    whole = price * units
    discount = _rounded(whole / 10, product) if draws.between(1, 100) <= 20 else Decimal(0)
    shipping = _rounded(product.usual_price / 8, product) if merchant and draws.between(1, 2) == 1 else Decimal(0)
    rate = Decimal(0) if market.includes_tax else _TAX
    return Line(
        item_id=str(draws.between(10**13, 10**14 - 1)),
        product=product,
        units=units,
        price=whole,
        discount=discount,
        shipping=shipping,
        tax=_rounded((whole - discount) * rate, product),
        shipping_tax=_rounded(shipping * rate, product),
    )


def _states(draws: Draws, at: datetime, units: list[int]) -> Iterator[State]:
    """Pending, then ready, then shipped at once or in parts; at any point it may be cancelled."""
    none = (0,) * len(units)
    yield State(at, "PENDING", none, none)
    at += draws.between(20, 1200) * timedelta(minutes=1)
    if draws.between(1, 100) <= 4:
        yield State(at, "CANCELLED", none, tuple(units))
        return
    yield State(at, "UNSHIPPED", none, none)
    at += draws.between(4, 60) * _HOUR
    if draws.between(1, 100) <= 4:
        yield State(at, "CANCELLED", none, tuple(units))
        return
    if sum(units) > 1 and draws.between(1, 2) == 1:
        # All but one unit of the last item.
        part = (*units[:-1], units[-1] - 1)
        yield State(at, "PARTIALLY_SHIPPED", part, none)
        at += draws.between(6, 40) * _HOUR
        if draws.between(1, 100) <= 25:
            yield State(at, "SHIPPED", part, (*none[:-1], 1))
            return
    yield State(at, "SHIPPED", tuple(units), none)


def _replacement(draws: Draws, order: Order) -> Order:
    at = order.states[-1].at + draws.between(3 * 24, 9 * 24) * _HOUR
    free = tuple(
        replace(line, item_id=str(draws.between(10**13, 10**14 - 1)), price=Decimal(0), discount=Decimal(0),
                shipping=Decimal(0), tax=Decimal(0), shipping_tax=Decimal(0))
        for line in order.lines
    )  # fmt: skip
    none, units = (0,) * len(free), tuple(line.units for line in free)
    shipped = State(at + draws.between(4, 60) * _HOUR, "SHIPPED", units, none)
    states = (State(at, "UNSHIPPED", none, none), shipped)
    return replace(order, order_id=_order_id(draws.named("id")), lines=free, states=states, replaces=order.order_id)


def _order_id(draws: Draws) -> str:
    return f"{draws.between(100, 999)}-{draws.between(10**6, 10**7 - 1)}-{draws.between(10**6, 10**7 - 1)}"


def _rounded(amount: Decimal, product: Product) -> Decimal:
    return round(amount, product.digits) if product.digits else Decimal(round(amount))


def _poisson(draws: Draws, mean: float) -> int:
    """How many events of a process with that mean there are: its distribution inverted."""
    drawn = float(draws.uniform(1)[0])
    weights = (math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) for n in range(60))
    return next((n for n, below in enumerate(accumulate(weights)) if drawn < below), 60)
