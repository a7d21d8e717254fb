"""The settings of Amazon's order API: the application's credentials, the region, and which marketplaces to request."""

from typing import Literal

from pydantic import Field, HttpUrl, SecretStr, model_validator

from vp_pipeline.sources.source_settings import ConnectorSettings
from vp_pipeline.sources.sp_api.marketplaces import ENDPOINTS, MARKETPLACES, Region, of_region
from vp_pipeline.variables import Listed, OrUnset


class SpApiSettings(ConnectorSettings):
    """With the three credentials requests go to Amazon; without one of them, to the sandbox."""

    client_id: OrUnset[SecretStr] = Field(
        default=None,
        description="The client ID of the application at Login with Amazon. With it, the client secret and the refresh "
        "token requests go to Amazon; without, to the sandbox. Real and generated orders must not mix: set VP_DATA_DIR "
        "to another folder along with them.",
    )
    client_secret: OrUnset[SecretStr] = Field(default=None, description="The client secret of the same application.")
    refresh_token: OrUnset[SecretStr] = Field(
        default=None, description="The refresh token that the seller's authorisation of the application gave."
    )
    region: Region = Field(
        default="na",
        description="The region of the seller's account: na (North America and Brazil), eu (Europe, the Middle East, "
        "Africa and India) or fe (Japan, Australia, Singapore).",
    )
    url: HttpUrl = Field(
        default=HttpUrl(ENDPOINTS["na"]),
        description="The address of the API, where it is not that of the region: Amazon's own sandbox, for example.",
    )
    token_url: HttpUrl = Field(
        default=HttpUrl("https://api.amazon.com/auth/o2/token"), description="The address of Login with Amazon."
    )
    marketplaces: Listed[str] = Field(
        default=(),
        description="Amazon's IDs of the marketplaces to request, separated by commas. Empty: all of the region; in "
        "the sandbox, all that it has.",
    )
    api_version: Literal["2026-01-01", "v0"] = Field(
        default="2026-01-01", description="The order API: 2026-01-01, or v0 where the application may use only that."
    )

    @model_validator(mode="after")
    def _can_be_requested(self) -> "SpApiSettings":
        given = [name for name in ("client_id", "client_secret", "refresh_token") if getattr(self, name) is not None]
        if 0 < len(given) < 3:
            raise ValueError(f"of client_id, client_secret and refresh_token only {' and '.join(given)} is set")
        for marketplace in self.marketplaces:
            if marketplace not in MARKETPLACES:
                raise ValueError(f"unknown marketplace {marketplace}: write Amazon's IDs, such as ATVPDKIKX0DER")
            if self.uses_vendor and marketplace not in of_region(self.region):
                raise ValueError(
                    f"{marketplace} ({MARKETPLACES[marketplace].country}) is not of the region {self.region}, but of "
                    f"{MARKETPLACES[marketplace].region}: a seller's account is of one region"
                )
        return self

    @property
    def base_url(self) -> str:
        """The address of the API: that of the region, unless another one is set."""
        return super().base_url if "url" in self.model_fields_set else ENDPOINTS[self.region]
