"""Keepa's settings: the key, and which products are requested."""

import re

from pydantic import Field, HttpUrl, SecretStr, field_validator

from vp_pipeline.sources.keepa.requests import ASIN, DOMAIN, WHOLE_HISTORY
from vp_pipeline.sources.keepa.series import DOMAINS
from vp_pipeline.sources.source_settings import ConnectorSettings
from vp_pipeline.variables import Listed, OrUnset

_PRODUCT = re.compile(rf"(?:{DOMAIN}:)?{ASIN}")


class KeepaSettings(ConnectorSettings):
    """With a key requests go to the real Keepa, for the newest finished day only; without one, to the sandbox."""

    api_key: OrUnset[SecretStr] = Field(
        default=None,
        json_schema_extra={"variable": "KEEPA_API_KEY"},
        description="With a key requests go to the real Keepa, for the newest finished day only; without one, to the "
        "sandbox. Real and generated products must not mix: set VP_DATA_DIR to another folder along with it.",
    )
    url: HttpUrl = Field(
        default=HttpUrl("https://api.keepa.com"), description="The address of Keepa's API, used when a key is set."
    )
    asins: Listed[str] = Field(
        default=(),
        description="Products to request, separated by commas: ASIN (in VP_KEEPA_DOMAIN) or DOMAIN:ASIN. One that is "
        "named twice is requested once. Empty: the sandbox's catalogue.",
    )
    domain: int = Field(
        default=1,
        description="Keepa's number of the marketplace for plain ASINs: 1 US, 2 GB, 3 DE, 4 FR, 5 JP, 6 CA, 8 IT, "
        "9 ES, 10 IN, 11 MX, 12 BR.",
    )
    days: int = Field(
        default=WHOLE_HISTORY,
        ge=1,
        le=WHOLE_HISTORY,
        description="Days of history to request for each product. Fewer than there are cost the same tokens, and leave "
        "out what is older: extremes and averages of before then cannot be compared with Keepa's own, which is a "
        "warning.",
    )

    full_every_days: int = Field(
        default=1,
        ge=1,
        description="How often each product's whole history is requested, in days: 1 is every day. With more, such as "
        "30, the days between request its history since its newest answer, which costs the same tokens and makes the "
        "same tables of less data.",
    )
    overlap_days: int = Field(
        default=2,
        ge=1,
        description="How many days before a product's newest answer are requested again: what Keepa adds late is there "
        "then.",
    )

    @field_validator("domain")
    @classmethod
    def _is_a_marketplace(cls, value: int) -> int:
        if value not in DOMAINS:
            raise ValueError(f"unknown marketplace {value}: Keepa has {', '.join(map(str, DOMAINS))}")
        return value

    @field_validator("asins")
    @classmethod
    def _are_products(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for product in value:
            if _PRODUCT.fullmatch(product.upper()) and not _PRODUCT.fullmatch(product):
                raise ValueError(f"{product} is not a valid product: ASINs are in upper case ({product.upper()})")
            if not _PRODUCT.fullmatch(product):
                raise ValueError(f"{product} is not a valid product: write ASIN or DOMAIN:ASIN, such as 5:B0D4M48BM2")
        return value
