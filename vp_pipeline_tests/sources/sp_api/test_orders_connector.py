"""The connector of orders, run by Airbyte's own runtime against the sandbox and a scripted API over HTTP."""

import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from vp_pipeline.airbyte.connector_runner import ConnectorRunner
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.access import REVOKED, UNKNOWN_CLIENT, Rate
from vp_pipeline.sandbox.sp_api.api import SpApi
from vp_pipeline.sandbox.sp_api.orders import updated_between
from vp_pipeline.sources.sp_api.source import SP_API
from vp_pipeline_tests.scripted_api import serving
from vp_pipeline_tests.sources.sp_api.orders import (
    DAY,
    MARKETPLACES,
    SECRETS,
    VERSIONS,
    connection,
    item,
    item_v0,
    order,
    order_v0,
    records,
    rows,
    sync,
    to_silver,
)
from vp_pipeline_tests.sources.sp_api.scripted_amazon import TOKEN, ScriptedAmazon

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

ALL_OF_THEM = {"searchOrders": Rate(1000, 1000), "getOrders": Rate(1000, 1000), "getOrderItems": Rate(1000, 1000)}


@pytest.fixture
def amazon() -> Iterator[ScriptedAmazon]:
    with serving(ScriptedAmazon()) as server:
        yield server


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def quota(rate: str) -> tuple[int, object, dict[str, str]]:
    error = {"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource.", "details": ""}
    return 429, {"errors": [error]}, {"x-amzn-RateLimit-Limit": rate}


def test_a_request_is_of_the_day_and_asks_for_nothing_of_a_person(lake: Lake, amazon: ScriptedAmazon) -> None:
    job = sync(lake, amazon.url)
    assert (job.status, job.records, job.objects) == ("succeeded", 0, ())
    ((path, query, token),) = amazon.requests
    assert (path, token) == ("/orders/2026-01-01/orders", TOKEN)
    assert query == {
        "marketplaceIds": ",".join(MARKETPLACES),
        "lastUpdatedAfter": "2026-10-01T00:00:00Z",
        "lastUpdatedBefore": "2026-10-01T23:59:59.999Z",
        "includedData": "PROCEEDS,FULFILLMENT",
        "maxResultsPerPage": "100",
    }
    assert amazon.logins == [{"grant_type": "refresh_token", **SECRETS}]


def test_of_v0_the_items_of_each_order_are_requested(lake: Lake, amazon: ScriptedAmazon) -> None:
    other = order_v0(AmazonOrderId="902-0000000-0000001")
    amazon.will(
        {"payload": {"Orders": [order_v0()], "NextToken": "more"}},
        {"payload": {"Orders": [other]}},  # the runtime reads one order ahead
        {"payload": {"OrderItems": [item_v0()], "NextToken": "rest"}},
        {"payload": {"OrderItems": [item_v0(OrderItemId="2")]}},
        {"payload": {"OrderItems": []}},
    )
    job = sync(lake, amazon.url, api_version="v0")
    paths = [(path.removeprefix("/orders/v0/orders"), query.get("NextToken")) for path, query, _ in amazon.requests]
    first, second = "/902-1234567-1234567/orderItems", "/902-0000000-0000001/orderItems"
    assert paths == [("", None), ("", "more"), (first, None), (first, "rest"), (second, None)]
    assert amazon.requests[0][1]["LastUpdatedBefore"] == "2026-10-01T23:59:59.999Z"
    found = to_silver(lake, job)
    assert [row["order_item_id"] for row in rows(found["order_item"])] == ["12345678901234", "2"]
    assert [row["order_id"] for row in rows(found["order"])] == ["902-0000000-0000001", "902-1234567-1234567"]


def test_without_a_day_the_day_before_the_sync_is_requested(lake: Lake, amazon: ScriptedAmazon) -> None:
    """As in Airbyte, on a schedule of its own."""
    from vp_pipeline.partitions import newest_finished_day

    before = newest_finished_day()
    sync(lake, amazon.url, day="")
    assert amazon.requests[0][1]["lastUpdatedAfter"] in (f"{before}T00:00:00Z", f"{newest_finished_day()}T00:00:00Z")


def test_pages_are_followed_to_the_last(lake: Lake, amazon: ScriptedAmazon) -> None:
    amazon.will({"orders": [order(item())], "pagination": {"nextToken": "a+b/c=="}}, {"orders": [], "pagination": {}})
    assert sync(lake, amazon.url).records == 1
    assert [query.get("paginationToken") for _, query, _ in amazon.requests] == [None, "a+b/c=="]
    assert [query["lastUpdatedAfter"] for _, query, _ in amazon.requests] == ["2026-10-01T00:00:00Z"] * 2


