"""Orders made by hand, and syncs of the connector into a lake."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.lake import bronze, silver
from vp_pipeline.lake.manifests import BronzeManifest, SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.sp_api.decode import decode
from vp_pipeline.sources.sp_api.source import ORDERS, SP_API

DAY = date(2026, 10, 1)
NOW = 1_795_250_000_000  # unix milliseconds, in November 2026
MARKETPLACES = ["ATVPDKIKX0DER", "A1F83G8C2ARO7P", "A1PA6795UKMFR9", "A1VC38T7YXB528"]
SECRETS = {"client_id": "cl1ent-id", "client_secret": "cl1ent-s3cret", "refresh_token": "Atzr|r3fresh"}
VERSIONS = ("2026-01-01", "v0")


def money(amount: Any, currency: str = "USD") -> dict[str, Any]:
    return {"amount": amount, "currencyCode": currency}


def breakdown(kind: str, amount: Any, currency: str = "USD", **details: Any) -> dict[str, Any]:
    parts = [{"subtype": subtype, "value": money(value, currency)} for subtype, value in details.items()]
    return {"type": kind, "subtotal": money(amount, currency), **({"detailedBreakdowns": parts} if parts else {})}


def item(*breakdowns: Any, total: Any = None, currency: str = "USD", **fields: Any) -> dict[str, Any]:
    proceeds = {"breakdowns": list(breakdowns), **({"proceedsTotal": money(total, currency)} if total else {})}
    return {
        "orderItemId": "12345678901234",
        "quantityOrdered": 1,
        "product": {"asin": "B000000001", "sellerSku": "SKU-1"},
        "proceeds": proceeds,
        "fulfillment": {"quantityFulfilled": 1, "quantityUnfulfilled": 0},
        **fields,
    }


def order(*items: Any, status: str = "SHIPPED", **fields: Any) -> dict[str, Any]:
    return {
        "orderId": "902-1234567-1234567",
        "createdTime": "2026-09-30T10:00:00Z",
        "lastUpdatedTime": "2026-10-01T11:00:00Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "ATVPDKIKX0DER"},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "AMAZON"},
        "orderItems": list(items),
        **fields,
    }


def order_v0(status: str = "Shipped", **fields: Any) -> dict[str, Any]:
    return {
        "AmazonOrderId": "902-1234567-1234567",
        "PurchaseDate": "2026-09-30T10:00:00Z",
        "LastUpdateDate": "2026-10-01T11:00:00Z",
        "OrderStatus": status,
        "FulfillmentChannel": "AFN",
        "MarketplaceId": "ATVPDKIKX0DER",
        **fields,
    }


def item_v0(**fields: Any) -> dict[str, Any]:
    return {"OrderItemId": "12345678901234", "ASIN": "B000000001", "QuantityOrdered": 1, **fields}


def landed(found: Any, items: Any = None, line: int = 1, extracted: Any = NOW, **fields: Any) -> LandedLine:
    """A landed line of one order; with `items` it is of v0."""
    data = {"api_version": "2026-01-01", "day": DAY.isoformat(), "order": found, "unknown": []}
    if items is not None:
        data |= {"api_version": "v0", "items": items}
    record = {"_airbyte_extracted_at": extracted, "_airbyte_meta": {"changes": []}, "_airbyte_data": {**data, **fields}}
    return LandedLine("a.jsonl.gz", line, json.dumps(record).encode())


def decoded(*lines: LandedLine) -> dict[str, Decoded]:
    """Lines, decoded; every table's records add up."""
    result = decode(lines)
    assert {name: table.unaccounted for name, table in result.items()} == dict.fromkeys(result, 0)
    return result


def connection(url: str, manifest: Path = SP_API.manifest, **config: object) -> AirbyteConnection:
    everything = {
        **SECRETS, "marketplaces": MARKETPLACES, "base_url": url, "token_url": f"{url}/auth/o2/token",
        "day": DAY.isoformat(), **config,
    }  # fmt: skip
    return AirbyteConnection("sp_api", "order", manifest, everything, tuple(SECRETS.values()))


def sync(lake: Lake, url: str, **config: Any) -> SyncJob:
    return ConnectorRunner(lake, log=config.pop("log", None)).sync(connection(url, **config))


def to_silver(lake: Lake, job: SyncJob, day: date = DAY, *, recorded: bool = False) -> dict[str, Decoded]:
    """A finished sync as bronze and silver of the day."""
    record = SyncRecord(
        source="sp_api", stream="order", run_date=day, job_id=job.job_id, origin="test", fingerprint="f",
        started_at=job.started_at, ended_at=datetime.now(UTC), records=job.records, bytes=job.bytes,
        objects=job.objects, request=None, refused={}, recorded=recorded,
    )  # fmt: skip
    lake.write(bronze.sync_path(ORDERS, day), record.to_bytes())
    manifest: BronzeManifest = bronze.land(lake, ORDERS, day)
    tables = ORDERS.decode(bronze.lines_of(lake, manifest), bronze.not_before(ORDERS, record))
    for table in tables.values():
        silver.write(lake, table, day, bronze=manifest.digest, decoder=ORDERS.code.own)
    return dict(tables)


def rows(table: Decoded) -> list[dict[str, Any]]:
    assert not table.quarantined, table.quarantined[:3]
    found: list[dict[str, Any]] = table.rows.to_pylist()
    return found


def records(lake: Lake, job: SyncJob) -> list[Mapping[str, Any]]:
    """What a sync landed, without Airbyte's envelope."""
    import gzip

    lines = [line for path in job.objects for line in gzip.decompress(lake.read(path)).splitlines()]
    return [json.loads(line)["_airbyte_data"] for line in lines]
