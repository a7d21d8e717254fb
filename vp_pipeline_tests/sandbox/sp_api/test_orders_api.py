"""The sandbox's Amazon, over HTTP: orders of its world in both API versions, pages, rates, tokens and errors."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from vp_pipeline.sandbox.keepa.generated.catalogue import CATALOGUE
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.access import AMAZON_RATES, REVOKED, UNKNOWN_CLIENT, Buckets, Rate
from vp_pipeline.sandbox.sp_api.api import SpApi
from vp_pipeline.sandbox.sp_api.orders import placed_on, updated_between
from vp_pipeline.sandbox.world import offer_at, products
from vp_pipeline.settings import PROJECT_ROOT

DAY = date(2026, 10, 1)
LOGIN = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "i", "client_secret": "s"}
NEWEST, V0 = "/orders/2026-01-01/orders", "/orders/v0/orders"
WINDOW = {"lastUpdatedAfter": "2026-10-01T00:00:00Z", "lastUpdatedBefore": "2026-10-01T23:59:59.999Z"}
WINDOW_V0 = {"LastUpdatedAfter": "2026-10-01T00:00:00Z", "MarketplaceIds": "ATVPDKIKX0DER,A1VC38T7YXB528"}
EVERYTHING = {**WINDOW, "includedData": "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT"}
PAIRS = PROJECT_ROOT.parent / "shared" / "data" / "sp_api"


class Amazon:
    """A client with an access token."""

    def __init__(self, sandbox: Sandbox, day: date | None = DAY) -> None:
        self.url = sandbox.base_url("sp_api", day)
        self.token = requests.post(f"{self.url}/auth/o2/token", data=LOGIN, timeout=30).json()["access_token"]

    def get(self, path: str, **query: str) -> requests.Response:
        headers = {"x-amz-access-token": self.token}
        return requests.get(self.url + path, params=query, headers=headers, timeout=30)


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        yield Amazon(sandbox)


def shape(found: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each path of a value with the type that is there; an element of a list is `[]`."""
    if isinstance(found, dict):
        for name, each in found.items():
            yield from shape(each, f"{path}.{name}")
    elif isinstance(found, list):
        for each in found:
            yield from shape(each, f"{path}[]")
    else:
        yield path, type(found).__name__


def pairs(file: str, *operations: str) -> Iterator[Any]:
    if not PAIRS.is_dir():
        pytest.skip(f"Amazon's sample pairs are not at {PAIRS}")
    for case in json.loads((PAIRS / file).read_text())["cases"]:
        if case["operationId"] in operations:
            yield case["response"]


def test_an_answer_of_the_newest_api_has_the_shape_of_amazons(amazon: Amazon) -> None:
    real = {each for body in pairs("sandbox_orders_2026-01-01.json", "searchOrders") for each in shape(body)}
    ours = set(shape(amazon.get(NEWEST, **EVERYTHING).json()))
    assert ours - real == set()
    assert len(ours) > 30


def test_an_answer_of_v0_has_the_shape_of_amazons(amazon: Amazon) -> None:
    real = {each for body in pairs("sandbox_ordersV0.json", "getOrders", "getOrderItems") for each in shape(body)}
    sample = json.loads((PAIRS / "samples_orders-getOrderItems.json").read_text())
    real |= set(shape(sample))
    page = amazon.get(V0, **WINDOW_V0).json()
    number = page["payload"]["Orders"][0]["AmazonOrderId"]
    ours = set(shape(page)) | set(shape(amazon.get(f"{V0}/{number}/orderItems").json()))
    # Amazon's model has them, its sample pairs do not.
    known = {(".payload.LastUpdatedBefore", "str"), (".payload.Orders[].ReplacedOrderId", "str"),
             (".payload.Orders[].IsReplacementOrder", "str")}  # fmt: skip
    assert ours - real - known == set()


def test_an_error_has_the_shape_of_amazons(amazon: Amazon) -> None:
    (*_, real) = pairs("sandbox_orders_2026-01-01.json", "searchOrders")
    response = amazon.get(NEWEST)
    assert response.status_code == 400
    assert set(shape(response.json())) == set(shape(real))
    assert response.json()["errors"][0]["code"] == real["errors"][0]["code"]


