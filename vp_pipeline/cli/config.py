"""`vp config`: every setting, its value, where the value is from, and what it means."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import SecretStr

from vp_pipeline.cli.doctor.configuration import Variables
from vp_pipeline.cli.terminal.options import AsCsv, AsJson, chosen_form
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.redaction import MASK
from vp_pipeline.secret_references import SecretReference, file_variable
from vp_pipeline.settings import PROJECT_ROOT, Setting, Settings, all_settings, load_settings

_COLUMNS = (Column("variable"), Column("value"), Column("origin"), Column("meaning", prose=True))


def config(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List every setting: its value (of a secret `***`, or where it is looked up), whether the environment, `.env` or
    the default gives it, and what it means."""
    form = chosen_form(as_json=as_json, as_csv=as_csv)
    print_rows(_COLUMNS, list(rows(load_settings(), Variables.of(os.environ))), form)


def rows(settings: Settings, variables: Variables) -> Iterator[Sequence[object]]:
    """Variable, value, origin (environment, .env, default) and meaning of each setting, as they are declared."""
    for each in all_settings():
        bases = (each.variable, file_variable(each.variable))
        names = [name for base in bases for name in (f"{base}__{settings.deployment.upper()}", base)]
        variable = next((name for name in names if variables.values.get(name)), each.variable)
        yield each.variable, _shown(settings, each), variables.origin(variable), each.info.description


def _shown(settings: Settings, setting: Setting) -> str | None:
    """The value as its variable has it."""
    value = getattr(settings if setting.source is None else settings.of(setting.source), setting.field)
    if value is None:
        return None
    if isinstance(value, SecretReference):
        return value.place
    if setting.is_secret or isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, Path) and value.is_relative_to(PROJECT_ROOT):
        return str(value.relative_to(PROJECT_ROOT))
    return str(value)
