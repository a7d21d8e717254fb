"""Amazon SP-API as a source: its stream, and its connector's configuration."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from vp_pipeline.sources.source import AirbyteSource, Entity, Origin, Stream, SyncRequest
from vp_pipeline.sources.sp_api.marketplaces import of_region
from vp_pipeline.sources.sp_api.settings import SpApiSettings
from vp_pipeline.sources.sp_api.tables import TABLES


def connector_config(settings: SpApiSettings, origin: Origin) -> dict[str, object]:
    """The configuration of `connector.yaml` (see its spec for what each means)."""
    at_amazon = origin.base_url == settings.base_url
    return {
        "client_id": _secret(settings.client_id),
        "client_secret": _secret(settings.client_secret),
        "refresh_token": _secret(settings.refresh_token),
        "marketplaces": list(settings.marketplaces or origin.entities or of_region(settings.region)),
        "api_version": settings.api_version,
        "base_url": origin.base_url,
        # A stand-in has the login at its own address.
        "token_url": str(settings.token_url) if at_amazon else f"{origin.base_url}/auth/o2/token",
    }


def _secret(value: SecretStr | None) -> str:
    return "sandbox" if value is None else value.get_secret_value()


def of_day(day: date) -> Mapping[str, object]:
    """What the configuration has more to request a day."""
    return {"day": day.isoformat()}


def request_of(config: Mapping[str, Any]) -> SyncRequest | None:
    """What a configuration of `connector.yaml` requests: every order that was updated, so none by name."""
    return SyncRequest((), 1) if isinstance(config.get("marketplaces"), list) else None


ORDERS = Stream(
    source="sp_api",
    name="order",
    description="Amazon's orders of the seller with their items, by last update; without anything of the buyer.",
    replay="updated",
    tables=TABLES,
    decoder="vp_pipeline.sources.sp_api.decode",
    inspection="vp_pipeline.sources.sp_api.inspection",
    entity=Entity(("order_id",), "order_id"),
    lasting={"mart.fct_order_item": ("order_id",)},
)

SP_API = AirbyteSource(
    name="sp_api",
    description="Amazon SP-API: the seller's orders.",
    manifest=Path(__file__).with_name("connector.yaml"),
    streams=(ORDERS,),
    settings=SpApiSettings,
    connector_config=connector_config,
    request_of=request_of,
    exported_mart="fct_sales_daily",
    of_day=of_day,
    account="vp_pipeline.sources.sp_api.account",
    incidental=frozenset({"client_id", "client_secret", "refresh_token", "base_url", "token_url"}),
)
