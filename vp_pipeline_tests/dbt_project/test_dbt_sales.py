"""Sales: Amazon's own answers come out of the marts to the cent, days are local ones, metrics equal the marts."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vp_pipeline.lake.objects import Lake
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.api import SpApi
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.sources.sp_api.marketplaces import MARKETPLACES
from vp_pipeline_tests.sources.sp_api import count_orders
from vp_pipeline_tests.sources.sp_api.orders import DAY, rows, sync, to_silver

REAL = PROJECT_ROOT.parent / "shared" / "data" / "sp_api"
MODELS = ("+fct_sales_daily", "dim_order_status")
# The columns of fct_order_item that have an amount as Amazon gives it; item_total is in none of v0.
AMOUNTS = (
    "item_price", "item_tax", "shipping_price", "shipping_tax", "item_discount", "shipping_discount", "other_proceeds",
    "item_total",
)  # fmt: skip


@pytest.fixture(scope="module")
def seeded(module_warehouse: Any) -> Any:
    module_warehouse.must("seed")
    return module_warehouse


def load_real(warehouse: Any, folder: Path, version: str) -> None:
    """Amazon's sample pairs through connector, bronze, silver and RAW into the models."""
    lake = Lake(folder)
    with Sandbox({"sp_api": SpApi(REAL)}) as sandbox:
        job = sync(lake, sandbox.base_url("sp_api", DAY), api_version=version)
    silver = to_silver(lake, job, recorded=True)
    for name in ("order", "order_item"):
        warehouse.load(name, DAY, rows(silver[name]))
    warehouse.must("run", "--select", *MODELS)


def found_amounts(warehouse: Any) -> dict[tuple[str, str], dict[str, Decimal]]:
    found = warehouse.rows(f"select order_id, order_item_id, {', '.join(AMOUNTS)} from mart.fct_order_item")
    return {
        row[:2]: {name: value for name, value in zip(AMOUNTS, row[2:], strict=True) if value is not None}
        for row in found
    }


@pytest.mark.skipif(not REAL.is_dir(), reason=f"Amazon's sample pairs are not at {REAL}")
def test_every_amount_of_the_newest_api_is_in_the_marts(seeded: Any, tmp_path: Path) -> None:
    load_real(seeded, tmp_path, "2026-01-01")
    orders, items = count_orders.newest_orders(REAL), count_orders.newest_items(REAL)
    assert len(orders) == 8
    amounts = {
        key: {name: value for name, value in item[0].items() if name != "unit_price"} for key, item in items.items()
    }
    assert found_amounts(seeded) == amounts
    # What each currency brings: all but a replacement, taxes taken out of the prices that include them. Amazon's own
    # totals tell which do.
    revenue: defaultdict[str, Decimal] = defaultdict(Decimal)
    for (number, _), (of_item, currency, *_) in items.items():
        assert orders[number]["fulfillment"]["fulfillmentStatus"] in ("SHIPPED", "UNSHIPPED")
        if orders[number].get("associatedOrders"):
            continue
        parts = [of_item.get(name, Decimal(0)) for name in ("item_price", "shipping_price")]
        taxes = [of_item.get(name, Decimal(0)) for name in ("item_tax", "shipping_tax")]
        is_included = of_item["item_total"] == sum(parts)
        assert is_included or of_item["item_total"] == sum(parts) + sum(taxes)
        revenue[currency] += parts[0] - (taxes[0] if is_included else 0)
    assert revenue.keys() == {"JPY", "GBP", "BRL", "USD", "TRY"}
    built = seeded.rows("select currency, sum(revenue) from mart.fct_sales_daily group by 1")
    assert {currency: total for currency, total in built if total} == revenue


@pytest.mark.skipif(not REAL.is_dir(), reason=f"Amazon's sample pairs are not at {REAL}")
def test_every_amount_of_v0_is_in_the_marts(seeded: Any, tmp_path: Path) -> None:
    load_real(seeded, tmp_path, "v0")
    items = count_orders.v0_items(REAL)
    assert found_amounts(seeded) == {key: amounts for key, (amounts, _) in items.items()}
    ((units,),) = seeded.rows("select sum(units_ordered) from mart.fct_sales_daily")
    assert units == sum(ordered for _, ordered in items.values())


def test_local_days_are_those_of_each_time_zone(seeded: Any) -> None:
    """Every marketplace, on the minutes around midnight, over two years: with each change of the clocks."""
    orders, items = [], []
    for number, marketplace in enumerate(MARKETPLACES.values()):
        zone = ZoneInfo(marketplace.time_zone)
        for back in range(0, 730, 3):
            midnight = datetime(2026, 11, 1, tzinfo=zone) - timedelta(days=back)
            for off in (-timedelta(minutes=1), timedelta(0)):
                at = (midnight.astimezone(UTC) + off).replace(tzinfo=None)
                order_id = f"902-{number:07d}-{len(orders):07d}"
                shared = {"order_id": order_id, "marketplace_id": marketplace.id, "order_status": "SHIPPED"}
                shared |= {"purchased_at": at, "last_updated_at": at, "snapshot_at": at}
                orders.append({**shared, "is_replacement": False, "api_version": "v0"})
                items.append({**shared, "order_item_id": "1", "asin": "B000000001", "quantity_ordered": 1})
    seeded.load("order", DAY, orders)
    seeded.load("order_item", DAY, items)
    seeded.must("run", "--select", *MODELS)
    found = seeded.rows("select marketplace_id, purchased_at, local_date, observed_date from mart.fct_order_item")
    assert len(found) == len(orders)
    for marketplace_id, at, local, utc in found:
        zone = ZoneInfo(MARKETPLACES[marketplace_id].time_zone)
        assert local == at.replace(tzinfo=UTC).astimezone(zone).date(), (marketplace_id, at)
        assert utc == at.date()
    assert {local - utc for *_, local, utc in found} == {timedelta(days=off) for off in (-1, 0, 1)}
