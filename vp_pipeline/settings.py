"""Typed settings from the environment.

Here: every variable that the project reads, with its default and meaning (`.env.example` lists the same).
Not here: anything that opens a file, a socket or a database: reading settings has no side effect.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import ConfigDict, Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator

from vp_pipeline import data_folder
from vp_pipeline.env_file import read_env_file, unknown_variables
from vp_pipeline.failures import PermanentError, listed
from vp_pipeline.production_settings import NEEDED, ProductionSettings, production_problems

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# Variables with our prefix that are not settings: the pipeline passes the warehouse's path to dbt.
NOT_SETTINGS = frozenset({"VP_WAREHOUSE_PATH"})

# Keepa's marketplaces by number; `sources/keepa/series.py` describes each.
_DOMAINS = (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)
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
_PRODUCT = re.compile(rf"(?:(?:{'|'.join(map(str, _DOMAINS))}):)?[A-Z0-9]{{10}}")


class SettingsError(PermanentError):
    """A variable is unknown or its value cannot be used; the message names the variable."""


class Settings(ProductionSettings):
    """All settings. Variables are `VP_<NAME>`, except those that a field names itself (`json_schema_extra`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Literal["local", "production"] = Field(
        default="local",
        description="Which resources the graph runs on: `local` (embedded Airbyte, a folder, DuckDB) or `production` "
        "(Airbyte, S3, Snowflake).",
    )
    on_code_change: Literal["restate", "refuse"] | None = Field(
        default=None,
        description="What a run does when the code of a model or decoder differs from what made its rows: `restate` "
        "(default locally) rebuilds what differs and everything below it; `refuse` (default in production) stops "
        "before it touches a table, until `vp plan --apply`.",
    )
    data_dir: Path = Field(
        default=PROJECT_ROOT / "data",
        description="Holds `lake/`, `warehouse.duckdb` and `published.duckdb`. "
        "A relative path is under the project root.",
    )
    start_date: date | None = Field(
        default=None, description="The first daily partition (UTC), as YYYY-MM-DD. Default: see .env.example."
    )
    keepa_api_key: SecretStr | None = Field(
        default=None,
        json_schema_extra={"variable": "KEEPA_API_KEY"},
        description="With a key requests go to the real Keepa; without one, to the sandbox.",
    )
    keepa_url: HttpUrl = Field(
        default=HttpUrl("https://api.keepa.com"), description="The address of Keepa's API, used when a key is set."
    )
    keepa_asins: tuple[str, ...] = Field(
        default=(),
        description="Products to request, separated by commas: `ASIN` (in VP_KEEPA_DOMAIN) or `DOMAIN:ASIN`. "
        "One that is named twice is requested once. Empty: the sandbox's catalogue.",
    )
    keepa_domain: int = Field(default=1, description="Keepa's number of the marketplace for plain ASINs.")
    keepa_days: int = Field(
        default=10_000,
        ge=1,
        le=10_000,
        description="Days of history to request for each product. Fewer than there are cost the same tokens and "
        "lead to extremes and averages that differ from Keepa's own: the reconciliation then blocks publishing.",
    )
    recordings: Path | None = Field(
        default=None, description="A folder of recorded Keepa responses, which the sandbox then serves."
    )
    sandbox_seed: int = Field(default=7, ge=0, description="Seed of the sandbox's products and histories.")
    ui_url: HttpUrl = Field(
        default=HttpUrl("http://localhost:3000"), description="The address of Dagster's UI: messages link to its runs."
    )
    slack_token: SecretStr | None = Field(
        default=None, description="A bot token. Without it messages stay in the log and in the local outbox."
    )
    slack_channel: str | None = Field(default=None, description="The channel's id, such as C0123456789; with a token.")
    slack_api_url: HttpUrl = Field(default=HttpUrl("https://slack.com/api/"), description="The address of Slack's API.")
    alert_repeat_hours: float = Field(
        default=6, ge=0, description="Hours in which the same cause is notified once; repeats are counted."
    )
    power_bi_tenant_id: str | None = Field(default=None, description="Microsoft Entra tenant of the service principal.")
    power_bi_client_id: str | None = Field(default=None, description="The service principal's application id.")
    power_bi_client_secret: SecretStr | None = Field(default=None, description="The service principal's secret.")
    power_bi_workspace_id: str | None = Field(default=None, description="Workspace (group) of the semantic model.")
    power_bi_dataset_id: str | None = Field(default=None, description="The semantic model (dataset).")
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
    export_mart: str = Field(default="mart_deals", description="The mart whose changed rows are exported.")
    export_url: HttpUrl | None = Field(
        default=None, description="Where exported rows are posted. Without it they are written to the lake only."
    )
    export_token: SecretStr | None = Field(default=None, description="Bearer token for VP_EXPORT_URL.")
    export_batch_rows: int = Field(default=500, ge=1, le=10_000, description="Rows in one request to VP_EXPORT_URL.")
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

    @field_validator("data_dir", "recordings", "snowflake_private_key_path")
    @classmethod
    def _under_the_root(cls, value: Path | None) -> Path | None:
        return None if value is None else (PROJECT_ROOT / value.expanduser()).resolve()

    @field_validator(
        "keepa_api_key",
        "recordings",
        "slack_token",
        "slack_channel",
        "power_bi_tenant_id",
        "power_bi_client_id",
        "power_bi_client_secret",
        "power_bi_workspace_id",
        "power_bi_dataset_id",
        "export_url",
        "export_token",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if value == "":
            raise ValueError("it is empty; name a folder, or remove the variable")
        return value

    @field_validator("keepa_asins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("keepa_domain")
    @classmethod
    def _is_a_marketplace(cls, value: int) -> int:
        if value not in _DOMAINS:
            raise ValueError(f"unknown marketplace {value}: Keepa has {', '.join(map(str, _DOMAINS))}")
        return value

    @field_validator("keepa_asins")
    @classmethod
    def _are_products(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for product in value:
            if _PRODUCT.fullmatch(product.upper()) and not _PRODUCT.fullmatch(product):
                raise ValueError(f"{product} is not a valid product: ASINs are in upper case ({product.upper()})")
            if not _PRODUCT.fullmatch(product):
                raise ValueError(f"{product} is not a valid product: write ASIN or DOMAIN:ASIN, such as 5:B0D4M48BM2")
        return value

    @field_validator("export_mart")
    @classmethod
    def _is_a_mart(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
            raise ValueError(f"{value} is not a valid mart name: lower case letters, digits and underscores")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        """A service is configured as a whole or not at all: half of it would fail at night, or look disabled."""
        for group in _TOGETHER:
            missing = [_variable(name) for name in group if getattr(self, name) is None]
            if missing and len(missing) < len(group):
                named = ", ".join(_variable(name) for name in group)
                raise ValueError(f"{', '.join(missing)} is not set, and {named} go together")
        if self.export_token is not None and self.export_url is None:
            raise ValueError("VP_EXPORT_TOKEN is set without VP_EXPORT_URL")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))

    @property
    def dbt_dir(self) -> Path:
        """The artefacts of dbt's commands."""
        return self.data_dir / data_folder.DBT

    @property
    def outbox_dir(self) -> Path:
        return self.data_dir / data_folder.OUTBOX

    @property
    def lake_dir(self) -> Path:
        return self.data_dir / data_folder.LAKE

    @property
    def engine(self) -> Literal["duckdb", "snowflake"]:
        """The warehouse's engine, and dbt's adapter."""
        return "duckdb" if self.env == "local" else "snowflake"

    @property
    def refuses_code_changes(self) -> bool:
        """Whether a run stops where the code differs from what made the rows, until a person applies the plan."""
        default = "restate" if self.env == "local" else "refuse"
        return (self.on_code_change or default) == "refuse"

    @property
    def warehouse_path(self) -> Path:
        return self.data_dir / data_folder.WAREHOUSE

    @property
    def published_path(self) -> Path:
        """The marts that consumers read."""
        return self.data_dir / data_folder.PUBLISHED


def load_settings(
    environ: Mapping[str, str] | None = None, *, needed: Sequence[str] | None = None, **overrides: object
) -> Settings:
    """Settings from `environ` (default: the `.env` in the project root, then the process environment).

    `needed`: fields that must be set, whatever VP_ENV is; default: all that production needs, in production. Fields in
    `overrides` win over both.

    Raises:
        SettingsError: names everything that is wrong: a line of `.env` that cannot be read, a variable with our prefix
            that is unknown, a value that is invalid, one that production lacks.
    """
    problems: list[str] = []
    if environ is None:
        from_file, problems = read_env_file(PROJECT_ROOT / ".env")
        environ = {**from_file, **os.environ}
    variables = {_variable(name): name for name in Settings.model_fields}
    problems += unknown_variables(environ, (*variables, *NOT_SETTINGS))
    values: dict[str, object] = {name: environ[variable] for variable, name in variables.items() if variable in environ}
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(listed([*problems, *map(_reason, error.errors())])) from None
    if needed is None:
        needed = NEEDED if settings.env == "production" else ()
    if needed:
        problems += [f"{_variable(name)} {why.rstrip('.')}." for name, why in production_problems(settings, needed)]
    if problems:
        raise SettingsError(listed(problems))
    return settings


def _reason(error: "ErrorDetails") -> str:
    reason = error["msg"].removeprefix("Value error, ")
    where = f"{_variable(str(error['loc'][0]))} cannot be used" if error["loc"] else "The settings cannot be used"
    return f"{where}: {reason}."


def _variable(name: str) -> str:
    field = Settings.model_fields.get(name)
    extra = field.json_schema_extra if field else None
    return str(extra["variable"]) if isinstance(extra, dict) else f"VP_{name.upper()}"
