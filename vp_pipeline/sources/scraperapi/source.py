"""ScraperAPI as a source: its stream, and its connector's configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.sources.scraperapi.settings import ScraperApiSettings
from vp_pipeline.sources.scraperapi.tables import TABLES
from vp_pipeline.sources.source import AirbyteSource, Entity, Origin, Stream, SyncRequest


def connector_config(settings: ScraperApiSettings, origin: Origin) -> dict[str, object]:
    """The configuration of `connector.yaml` (see its spec for what each means).

    Raises:
        PermanentError: no product is named.
    """
    products = tuple(dict.fromkeys(settings.products or origin.entities))
    if not products:
        raise PermanentError(
            "Requests go to the real ScraperAPI, but VP_SCRAPERAPI_PRODUCTS names no product page. Set it to products, "
            "separated by commas: COUNTRY:ASIN, such as US:B0D4M48BM2."
        )
    return {
        "api_key": settings.api_key.get_secret_value() if settings.api_key else "sandbox",
        "products": list(products),
        "base_url": origin.base_url,
    }


def request_of(config: Mapping[str, Any]) -> SyncRequest | None:
    """What a configuration of `connector.yaml` requests."""
    products = config.get("products")
    if not (isinstance(products, list) and products and all(isinstance(product, str) for product in products)):
        return None
    return SyncRequest(tuple(dict.fromkeys(products)), 1)


PRODUCT_PAGES = Stream(
    source="scraperapi",
    name="product_page",
    description="Amazon's product pages, as ScraperAPI reads them: price, availability, rating and seller.",
    replay="snapshot",
    tables=TABLES,
    decoder="vp_pipeline.sources.scraperapi.decode",
    inspection="vp_pipeline.sources.scraperapi.inspection",
    entity=Entity(("country", "asin"), "page_key"),
    lasting={"mart.mart_product_page_daily": ("country", "asin")},
)

SCRAPERAPI = AirbyteSource(
    name="scraperapi",
    description="ScraperAPI: Amazon's product pages.",
    manifest=Path(__file__).with_name("connector.yaml"),
    streams=(PRODUCT_PAGES,),
    settings=ScraperApiSettings,
    connector_config=connector_config,
    request_of=request_of,
    exported_mart="mart_product_page_daily",
    is_available=lambda settings: settings.is_configured,
)
