"""The settings that only `VP_ENV=production` reads: the lake on S3, Airbyte and Snowflake.

Here: names, types, defaults, and what must be set. Not here: the settings of every environment (`settings.py`), and
AWS's own variables: keys, profile and region come by AWS's usual chain.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, HttpUrl, SecretStr, field_validator

_LAKE_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[\w./-]*)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class ProductionSettings(BaseModel):
    """Where production's resources are and how to sign in; `Settings` adds these to its own."""

    lake_url: str | None = Field(
        default=None, description="The lake in production: `s3://bucket` or `s3://bucket/folder`."
    )
    s3_endpoint_url: HttpUrl | None = Field(
        default=None, description="The address of S3, if it is not AWS's own (an emulator, MinIO, a VPC endpoint)."
    )
    s3_sse: Literal["AES256", "aws:kms"] = Field(
        default="AES256", description="Server-side encryption of what the pipeline writes."
    )
    s3_kms_key: str | None = Field(
        default=None, description="ID or ARN of the KMS key, with VP_S3_SSE=aws:kms. Empty: the bucket's own."
    )
    airbyte_api_url: HttpUrl = Field(
        default=HttpUrl("https://api.airbyte.com/v1"),
        description="Airbyte's API. Self-managed: `https://<host>/api/public/v1`.",
    )
    airbyte_configuration_api_url: HttpUrl = Field(
        default=HttpUrl("https://cloud.airbyte.com/api/v1"),
        description="Airbyte's configuration API. Self-managed: `https://<host>/api/v1`.",
    )
    airbyte_client_id: SecretStr | None = Field(default=None, description="Client ID of an Airbyte application.")
    airbyte_client_secret: SecretStr | None = Field(default=None, description="Its client secret.")
    airbyte_workspace_id: str | None = Field(default=None, description="The Airbyte workspace.")
    airbyte_connection_keepa: str | None = Field(default=None, description="ID of the connection that syncs Keepa.")
    airbyte_poll_seconds: float = Field(
        default=10, gt=0, description="Seconds between two requests for the state of a running sync."
    )
    airbyte_deadline_seconds: float = Field(
        default=10_800, gt=0, description="Seconds after which a run stops waiting for a sync; the sync keeps running."
    )
    snowflake_account: str | None = Field(default=None, description="The account identifier: `organisation-account`.")
    snowflake_user: str | None = Field(default=None, description="The user that loads and transforms.")
    snowflake_private_key_path: Path | None = Field(
        default=None, description="Its private key (PEM, PKCS#8). A relative path is under the project root."
    )
    snowflake_private_key_passphrase: SecretStr | None = Field(
        default=None, description="The passphrase of the private key, if it has one."
    )
    snowflake_password: SecretStr | None = Field(default=None, description="A password instead of a key.")
    snowflake_role: str = Field(default="VP_PIPELINE", description="The role of the session.")
    snowflake_warehouse: str = Field(
        default="VP_LOAD", description="The warehouse that loads RAW and builds small models."
    )
    snowflake_warehouse_large: str | None = Field(
        default=None, description="The warehouse of the large models. Empty: VP_SNOWFLAKE_WAREHOUSE."
    )
    snowflake_database: str = Field(default="VERACITYPRO", description="The database.")
    snowflake_stage: str = Field(
        default="raw.silver_stage", description="The external stage over the lake's `silver/`, as schema.name."
    )
    snowflake_file_format: str = Field(
        default="raw.silver_parquet", description="The file format of silver's Parquet, as schema.name."
    )
    snowflake_threads: int = Field(default=8, ge=1, le=64, description="Models that dbt builds at the same time.")
    snowflake_timeout_seconds: int = Field(
        default=600, ge=1, description="Seconds after which a request to Snowflake without a response times out."
    )
    snowflake_host: str | None = Field(default=None, description="An emulator's host, instead of the account's own.")
    snowflake_port: int = Field(default=443, ge=1, le=65535, description="Its port.")
    snowflake_protocol: Literal["https", "http"] = Field(default="https", description="Its protocol.")

    @field_validator("lake_url")
    @classmethod
    def _is_a_bucket(cls, value: str | None) -> str | None:
        if value and not _LAKE_URL.fullmatch(value):
            raise ValueError(f"{value} is not a valid address on S3: write s3://bucket or s3://bucket/folder")
        return value.rstrip("/") if value else None

    @field_validator("snowflake_database", "snowflake_role", "snowflake_warehouse", "snowflake_warehouse_large")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        return _names(value, 1)

    @field_validator("snowflake_stage", "snowflake_file_format")
    @classmethod
    def _is_in_a_schema(cls, value: str) -> str:
        return _names(value, 2) or ""

    @field_validator(
        "airbyte_client_id",
        "airbyte_client_secret",
        "snowflake_password",
        "snowflake_private_key_passphrase",
        "snowflake_private_key_path",
        "snowflake_host",
        "s3_endpoint_url",
        "s3_kms_key",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


def _names(value: str | None, parts: int) -> str | None:
    if not value:
        return None
    names = value.split(".")
    if len(names) != parts or not all(_NAME.fullmatch(name) for name in names):
        form = "schema.name" if parts == 2 else "a plain name"
        raise ValueError(f"{value} is not {form} of letters, digits and underscores")
    return value


# What production cannot run without, in the order in which it is checked.
NEEDED = (
    "lake_url",
    "airbyte_client_id",
    "airbyte_client_secret",
    "airbyte_workspace_id",
    "airbyte_connection_keepa",
    "snowflake_account",
    "snowflake_user",
)


def production_problems(settings: ProductionSettings, needed: Sequence[str] = NEEDED) -> Iterator[tuple[str, str]]:
    """The fields of `needed` that are not set or that contradict another, each with the reason."""
    for name in needed:
        if not getattr(settings, name):
            description = str(type(settings).model_fields[name].description)
            yield name, f"is not set, and production needs it: {description}"
    if settings.s3_kms_key and settings.s3_sse != "aws:kms":
        yield "s3_kms_key", "is set, but VP_S3_SSE is AES256: set VP_S3_SSE=aws:kms, or no key"
    if "snowflake_user" in needed:
        yield from _sign_in_problems(settings.snowflake_private_key_path, settings.snowflake_password)


def _sign_in_problems(key: Path | None, password: SecretStr | None) -> Iterator[tuple[str, str]]:
    if key and password:
        yield "snowflake_password", "is set along with VP_SNOWFLAKE_PRIVATE_KEY_PATH: set one of them"
    if not key and not password:
        yield "snowflake_private_key_path", "is not set, nor is VP_SNOWFLAKE_PASSWORD: production needs one of them"
    if key and not key.is_file():
        yield "snowflake_private_key_path", f"cannot be used: there is no file {key}"