def test_429_waits_for_the_rate_of_the_operation(lake: Lake, amazon: ScriptedAmazon) -> None:
    amazon.script = [quota("2")]
    job = sync(lake, amazon.url)
    assert 0.5 <= amazon.times[1] - amazon.times[0] < 10
    assert "429" in job.messages[0]
    amazon.script = [quota("0.0056")]
    with pytest.raises(TransientError, match=r"178\.57"):
        sync(lake, amazon.url, max_wait=60)


def test_the_sandbox_limits_the_rate_and_the_sync_ends_all_the_same(lake: Lake) -> None:
    """One request, and the next five seconds later: a page of twelve orders per request."""
    rates = {**ALL_OF_THEM, "searchOrders": Rate(0.2, 1)}
    with Sandbox({"sp_api": SpApi(rates=rates, per_page=12)}) as sandbox:
        job = sync(lake, sandbox.base_url("sp_api", DAY))
    assert job.records > 10
    assert any("429" in message for message in job.messages)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_access_token_is_renewed_within_a_long_sync(tmp_path: Path, lake: Lake, version: str) -> None:
    """Here tokens end after two seconds and are renewed after one; the rate makes the sync longer than that."""
    manifest = yaml.safe_load(SP_API.manifest.read_text())
    authenticator = manifest["definitions"]["authenticator"]
    assert authenticator["expiration_duration"] == "PT40M"
    authenticator["expiration_duration"] = "PT1S"
    quick = tmp_path / "connector.yaml"
    quick.write_text(yaml.safe_dump(manifest))
    slow = dict.fromkeys(ALL_OF_THEM, Rate(2, 1))
    api = SpApi(rates=slow, token_seconds=2, per_page=4)
    with Sandbox({"sp_api": api}) as sandbox:
        began = time.monotonic()
        url = sandbox.base_url("sp_api", DAY)
        requested = MARKETPLACES if version != "v0" else MARKETPLACES[3:]  # of v0 each order costs a request
        job = ConnectorRunner(lake).sync(connection(url, quick, api_version=version, marketplaces=requested))
        assert time.monotonic() - began > 2
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        whole = sync(Lake(tmp_path / "whole"), sandbox.base_url("sp_api", DAY), marketplaces=requested)
    assert job.records == whole.records > 0
    assert api.tokens.issued > 2


def test_a_token_that_ends_before_its_time_is_a_transient_failure(lake: Lake) -> None:
    api = SpApi(token_seconds=0)
    with Sandbox({"sp_api": api}) as sandbox, pytest.raises(TransientError, match="expired before its time"):
        sync(lake, sandbox.base_url("sp_api", DAY))


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"refresh_token": REVOKED}, "HTTP 400, invalid_grant"), ({"client_id": UNKNOWN_CLIENT}, "401, invalid_client")],
)
def test_credentials_that_are_rejected_are_named_and_not_shown(lake: Lake, wrong: dict[str, str], status: str) -> None:
    lines: list[str] = []
    with Sandbox({"sp_api": SpApi()}) as sandbox, pytest.raises(PermanentError, match=status) as caught:
        sync(lake, sandbox.base_url("sp_api", DAY), log=lines.append, **wrong)
    text = "\n".join([str(caught.value), *lines])
    assert "Check the client ID, the client secret and the refresh token" in text
    assert not [secret for secret in SECRETS.values() if secret in text]


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "Check the marketplaces"), (403, "Check the roles"), (404, "Check the address of the region"),
     (405, "does not document")],
)  # fmt: skip
def test_a_rejected_request_is_not_retried(lake: Lake, amazon: ScriptedAmazon, status: int, words: str) -> None:
    amazon.script = [(status, {"errors": [{"code": "InvalidInput", "message": "of a person"}]}, {})]
    with pytest.raises(PermanentError, match=words) as caught:
        sync(lake, amazon.url)
    assert "of a person" not in str(caught.value)
    assert len(amazon.requests) == 1


def test_500_is_retried_and_then_a_transient_failure(lake: Lake, amazon: ScriptedAmazon) -> None:
    amazon.script = [(500, b"", {}), (503, {"errors": []}, {})]
    assert sync(lake, amazon.url).status == "succeeded"
    assert len(amazon.requests) == 3
    amazon.script = [(500, b"", {})]
    with pytest.raises(TransientError, match="HTTP 500"):
        sync(lake, amazon.url, max_retries=0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"orders": null}', b'{"orders": "none"}'])
def test_a_body_without_orders_is_a_failure_and_not_no_record(lake: Lake, amazon: ScriptedAmazon, body: bytes) -> None:
    amazon.script = [(200, body, {})]
    with pytest.raises(TransientError, match="without orders or items"):
        sync(lake, amazon.url, max_retries=0)


