"""Recorded answers of Amazon, over HTTP, through the connector into silver: every number is found again.

The real ones are other people's and no part of the project: where they are missing, their tests skip.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.api import SpApi
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.sources.landed import Decoded
from vp_pipeline_tests.sources.sp_api import count_orders
from vp_pipeline_tests.sources.sp_api.orders import DAY, VERSIONS, item, order, rows, sync, to_silver

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

REAL = PROJECT_ROOT.parent / "shared" / "data" / "sp_api"
# Every amount of an item.
MONEY = (
    "unit_price", "item_price", "item_tax", "shipping_price", "shipping_tax", "item_discount", "shipping_discount",
    "other_proceeds", "item_total",
)  # fmt: skip


@pytest.fixture
def real() -> Path:
    if not REAL.is_dir():
        pytest.skip(f"Amazon's sample pairs are not at {REAL}")
    return REAL


def silver_of(folder: Path, lake: Lake, version: str) -> dict[str, Decoded]:
    with Sandbox({"sp_api": SpApi(folder)}) as sandbox:
        job = sync(lake, sandbox.base_url("sp_api", DAY), api_version=version)
    return to_silver(lake, job, recorded=True)


def amounts(row: dict[str, Any]) -> dict[str, Decimal]:
    return {name: row[name] for name in MONEY if row[name] is not None}


def test_every_number_of_the_newest_api_is_found_again(real: Path, tmp_path: Path) -> None:
    found = silver_of(real, Lake(tmp_path), "2026-01-01")
    orders, items = count_orders.newest_orders(real), count_orders.newest_items(real)
    assert len(orders) == 8
    for row in rows(found["order"]):
        there = orders.pop(row["order_id"])
        total = there["proceeds"]["grandTotal"]
        assert (row["order_total"], row["currency"]) == (Decimal(total["amount"]), total["currencyCode"])
        assert row["order_status"] == there["fulfillment"]["fulfillmentStatus"]
        assert f"{row['purchased_at']:%Y-%m-%dT%H:%M:%SZ}" == there["createdTime"]
        assert f"{row['last_updated_at']:%Y-%m-%dT%H:%M:%SZ}" == there["lastUpdatedTime"]
    assert orders == {}
    for row in rows(found["order_item"]):
        own = (amounts(row), row["currency"], row["quantity_ordered"], row["quantity_shipped"])
        assert own == items.pop((row["order_id"], row["order_item_id"]))
    assert items == {}


def test_every_number_of_v0_is_found_again(real: Path, tmp_path: Path) -> None:
    found = silver_of(real, Lake(tmp_path), "v0")
    orders, items = count_orders.v0_orders(real), count_orders.v0_items(real)
    assert len(orders) == 5
    for row in rows(found["order"]):
        there = orders.pop(row["order_id"])
        total = there.get("OrderTotal")
        assert row["order_total"] == (None if total is None else Decimal(total["Amount"]))
        assert row["order_status"].replace("_", "") == there["OrderStatus"].upper()
    assert orders == {}
    for row in rows(found["order_item"]):
        assert (amounts(row), row["quantity_ordered"]) == items.pop((row["order_id"], row["order_item_id"]))
    assert items == {}


def test_what_of_the_real_answers_cannot_be_served_is_named(real: Path) -> None:
    left_out = SpApi(real).left_out
    assert any(line.startswith("sandbox_sales.json, case 0, is not a recorded answer with orders") for line in left_out)
    assert "The items of 701-3922379-8329033 cannot be served: no recording has the order." in left_out


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_answers_give_what_the_api_gave(tmp_path: Path, version: str) -> None:
    """Answers of the sandbox, recorded by hand: without anyone's recordings."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    api = SpApi()
    with Sandbox({"sp_api": api}) as sandbox:
        url = sandbox.base_url("sp_api", DAY)
        login = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "i", "client_secret": "s"}
        token = requests.post(f"{url}/auth/o2/token", data=login, timeout=30).json()["access_token"]

        def record(path: str, **query: str) -> Any:
            response = requests.get(url + path, params=query, headers={"x-amz-access-token": token}, timeout=30)
            (folder / f"{path.replace('/', '_')}.json").write_text(response.text)
            return response.json()

        if version == "v0":
            window = {"LastUpdatedAfter": f"{DAY}T00:00:00Z", "MarketplaceIds": ",".join(api.entities)}
            for each in record("/orders/v0/orders", **window)["payload"]["Orders"]:
                record(f"/orders/v0/orders/{each['AmazonOrderId']}/orderItems")
        else:
            record("/orders/2026-01-01/orders", lastUpdatedAfter=f"{DAY}T00:00:00Z",
                   includedData="BUYER,RECIPIENT,PROCEEDS,FULFILLMENT")  # fmt: skip
        lake = Lake(tmp_path / "generated")
        generated = to_silver(lake, sync(lake, url, api_version=version))
    recorded = silver_of(folder, Lake(tmp_path / "recorded"), version)
    for name, table in generated.items():
        assert rows(recorded[name]) == rows(table) != []


def test_a_folder_without_orders_names_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"payload": {"AmazonOrderId": "902-1234567-1234567"}}')
    (tmp_path / "b.json").write_text("[")
    (tmp_path / "c.json").write_text('{"cases": [{"status": "400", "response": {}}]}')
    with pytest.raises(
        PermanentError, match=r"no recorded orders.*a\.json .* neither orders nor items.*b\.json.*VP_SP"
    ):
        SpApi(tmp_path)
    (tmp_path / "d.json").write_text(json.dumps([{"order": order(item())}]))
    assert len(SpApi(tmp_path).left_out) == 2
