"""What the settings of every source have.

Here: the bases of the class `…Settings` in each source's folder. Not here: reading variables
(`vp_pipeline/settings.py`, which collects the classes from the registry).
"""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from vp_pipeline.secret_references import known_values
from vp_pipeline.variables import OfOne, OrUnset, ProjectPath


class SourceSettings(BaseModel):
    """The settings of one source. Of the source `s` the field `x` is the variable `VP_S_X`, or what the field names
    itself (`json_schema_extra`), where `{SOURCE}` is the source's name in upper case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # The field without which production cannot ingest it.
    NEEDED: ClassVar[str]

    @property
    def is_connected(self) -> bool:
        """Whether production has what it needs to ingest it."""
        return getattr(self, self.NEEDED) is not None

    @property
    def is_configured(self) -> bool:
        """Whether somebody has named where its data come from."""
        return self.is_connected

    @property
    def credentials(self) -> tuple[SecretStr, ...]:
        """The secrets that are set; nothing is looked up."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value for value in values if isinstance(value, SecretStr))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values, for redaction: see `known_values`."""
        return tuple(known_values(self.credentials))

    def without_secrets(self) -> Self:
        """The same with masks in place of its secrets: for what describes a configuration and does not sign in."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        masked = {name: SecretStr("***") for name, value in named.items() if isinstance(value, SecretStr)}
        return self.model_copy(update=masked)


class ConnectorSettings(SourceSettings):
    """The settings of a source that Airbyte syncs."""

    NEEDED = "airbyte_connection"

    url: HttpUrl
    recordings: OrUnset[ProjectPath] = Field(
        default=None, description="A folder of recorded responses, which the sandbox then serves."
    )
    airbyte_connection: OfOne[str] = Field(
        default=None,
        json_schema_extra={"variable": "VP_AIRBYTE_CONNECTION_{SOURCE}"},
        description="In production: the ID of the Airbyte connection that syncs it.",
    )

    @property
    def base_url(self) -> str:
        """The address of the vendor's API."""
        return str(self.url).rstrip("/")

    @property
    def uses_vendor(self) -> bool:
        """Whether requests go to the vendor, and not to the sandbox: there is a key, and no recordings."""
        return bool(self.credentials) and self.recordings is None

    @property
    def is_configured(self) -> bool:
        """Also by a key, or recordings."""
        return self.uses_vendor or self.recordings is not None or self.is_connected
