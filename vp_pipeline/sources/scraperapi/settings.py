"""ScraperAPI's settings: the key, and which product pages are requested."""

import re

from pydantic import Field, HttpUrl, SecretStr, field_validator

from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES
from vp_pipeline.sources.source_settings import ConnectorSettings
from vp_pipeline.variables import Listed, OrUnset

_PRODUCT = re.compile(rf"(?:{'|'.join(MARKETPLACES)}):[A-Z0-9]{{10}}")


class ScraperApiSettings(ConnectorSettings):
    """Off until there is a key, recordings or a connection, unless VP_SOURCES names it: then it reads the sandbox."""

    api_key: OrUnset[SecretStr] = Field(
        default=None,
        json_schema_extra={"variable": "SCRAPERAPI_API_KEY"},
        description="With a key the source is on, and requests go to the real ScraperAPI, for the newest finished day "
        "only; without one it is off, unless VP_SOURCES names it: then it reads the sandbox. Real and generated pages "
        "must not mix: set VP_DATA_DIR to another folder along with it.",
    )
    url: HttpUrl = Field(
        default=HttpUrl("https://api.scraperapi.com"),
        description="The address of ScraperAPI, used when a key is set.",
    )
    products: Listed[str] = Field(
        default=(),
        description="Product pages to request, separated by commas: COUNTRY:ASIN, such as US:B0D4M48BM2. Each costs "
        "credits every day. Empty: the sandbox's catalogue.",
    )

    @field_validator("products")
    @classmethod
    def _are_products(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for product in value:
            if not _PRODUCT.fullmatch(product):
                raise ValueError(
                    f"{product} is not a valid product: write COUNTRY:ASIN in upper case, such as US:B0D4M48BM2, with "
                    f"one of {', '.join(MARKETPLACES)}"
                )
        return tuple(dict.fromkeys(value))