def test_an_order_of_v0_without_its_number_is_a_failure_and_not_passed_over(lake: Lake, amazon: ScriptedAmazon) -> None:
    amazon.will({"payload": {"Orders": [{"OrderStatus": "Shipped"}]}})
    with pytest.raises(TransientError, match="without orders or items"):
        sync(lake, amazon.url, api_version="v0", max_retries=0)


@pytest.mark.parametrize("version", VERSIONS)
def test_names_that_amazon_does_not_document_are_reported(lake: Lake, amazon: ScriptedAmazon, version: str) -> None:
    if version == "v0":
        amazon.will({"payload": {"Orders": [order_v0(newThing=1)]}}, {"payload": {"OrderItems": [item_v0(other=2)]}})
    else:
        amazon.will({"orders": [order(item(other={}), newThing=[], buyer={"buyerName": "J"})]})
    ((record),) = records(lake, sync(lake, amazon.url, api_version=version))
    assert record["unknown"] == ["newThing", "other"]


def test_check_makes_one_small_request(lake: Lake, amazon: ScriptedAmazon) -> None:
    ConnectorRunner(lake).check(connection(amazon.url))
    assert [query["maxResultsPerPage"] for _, query, _ in amazon.requests] == ["1"]
    amazon.script = [(403, {"errors": [{"code": "Unauthorized"}]}, {})]
    with pytest.raises(PermanentError, match="HTTP 403, Unauthorized"):
        ConnectorRunner(lake).check(connection(amazon.url))


@pytest.mark.parametrize("wrong", [{"day": "yesterday"}, {"marketplaces": []}, {"api_version": "v1"}])
def test_a_config_that_breaks_the_spec_requests_nothing(
    lake: Lake, amazon: ScriptedAmazon, wrong: dict[str, Any]
) -> None:
    with pytest.raises(PermanentError, match="Config validation error"):
        sync(lake, amazon.url, **wrong)
    assert (amazon.requests, amazon.logins) == ([], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_days_of_the_sandbox_come_into_bronze_and_silver(lake: Lake, version: str) -> None:
    """Whenever each day is requested: the newest state of every order in the days is its state at their end."""
    days = [date(2026, 10, number) for number in range(1, 6)]
    newest: dict[str, dict[str, Any]] = {}
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        for day in days:
            job = sync(lake, sandbox.base_url("sp_api", day), day=day.isoformat(), api_version=version)
            for row in rows(to_silver(lake, job, day)["order"]):
                assert row["last_updated_at"].date() == day
                newest[row["order_id"]] = row
    end = datetime(2026, 10, 5, 23, 59, 59)
    truth = {o.order_id: (s.status, s.at) for o, s in updated_between(7, datetime(2026, 10, 1), end, end)}
    assert len(truth) > 50
    assert {number: (row["order_status"], row["last_updated_at"]) for number, row in newest.items()} == truth


@pytest.mark.parametrize("version", VERSIONS)
def test_a_past_day_requested_later_lacks_what_was_updated_again_and_nothing_else(lake: Lake, version: str) -> None:
    """As the real Amazon answers: what is missing is in a later day, in a newer state."""
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        at_once = sync(lake, sandbox.base_url("sp_api", DAY), api_version=version)
        first = {row["order_id"]: row for row in rows(to_silver(lake, at_once)["order"])}
        later = sync(lake, sandbox.base_url("sp_api", date(2026, 10, 9)), api_version=version)
        again = {row["order_id"]: row for row in rows(to_silver(lake, later)["order"])}
    assert 0 < len(again) < len(first)
    assert again.items() <= first.items()
    end = datetime(2026, 10, 9, 23, 59, 59)
    since = {o.order_id for o, _ in updated_between(7, datetime(2026, 10, 2), end, end)}
    assert first.keys() - again.keys() <= since


def test_both_versions_agree(tmp_path: Path) -> None:
    """On every column that both have."""
    found = []
    with Sandbox({"sp_api": SpApi()}) as sandbox:
        for version in VERSIONS:
            own = Lake(tmp_path / version)
            tables = to_silver(own, sync(own, sandbox.base_url("sp_api", DAY), api_version=version))
            found.append({name: rows(table) for name, table in tables.items()})
    only_newest = {"api_version", "unit_price", "item_total", "other_proceeds"}
    for name in ("order", "order_item"):
        for newest, v0 in zip(found[0][name], found[1][name], strict=True):
            for column in newest.keys() - only_newest:
                ours, other = newest[column], v0[column]
                # v0 writes what there is none of as 0, and knows cancelled units of some orders only.
                unknown = column == "quantity_cancelled" and other is None
                assert ours == other or unknown or (ours is None and other in (0, False)), (name, column, newest, v0)
