"""The settings of runs; of services: Slack, Power BI and the export; what production runs on.

Here: names, types, defaults, and what must be set. Not here: the settings of the pipeline itself (`settings.py`), and
AWS's own variables: keys, profile and region come by AWS's usual chain.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, SecretStr, field_validator, model_validator

from vp_pipeline.variables import PRODUCTION, Named, OfOne, OrUnset, ProjectPath, deployment_name

_LAKE_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[\w./-]*)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


# Settings of one service: all of them are set, or none.
_TOGETHER = (
    ("slack_token", "slack_channel"),
    (
        "power_bi_tenant_id",
        "power_bi_client_id",
        "power_bi_client_secret",
        "power_bi_workspace_id",
        "power_bi_dataset_id",
    ),
)


class RunSettings(BaseModel):
    """How runs do what they do, what repeats, and what is kept; `Settings` adds these to its own."""

    dbt_executable: OrUnset[ProjectPath] = Field(
        default=None,
        description="Another dbt to run the project with: a program, such as `.dbt/bin/dbt` of a virtual environment "
        "of its own, or a script that runs a container. Unset: dbt runs in the pipeline's own process, which is "
        "faster. A relative path is under the project root.",
    )
    on_code_change: Literal["restate", "refuse"] | None = Field(
        default=None,
        description="What a run does when the code of a model or decoder differs from what made its rows: `restate` "
        "(default locally) rebuilds what differs and everything below it; `refuse` (default in production) stops "
        "before it touches a table, until `vp plan --apply`.",
    )
    start_date: date | None = Field(
        default=None,
        description="The first daily partition (UTC), as YYYY-MM-DD. Default in production: 2025-01-01. Locally: the "
        "oldest day that the lake holds, or the newest finished one, so that the UI lists no day as missing that "
        "nobody has asked for; `vp run` takes any day since 2025-01-01, and *Reload definitions* in the UI shows it.",
    )
    ui_url: HttpUrl = Field(
        default=HttpUrl("http://localhost:3000"), description="The address of Dagster's UI: messages link to its runs."
    )
    alert_repeat_hours: float = Field(
        default=6, ge=0, description="Hours in which the same cause is notified once; repeats are counted."
    )
    late_data_days: int = Field(
        default=7, ge=1, le=90, description="Days that the weekly schedule syncs again, of `window` streams."
    )
    keep_runs_days: int = Field(
        default=90, ge=1, description="Age at which Dagster's finished runs are eligible for deletion."
    )
    keep_superseded_days: int = Field(
        default=90,
        ge=1,
        description="Age at which superseded manifests, and landed objects that none lists, are eligible for deletion.",
    )
    keep_messages_days: int = Field(
        default=90, ge=1, description="Age at which delivered messages are eligible for deletion."
    )


class DeliverySettings(BaseModel):
    """Where what is published goes; `Settings` adds these to its own."""

    slack_token: OrUnset[SecretStr] = Field(
        default=None,
        description="Slack: a bot token (chat:write; with channels:history a message that may have been sent is looked "
        "up before it is sent again). Without it messages stay in the log and in `outbox/slack.jsonl` of the data "
        "folder.",
    )
    slack_channel: OfOne[str] = Field(default=None, description="The channel's id, such as C0123456789.")
    slack_api_url: HttpUrl = Field(default=HttpUrl("https://slack.com/api/"), description="The address of Slack's API.")
    power_bi_tenant_id: OfOne[str] = Field(
        default=None,
        description="Power BI: the tenant, in Microsoft Entra, of the service principal that refreshes the semantic "
        "model after each publication. All five, or none.",
    )
    power_bi_client_id: OfOne[str] = Field(default=None, description="The service principal's application id.")
    power_bi_client_secret: OrUnset[SecretStr] = Field(default=None, description="The service principal's secret.")
    power_bi_workspace_id: OfOne[str] = Field(default=None, description="Workspace (group) of the semantic model.")
    power_bi_dataset_id: OfOne[str] = Field(default=None, description="The semantic model (dataset).")
    power_bi_api_url: HttpUrl = Field(
        default=HttpUrl("https://api.powerbi.com/v1.0/myorg"), description="The address of the Power BI REST API."
    )
    power_bi_login_url: HttpUrl = Field(
        default=HttpUrl("https://login.microsoftonline.com"),
        description="The address at which Microsoft Entra issues tokens.",
    )
    power_bi_timeout_seconds: float = Field(
        default=3600, gt=0, description="How long one run waits for a refresh; a later one attaches to it."
    )
    export_mart: OrUnset[str] = Field(
        default=None,
        description="The mart whose changed rows are exported to the lake (`change_exports/`). "
        "Unset: that of the first source that is on.",
    )
    export_url: OfOne[HttpUrl] = Field(
        default=None, description="Where exported rows are posted. Without it they are written to the lake only."
    )
    export_token: OrUnset[SecretStr] = Field(default=None, description="Bearer token for VP_EXPORT_URL.")
    postgres_url: OrUnset[SecretStr] = Field(
        default=None,
        description="PostgreSQL: where each publication is copied to, as postgresql://user:password@host/database. "
        "Without it there is no such copy.",
    )
    postgres_schema: Named[str] = Field(default="veracitypro", description="The copy's schema; nothing else is in it.")
    postgres_reader_role: OfOne[str] = Field(
        default=None, description="A role of PostgreSQL that may read each copy, beside its owner."
    )
    openlineage_url: OfOne[HttpUrl] = Field(
        default=None, description="Where OpenLineage events of runs are posted, such as https://host/api/v1/lineage."
    )
    openlineage_token: OrUnset[SecretStr] = Field(default=None, description="Bearer token for VP_OPENLINEAGE_URL.")
    export_batch_rows: int = Field(default=500, ge=1, le=10_000, description="Rows in one request to VP_EXPORT_URL.")

    @field_validator("export_mart")
    @classmethod
    def _is_a_mart(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[a-z][a-z0-9_]*", value):
            raise ValueError(f"{value} is not a valid mart name: lower case letters, digits and underscores")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        """A service is configured as a whole or not at all: half of it would fail at night, or look disabled."""
        for group in _TOGETHER:
            missing = [f"VP_{name.upper()}" for name in group if getattr(self, name) is None]
            if missing and len(missing) < len(group):
                named = ", ".join(f"VP_{name.upper()}" for name in group)
                raise ValueError(f"{', '.join(missing)} is not set, and {named} go together")
        for service in ("export", "openlineage"):
            if getattr(self, f"{service}_token") is not None and getattr(self, f"{service}_url") is None:
                raise ValueError(f"VP_{service.upper()}_TOKEN is set without VP_{service.upper()}_URL")
        return self


class ProductionSettings(BaseModel):
    """Where production's resources are and how to sign in; `Settings` adds these to its own."""

    deployment: Annotated[str, AfterValidator(deployment_name)] = Field(
        default=PRODUCTION,
        description="`production`, `staging`, or a name for a branch. In all but production names of databases, roles, "
        "warehouses and folders end with it; secrets, accounts, workspaces and channels are read from variables that "
        "end with it, such as VP_SLACK_CHANNEL__STAGING, and from no other (docs/production.md).",
    )
    lake_url: Named[str | None] = Field(
        default=None,
        description="The lake: `s3://bucket` or `s3://bucket/folder`. Keys, role and region come by AWS's usual chain "
        "(AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID, the machine's role).",
    )
    s3_endpoint_url: OrUnset[HttpUrl] = Field(
        default=None, description="The address of S3, if it is not AWS's own (an emulator, MinIO, a VPC endpoint)."
    )
    s3_sse: OrUnset[Literal["AES256", "aws:kms"]] = Field(
        default=None,
        description="Server-side encryption of what the pipeline writes. Empty: the bucket's own, for which "
        "Terraform makes a KMS key; AES256 would leave that key aside.",
    )
    s3_kms_key: OfOne[str] = Field(default=None, description="ID or ARN of a KMS key, with VP_S3_SSE=aws:kms.")
    airbyte_api_url: HttpUrl = Field(
        default=HttpUrl("https://api.airbyte.com/v1"),
        description="Airbyte's API. Self-managed: `https://<host>/api/public/v1`.",
    )
    airbyte_configuration_api_url: HttpUrl = Field(
        default=HttpUrl("https://cloud.airbyte.com/api/v1"),
        description="Airbyte's configuration API. Self-managed: `https://<host>/api/v1`.",
    )
    airbyte_client_id: OrUnset[SecretStr] = Field(
        default=None, description="Client ID of an Airbyte application (User settings > Applications)."
    )
    airbyte_client_secret: OrUnset[SecretStr] = Field(default=None, description="Its client secret.")
    airbyte_workspace_id: OfOne[str] = Field(default=None, description="The Airbyte workspace.")
    airbyte_s3_access_key_id: OrUnset[SecretStr] = Field(
        default=None,
        description="Access key with which Airbyte's destination writes bronze, for `vp deploy airbyte` where Airbyte "
        "cannot take on a role (docs/production.md).",
    )
    airbyte_s3_secret_access_key: OrUnset[SecretStr] = Field(default=None, description="Its secret.")
    airbyte_poll_seconds: float = Field(
        default=10, gt=0, description="Seconds between two requests for the state of a running sync."
    )
    airbyte_deadline_seconds: float = Field(
        default=10_800, gt=0, description="Seconds after which a run stops waiting for a sync; the sync keeps running."
    )
    snowflake_account: str | None = Field(default=None, description="The account identifier: `organisation-account`.")
    snowflake_user: OfOne[str] = Field(default=None, description="The user that loads and transforms.")
    snowflake_private_key_path: OfOne[ProjectPath] = Field(
        default=None, description="Its private key (PEM, PKCS#8). A relative path is under the project root."
    )
    snowflake_private_key_passphrase: OrUnset[SecretStr] = Field(
        default=None, description="The passphrase of the private key, if it has one."
    )
    snowflake_password: OrUnset[SecretStr] = Field(default=None, description="A password instead of a key.")
    snowflake_role: Named[str] = Field(default="VP_PIPELINE", description="The role of the session.")
    snowflake_reader_role: Named[str] = Field(
        default="VP_READER",
        description="The role of those who read what is published: each publication is granted to it.",
    )
    snowflake_warehouse: Named[str] = Field(
        default="VP_LOAD", description="The warehouse that loads RAW and builds small models."
    )
    snowflake_warehouse_large: Named[str | None] = Field(
        default=None, description="The warehouse of the large models. Empty: VP_SNOWFLAKE_WAREHOUSE."
    )
    snowflake_database: Named[str] = Field(default="VERACITYPRO", description="The database.")
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
    snowflake_host: OrUnset[str] = Field(default=None, description="An emulator's host, instead of the account's own.")
    snowflake_port: int = Field(default=443, ge=1, le=65535, description="Its port.")
    snowflake_protocol: Literal["https", "http"] = Field(default="https", description="Its protocol.")

    @field_validator("lake_url")
    @classmethod
    def _is_a_bucket(cls, value: str | None) -> str | None:
        if value and not _LAKE_URL.fullmatch(value):
            raise ValueError(f"{value} is not a valid address on S3: write s3://bucket or s3://bucket/folder")
        return value.rstrip("/") if value else None

    @field_validator(
        *("snowflake_database", "snowflake_role", "snowflake_reader_role"),
        *("snowflake_warehouse", "snowflake_warehouse_large"),
    )
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        return _names(value, 1)

    @field_validator("snowflake_stage", "snowflake_file_format")
    @classmethod
    def _is_in_a_schema(cls, value: str) -> str:
        return _names(value, 2) or ""


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
        yield "s3_kms_key", "is set without VP_S3_SSE=aws:kms: set both, or no key"
    if "snowflake_user" in needed:
        yield from _sign_in_problems(settings.snowflake_private_key_path, settings.snowflake_password)


def _sign_in_problems(key: Path | None, password: SecretStr | None) -> Iterator[tuple[str, str]]:
    if key and password:
        yield "snowflake_password", "is set along with VP_SNOWFLAKE_PRIVATE_KEY_PATH: set one of them"
    if not key and not password:
        yield "snowflake_private_key_path", "is not set, nor is VP_SNOWFLAKE_PASSWORD: production needs one of them"
    if key and not key.is_file():
        yield "snowflake_private_key_path", f"cannot be used: there is no file {key}"