def test_its_products_are_those_of_the_other_apis(amazon: Amazon) -> None:
    known = {entry.asin for entry in CATALOGUE}
    found = Counter(
        item["product"]["asin"]
        for day in range(1, 15)
        for each in amazon.get(
            NEWEST, createdAfter=f"2026-09-{day:02}T00:00:00Z", createdBefore=f"2026-09-{day:02}T23:59:59Z"
        ).json()["orders"]
        for item in each["orderItems"]
    )
    assert set(found) <= known
    assert len(found) > 8


def test_sales_follow_the_rank_and_what_is_out_of_stock_sells_nothing() -> None:
    units: Counter[str] = Counter()
    for number in range(60):
        for order in placed_on(7, date(2026, 8, 1) + timedelta(days=number)):
            units[order.lines[0].product.asin] += 1
            for line in order.lines:
                offer = offer_at(7, line.product, order.purchased_at)
                if order.replaces is None:
                    assert offer is not None
                    assert line.price == offer.price * line.units
    by_rank = sorted((entry for entry in CATALOGUE if entry.domain == 1), key=lambda entry: entry.rank)
    best, worst = by_rank[0].asin, by_rank[-1].asin
    assert units[best] > 3 * units[worst]


def test_an_order_changes_over_the_days_and_the_past_stays() -> None:
    kinds: Counter[tuple[str, ...]] = Counter()
    for number in range(30):
        for order in placed_on(7, date(2026, 8, 1) + timedelta(days=number)):
            kinds[tuple(state.status for state in order.states)] += 1
            assert [s.at for s in order.states] == sorted({s.at for s in order.states})
            for state in order.states:
                sums = [a + b for a, b in zip(state.shipped, state.cancelled, strict=True)]
                assert all(n <= line.units for n, line in zip(sums, order.lines, strict=True))
    assert set(kinds) == {
        ("PENDING", "UNSHIPPED", "SHIPPED"), ("PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED"),
        ("PENDING", "CANCELLED"), ("PENDING", "UNSHIPPED", "CANCELLED"), ("UNSHIPPED", "SHIPPED"),
    }  # fmt: skip
    first, last = datetime(2026, 8, 10), datetime(2026, 8, 10, 23, 59, 59)
    at_the_end = {o.order_id: s for o, s in updated_between(7, first, last, last)}
    later = {o.order_id: s for o, s in updated_between(7, first, last, last + timedelta(days=5))}
    assert later.items() <= at_the_end.items()
    assert len(later) < len(at_the_end)


def test_another_seed_is_another_world_and_the_same_seed_the_same() -> None:
    assert placed_on(7, DAY) == placed_on.__wrapped__(7, DAY) != placed_on(8, DAY)


@pytest.mark.parametrize("country", ["US", "DE", "JP"])
def test_amounts_add_up_and_have_the_digits_of_their_currency(country: str) -> None:
    digits = {product.country: product.digits for product in products()}[country]
    taxed = 0
    for number in range(20):
        for order in placed_on(7, date(2026, 8, 1) + timedelta(days=number)):
            for line in order.lines if order.marketplace.country == country else ():
                parts = (line.price, line.discount, line.shipping, line.tax, line.shipping_tax)
                assert all(part == round(part, digits) for part in parts)
                assert line.total == line.price - line.discount + line.shipping + line.tax + line.shipping_tax
                taxed += line.tax > 0
    assert (taxed > 0) == (country == "US")


def test_a_pending_order_has_no_price(amazon: Amazon) -> None:
    found = amazon.get(NEWEST, **EVERYTHING).json()["orders"]
    pending = [each for each in found if each["fulfillment"]["fulfillmentStatus"] == "PENDING"]
    assert pending
    assert not [each for each in pending if "proceeds" in each or "price" in each["orderItems"][0]["product"]]
    priced = [each for each in found if each not in pending]
    for each in priced:
        whole = sum(Decimal(i["proceeds"]["proceedsTotal"]["amount"]) for i in each["orderItems"])
        assert Decimal(each["proceeds"]["grandTotal"]["amount"]) == whole


