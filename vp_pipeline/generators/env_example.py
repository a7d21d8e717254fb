"""`.env.example`: every setting, with its meaning and its default."""

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import HttpUrl

from vp_pipeline.service_settings import DeliverySettings, ProductionSettings
from vp_pipeline.settings import Setting, all_settings
from vp_pipeline.variables import PROJECT_ROOT

_WIDTH = 120
_TITLES = ((DeliverySettings, "delivery"), (ProductionSettings, "VP_ENV=production only"))
_HEAD = """\
# Copy to `.env` what you want to change; everything has a default and nothing here is needed to run locally.
# Unknown names with the prefix VP_ are rejected. A secret may also be a file (NAME_FILE=/run/secrets/x) or a secret of
# AWS Secrets Manager (NAME=arn:aws:secretsmanager:...): docs/production.md.
"""


def files() -> dict[Path, str]:
    """The file and the text that it should hold."""
    parts = [_HEAD]
    for title, settings in groupby(all_settings(), _title):
        parts += [*([_rule(title)] if title else []), *_entries(settings)]
    return {PROJECT_ROOT / ".env.example": "\n".join(parts)}


def _title(setting: Setting) -> str:
    if setting.source is not None:
        return setting.source.name
    return next((title for model, title in _TITLES if setting.field in model.model_fields), "")


def _rule(title: str) -> str:
    return f"# ---- {title} ".ljust(_WIDTH, "-") + "\n"


def _entries(settings: Iterable[Setting]) -> Iterator[str]:
    for setting in settings:
        lines = textwrap.wrap(str(setting.info.description), _WIDTH - 2, break_on_hyphens=False)
        comment = "\n".join(f"# {line}" for line in lines)
        yield f"{comment}\n# {setting.variable}={_shown(setting.info.default)}\n"


def _shown(default: Any) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, Path):
        return f"./{default.relative_to(PROJECT_ROOT)}"
    return str(default).removesuffix("/") if isinstance(default, HttpUrl) and default.path == "/" else str(default)
