"""Typed settings from the environment.

Here: the settings of the project as a whole, and the one object that has those of every source too. Not here: a
source's settings (`sources/<source>/settings.py`), and anything that opens a file, a socket or a database: reading
settings has no side effect. `.env.example` is generated from these classes.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from vp_pipeline import data_folder
from vp_pipeline.failures import StartError
from vp_pipeline.secret_references import file_variable, given_secret, known_values
from vp_pipeline.service_settings import (
    NEEDED,
    DeliverySettings,
    ProductionSettings,
    RunSettings,
    production_problems,
)
from vp_pipeline.sources.registry import NAMES, SOURCES
from vp_pipeline.sources.source import HasSettings, Own, Source, Stream
from vp_pipeline.sources.source_settings import SourceSettings
from vp_pipeline.variables import (
    NAMED,
    OF_ONE,
    PRODUCTION,
    Listed,
    Named,
    ProjectPath,
    of_deployment,
    read_env_file,
    unknown_variables,
)
from vp_pipeline.variables import PROJECT_ROOT as PROJECT_ROOT

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

# Variables with our prefix that are not settings: the pipeline passes the warehouse's path to dbt.
NOT_SETTINGS = frozenset({"VP_WAREHOUSE_PATH"})


class SettingsError(StartError):
    """A variable is unknown or its value cannot be used; the message names the variable."""


class Settings(RunSettings, DeliverySettings, ProductionSettings):
    """All settings. Variables are `VP_<NAME>`, except those that a field names itself (`json_schema_extra`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: Literal["local", "production"] = Field(
        default="local",
        description="Which resources the graph runs on: `local` (embedded Airbyte, a folder, DuckDB) or `production` "
        "(Airbyte, S3, Snowflake).",
    )
    sources: Mapping[str, SourceSettings] = Field(
        default_factory=dict, description="The settings of each source, by its name: see `of`."
    )
    chosen_sources: Listed[str] = Field(
        default=(),
        json_schema_extra={"variable": "VP_SOURCES"},
        description="The sources that are ingested, separated by commas: " + ", ".join(NAMES) + ". "
        "The graph has the assets and models of these alone. Empty: locally all that need no account; in production "
        "those with an Airbyte connection, or the brokers of their topic.",
    )
    data_dir: Named[ProjectPath] = Field(
        default=PROJECT_ROOT / "data",
        description="Holds `lake/`, `warehouse.duckdb` and `published.duckdb`. "
        "A relative path is under the project root.",
    )
    sandbox_seed: int = Field(default=7, ge=0, description="Seed of the sandbox's products and histories.")

    @field_validator("data_dir", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if value == "":
            raise ValueError("it is empty; name a folder, or remove the variable")
        return value

    @field_validator("chosen_sources")
    @classmethod
    def _are_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - set(NAMES)):
            raise ValueError(f"there is no source {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return value

    @property
    def wanted_sources(self) -> tuple[Source, ...]:
        """The sources to ingest: those that are chosen, or all that can be."""
        chosen = self.chosen_sources
        return tuple(s for s in SOURCES if (s.name in chosen if chosen else s.is_available(self.of(s))))

    @property
    def enabled_sources(self) -> tuple[Source, ...]:
        """The sources that the graph has. In production one that is not chosen by name has to be connected."""
        if self.env == "local" or self.chosen_sources:
            return self.wanted_sources
        return tuple(source for source in self.wanted_sources if self.of(source).is_connected)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of the sources that the graph has."""
        return tuple(stream for source in self.enabled_sources for stream in source.streams)

    @property
    def exported_mart(self) -> str:
        """The mart whose changed rows are exported."""
        return self.export_mart or next((source.exported_mart for source in self.enabled_sources), "")

    def of(self, source: HasSettings[Own]) -> Own:
        """The settings of a source, of the class that it declares."""
        return cast(Own, self.sources[source.name])

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values, for redaction: see `known_values`."""
        values = (getattr(self, name) for name in type(self).model_fields)
        own = known_values(value for value in values if isinstance(value, SecretStr))
        return (*own, *(secret for source in self.sources.values() for secret in source.secrets))

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
        default = "refuse" if self.env == "production" and self.deployment == PRODUCTION else "restate"
        return (self.on_code_change or default) == "refuse"

    @property
    def warehouse_path(self) -> Path:
        return self.data_dir / data_folder.WAREHOUSE

    @property
    def published_path(self) -> Path:
        """The marts that consumers read."""
        return self.data_dir / data_folder.PUBLISHED


@dataclass(frozen=True)
class Setting:
    """One setting: its `variable`, and its `field` of the class of `source` (None: of `Settings`). `name` is that in
    `overrides` of `load_settings`: a source's has the source's name before it."""

    variable: str
    source: Source | None
    field: str
    info: "FieldInfo"

    @property
    def is_of_one(self) -> bool:
        """Whether each deployment has its own, or none."""
        return self.is_secret or OF_ONE in self.info.metadata

    @property
    def name(self) -> str:
        return self.field if self.source is None else f"{self.source.name}_{self.field}"

    @property
    def assignment(self) -> str:
        """A shell command that sets it; the value, which only a person knows, is in `<…>`."""
        meaning = re.split(r"[.:,;(]", str(self.info.description))[0].strip()
        return f"export {self.variable}=<{meaning}>"

    @property
    def is_secret(self) -> bool:
        return "SecretStr" in str(self.info.annotation)


def all_settings() -> Iterator[Setting]:
    """Every setting, as they are declared: the pipeline's own, those of each source, of delivery, of production."""
    services = (DeliverySettings, ProductionSettings)
    of_services = {name for model in services for name in model.model_fields}
    own = {name: info for name, info in Settings.model_fields.items() if name not in {"sources", *of_services}}
    yield from (Setting(_variable(name, info), None, name, info) for name, info in own.items())
    for source in SOURCES:
        for name, info in source.settings.model_fields.items():
            variable = _variable(f"{source.name}_{name}", info).format(SOURCE=source.name.upper())
            yield Setting(variable, source, name, info)
    for model in services:
        yield from (Setting(_variable(name, info), None, name, info) for name, info in model.model_fields.items())


def variable_of(source: Source, field: str) -> str:
    """The variable of a source's setting."""
    return next(s.variable for s in all_settings() if s.source is source and s.field == field)


def secret_variables(source: Source) -> tuple[str, ...]:
    """The variables of a source's secrets."""
    own = (setting for setting in all_settings() if setting.source is source)
    return tuple(setting.variable for setting in own if setting.is_secret)


def load_settings(
    environ: Mapping[str, str] | None = None, *, needed: Sequence[str] | None = None, **overrides: object
) -> Settings:
    """Settings from `environ` (default: the `.env` in the project root, then the process environment).

    `needed`: names that must be set, whatever VP_ENV is; default: all that production needs, in production.
    `overrides`, by name (`Setting.name`), win over both.

    Raises:
        SettingsError: names everything that is wrong: a line of `.env` that cannot be read, a variable with our prefix
            that is unknown, a value that is invalid, one that production lacks.
    """
    problems: list[str] = []
    if environ is None:
        from_file, problems = read_env_file(PROJECT_ROOT / ".env")
        environ = {**from_file, **os.environ}
    known = {setting.name: setting for setting in all_settings()}
    files = (file_variable(setting.variable) for setting in known.values() if setting.is_secret)
    variables = (*(setting.variable for setting in known.values()), *files, *NOT_SETTINGS)
    problems += unknown_variables(environ, variables, ("VP_", *(f"{source.name.upper()}_" for source in SOURCES)))
    own = {name for s in known.values() if s.is_of_one for name in (s.variable, file_variable(s.variable))}
    named = {s.variable: str(s.info.default or "") for s in known.values() if NAMED in s.info.metadata}
    environ, unusable = of_deployment(environ, own, named)
    problems += unusable
    given: dict[str, object] = {s.name: environ[s.variable] for s in known.values() if s.variable in environ}
    for setting in filter(lambda each: each.is_secret, known.values()):
        try:
            given[setting.name] = given_secret(setting.variable, environ)
        except ValueError as error:
            problems.append(f"{setting.variable} cannot be used: {error}.")
    given |= {name: value for name, value in overrides.items() if value is not None}

    def made(model: type[BaseModel], source: Source | None, **more: object) -> Any:
        own = [setting for setting in known.values() if setting.source is source]
        variables = {setting.field: setting.variable for setting in own}
        try:
            return model.model_validate({**{s.field: given[s.name] for s in own if s.name in given}, **more})
        except ValidationError as error:
            problems.extend(_reason(each, variables) for each in error.errors())
            return None

    sources = {source.name: made(source.settings, source) for source in SOURCES}
    settings: Settings | None = made(Settings, None, sources={name: own for name, own in sources.items() if own})
    if settings is None or None in sources.values():
        raise SettingsError(problems)
    problems += _missing(settings, known, needed)
    if problems:
        ending = f"__{settings.deployment.upper()}"
        hint = f"\nThe deployment {settings.deployment} reads them with the ending {ending}."
        raise SettingsError(problems, hint if settings.deployment != PRODUCTION else "")
    return settings


def _missing(settings: Settings, known: Mapping[str, Setting], needed: Sequence[str] | None) -> Iterator[str]:
    production = settings.env == "production"
    if needed is None and production:
        for source in settings.enabled_sources:
            if not settings.of(source).is_connected:
                setting = known[f"{source.name}_{source.settings.NEEDED}"]
                yield f"{setting.variable} is not set, and production needs it: {setting.info.description}"
        if not settings.enabled_sources:
            names = ", ".join(known[f"{source.name}_{source.settings.NEEDED}"].variable for source in SOURCES)
            yield f"No source is connected, and production needs one variable for each that it ingests: {names}."
    needed = (NEEDED if production else ()) if needed is None else needed
    if needed:
        for name, why in production_problems(settings, needed):
            yield f"{known[name].variable} {why.rstrip('.')}."


def _reason(error: "ErrorDetails", variables: Mapping[str, str]) -> str:
    reason = error["msg"].removeprefix("Value error, ")
    where = f"{variables[str(error['loc'][0])]} cannot be used" if error["loc"] else "The settings cannot be used"
    return f"{where}: {reason}."


def _variable(name: str, info: "FieldInfo") -> str:
    extra = info.json_schema_extra
    return str(extra["variable"]) if isinstance(extra, dict) else f"VP_{name.upper()}"