def test_nothing_of_a_person_is_in_what_does_not_request_it(amazon: Amazon) -> None:
    asked = {**WINDOW, "includedData": "PROCEEDS,FULFILLMENT"}
    assert "Robin Sandbox" not in amazon.get(NEWEST, **asked).text
    assert "Robin Sandbox" in amazon.get(NEWEST, **EVERYTHING).text
    assert "Robin Sandbox" not in amazon.get(V0, **WINDOW_V0).text


def test_pages_have_every_order_once(amazon: Amazon) -> None:
    whole = [each["orderId"] for each in amazon.get(NEWEST, **WINDOW).json()["orders"]]
    found, token = [], {}
    while True:
        body = amazon.get(NEWEST, **WINDOW, maxResultsPerPage="5", **token).json()
        found += [each["orderId"] for each in body["orders"]]
        if "pagination" not in body:
            break
        token = {"paginationToken": body["pagination"]["nextToken"]}
    assert found == whole
    assert len(set(whole)) == len(whole) > 10


@pytest.mark.parametrize(
    "query",
    [
        {}, {**WINDOW, "createdAfter": "2026-10-01T00:00:00Z"}, {"lastUpdatedAfter": "yesterday"},
        {**WINDOW, "lastUpdatedBefore": "2026-09-01T00:00:00Z"}, {**WINDOW, "includedData": "SECRETS"},
        {**WINDOW, "maxResultsPerPage": "101"}, {**WINDOW, "paginationToken": "no-token"},
    ],
)  # fmt: skip
def test_a_request_that_amazon_refuses_is_refused(amazon: Amazon, query: dict[str, str]) -> None:
    response = amazon.get(NEWEST, **query)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "InvalidInput")


def test_the_end_of_a_window_must_be_past() -> None:
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        amazon = Amazon(sandbox, None)
        ahead = datetime.now().astimezone() + timedelta(hours=1)
        response = amazon.get(NEWEST, lastUpdatedAfter="2026-10-01T00:00:00Z", lastUpdatedBefore=ahead.isoformat())
        assert "two minutes before" in response.json()["errors"][0]["message"]


def test_tokens_are_needed_and_end() -> None:
    with Sandbox({"sp_api": SpApi(token_seconds=0)}) as sandbox:
        amazon = Amazon(sandbox)
        assert "expired" in amazon.get(NEWEST, **WINDOW).json()["errors"][0]["details"]
        amazon.token = ""
        response = amazon.get(NEWEST, **WINDOW)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "Unauthorized")
        amazon.token = "Atza|made up"
        assert "invalid" in amazon.get(NEWEST, **WINDOW).json()["errors"][0]["details"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [({"grant_type": "password"}, 400, "unsupported_grant_type"),
     ({"client_id": UNKNOWN_CLIENT}, 401, "invalid_client"),
     ({"refresh_token": REVOKED}, 400, "invalid_grant"), ({"client_secret": ""}, 401, "invalid_client")],
)  # fmt: skip
def test_login_with_amazon_refuses(amazon: Amazon, form: dict[str, str], status: int, error: str) -> None:
    response = requests.post(f"{amazon.url}/auth/o2/token", data={**LOGIN, **form}, timeout=30)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_the_rate_of_an_operation() -> None:
    now = [0.0]
    buckets = Buckets(AMAZON_RATES, clock=lambda: now[0])
    assert [buckets.take("searchOrders") for _ in range(21)] == [True] * 20 + [False]
    assert buckets.take("getOrderItems")  # each operation has its own
    now[0] = 179
    assert buckets.take("searchOrders")
    assert not buckets.take("searchOrders")
    with Sandbox({"sp_api": SpApi(rates={"searchOrders": Rate(0.5, 1)})}) as sandbox:
        amazon = Amazon(sandbox)
        assert amazon.get(NEWEST, **WINDOW).status_code == 200
        refused = amazon.get(NEWEST, **WINDOW)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "QuotaExceeded")
    assert refused.headers["x-amzn-RateLimit-Limit"] == "0.5"
    assert refused.headers["x-amzn-RequestId"]


def test_other_paths_and_methods(amazon: Amazon) -> None:
    assert amazon.get("/orders/v2/orders").status_code == 404
    assert amazon.get("/auth/o2/token").status_code == 405
    assert requests.post(f"{amazon.url}{NEWEST}", timeout=30).status_code == 405
    assert amazon.get(f"{V0}/902-0000000-0000000/orderItems").status_code == 400
