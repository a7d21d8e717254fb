"""The sandbox's Amazon: Login with Amazon and the order APIs 2026-01-01 and v0, a request in, a response out.

Here: paths, pages, headers and errors. Not here: HTTP (`../server.py`), what an order looks like (`documents.py`).
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.sp_api import documents
from vp_pipeline.sandbox.sp_api.access import Buckets, Rate, Tokens
from vp_pipeline.sandbox.sp_api.orders import LONGEST, Order, State, placed_on, updated_between
from vp_pipeline.sandbox.sp_api.recordings import Recordings
from vp_pipeline.sandbox.sp_api.request import OrdersRequest, Rejected, page_token, parse
from vp_pipeline.sandbox.world import UNTIL, products
from vp_pipeline.sources.sp_api.marketplaces import BY_COUNTRY

Json = dict[str, Any]
LOGIN = "/auth/o2/token"
_PATHS = {
    "searchOrders": re.compile(r"/orders/2026-01-01/orders"),
    "getOrders": re.compile(r"/orders/v0/orders"),
    "getOrderItems": re.compile(r"/orders/v0/orders/([A-Z0-9-]{1,40})/orderItems"),
}
# Amazon's own rates would let a day on a laptop take an hour.
GENEROUS = dict.fromkeys(_PATHS, Rate(per_second=200, burst=2_000))


class SpApi:
    """Responds to requests with generated orders, or from a folder of recorded answers.

    Args:
        recordings: the folder; None: orders are generated.
        seed: another seed generates other orders.
        rates: of each operation.
        token_seconds: how long an access token is good.
        per_page: the most orders and items of a page.

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(
        self,
        recordings: Path | None = None,
        seed: int = 7,
        rates: Mapping[str, Rate] | None = None,
        token_seconds: float = 3600,
        per_page: int = 100,
    ) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed
        self._buckets = Buckets(rates or GENEROUS)
        self.tokens = Tokens(token_seconds)
        self._per_page = per_page

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings cannot be served, each as a sentence with its file."""
        return () if self._recordings is None else self._recordings.left_out

    @property
    def entities(self) -> tuple[str, ...]:
        """The marketplaces that it has orders of."""
        return tuple(dict.fromkeys(BY_COUNTRY[product.country].id for product in products()))

    @property
    def example(self) -> str:
        """A request of the orders of a day; it needs an access token."""
        day = "2026-01-31"
        return f"/orders/2026-01-01/orders?lastUpdatedAfter={day}T00:00:00Z&lastUpdatedBefore={day}T23:59:59Z"

    def respond(self, request: Request) -> Response:
        """What a request gets: a token, a page of orders, or a page of items."""
        if request.path == LOGIN and request.method == "POST":
            status, body = self.tokens.exchange(request.body)
            return Response(status, orjson.dumps(body))
        limit: dict[str, str] = {}
        try:
            operation, order_id = _operation(request)
            problem = self.tokens.problem(request.headers.get("x-amz-access-token"))
            if problem is not None:
                raise Rejected("Access to requested resource is denied.", 403, "Unauthorized", problem)
            limit = {"x-amzn-RateLimit-Limit": f"{self._buckets.rates[operation].per_second:g}"}
            if not self._buckets.take(operation):
                raise Rejected("You exceeded your quota for the requested resource.", 429, "QuotaExceeded")
            return self._answer(200, self._body(operation, order_id, request), limit)
        except Rejected as rejected:
            refused = self.refusal(rejected.status, rejected.kind, str(rejected), rejected.details)
            return replace(refused, headers={**refused.headers, **limit})

    def refusal(self, status: int, kind: str, message: str, details: str = "") -> Response:
        """An error in Amazon's form."""
        return self._answer(status, {"errors": [{"code": kind, "message": message, "details": details}]}, {})

    def _answer(self, status: int, body: Json, headers: Mapping[str, str]) -> Response:
        return Response(status, orjson.dumps(body), {"x-amzn-RequestId": secrets.token_hex(16), **headers})

    def _body(self, operation: str, order_id: str, request: Request) -> Json:
        now = datetime.fromtimestamp(request.now / 1000, UTC).replace(tzinfo=None)
        if self._recordings is None and now.date() >= UNTIL:
            raise Rejected(f"The sandbox has no orders from {UNTIL} on.")
        if operation == "getOrderItems":
            return self._items(order_id, request, now)
        newest = operation == "searchOrders"
        asked = parse(request.query, now, newest=newest, of_the_present=not request.clock)
        found = self._found(asked, now, newest=newest)
        size = min(asked.per_page, self._per_page)
        page = found[asked.offset : asked.offset + size]
        token = page_token(asked.offset + size) if asked.offset + size < len(found) else None
        until = f"{asked.last:%Y-%m-%dT%H:%M:%SZ}"
        name = "lastUpdatedBefore" if asked.by_update else "createdBefore"
        if newest:
            return {"orders": page, **({"pagination": {"nextToken": token}} if token else {}), name: until}
        payload = {"Orders": page, **({"NextToken": token} if token else {}), name[0].upper() + name[1:]: until}
        return {"payload": payload}

    def _found(self, asked: OrdersRequest, now: datetime, *, newest: bool) -> Sequence[Json]:
        if self._recordings is not None:
            return self._recordings.newest if newest else self._recordings.v0
        found = [
            (order, state)
            for order, state in self._orders(asked, now)
            if not asked.marketplaces or order.marketplace.id in asked.marketplaces
        ]
        if newest:
            return [documents.newest(order, state, asked.included) for order, state in found]
        return [documents.v0(order, state) for order, state in found]

    def _orders(self, asked: OrdersRequest, now: datetime) -> list[tuple[Order, State]]:
        last = min(asked.last, now)
        if asked.by_update:
            return updated_between(self._seed, asked.first, last, now)
        updated = updated_between(self._seed, asked.first, min(now, last + LONGEST), now)
        return [(order, state) for order, state in updated if asked.first <= order.purchased_at <= last]

    def _items(self, order_id: str, request: Request, now: datetime) -> Json:
        pages: list[list[Json]] = [[]]
        if self._recordings is not None:
            pages = self._recordings.items.get(order_id, [[]])
        else:
            found = self._order(order_id, now)
            if found is None:
                raise Rejected(f"{order_id[:40]} is not an order.")
            items = documents.v0_items(*found)
            pages = [items[n : n + self._per_page] for n in range(0, len(items), self._per_page)] or pages
        token = request.query.get("NextToken")
        number = int(token.removeprefix("items-")) if token and re.fullmatch(r"items-[0-9]{1,6}", token) else 0
        if number >= len(pages) or (token and not number):
            raise Rejected("NextToken is invalid.")
        more = {"NextToken": f"items-{number + 1}"} if number + 1 < len(pages) else {}
        return {"payload": {"AmazonOrderId": order_id, "OrderItems": pages[number], **more}}

    def _order(self, order_id: str, now: datetime) -> tuple[Order, State] | None:
        """An order of the last weeks by its number, with its state at a moment."""
        for back in range(2 * LONGEST.days):
            for order in placed_on(self._seed, now.date() - back * (LONGEST / LONGEST.days)):
                state = order.state_at(now) if order.order_id == order_id else None
                if state is not None:
                    return order, state
        return None


def _operation(request: Request) -> tuple[str, str]:
    """The operation that a request is of, and the order in its path ("" where there is none)."""
    for operation, path in _PATHS.items():
        found = path.fullmatch(request.path)
        if found and request.method == "GET":
            return operation, found[1] if found.groups() else ""
        if found or request.path == LOGIN:
            raise Rejected(f"{request.method} is not supported.", 405)
    raise Rejected("The specified resource does not exist.", 404, "NotFound")


def build(recordings: Path | None, seed: int) -> SpApi:
    """The stand-in with generous rates."""
    return SpApi(recordings, seed)
