"""The settings: each that cannot be used, and those that are set and do nothing.

Here: the variables of the environment and of `.env`. Not here: what they name (`storage.py`, `services.py`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from vp_pipeline.cli.doctor.finding import Finding, off, ok, wrong
from vp_pipeline.settings import NOT_SETTINGS, PROJECT_ROOT, Settings, all_settings
from vp_pipeline.variables import read_env_file

_LINE = re.compile(r"Line (\d+) of ")
_WORD = re.compile(r"\b[A-Z][A-Z0-9_]{3,}\b")


@dataclass(frozen=True)
class Variables:
    """`environ`: of the process; `from_file`: of the file `.env`, which the process's own take the place of."""

    environ: Mapping[str, str]
    from_file: Mapping[str, str]
    file: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], root: Path = PROJECT_ROOT) -> "Variables":
        """Those of a process, and of the `.env` in `root`; of a file that cannot be read none."""
        file = root / ".env"
        return cls(environ, read_env_file(file)[0], file)

    @property
    def values(self) -> Mapping[str, str]:
        return {**self.from_file, **self.environ}

    def origin(self, variable: str) -> str:
        """Where its value is from: environment, .env or default."""
        if variable in self.environ:
            return "environment"
        return ".env" if variable in self.from_file else "default"

    def removal(self, *variables: str) -> str:
        """Takes variables out of where they are set."""
        here = [name for name in variables if name in self.environ]
        there = [name for name in variables if name in self.from_file]
        commands = [f"unset {' '.join(here)}"] if here else []
        lines = "|".join(there)
        if there:
            commands.append(rf"sed -i.bak -E '/^(export )?({lines})=/d' {quote(str(self.file))}")
        return " && ".join(commands)


def unusable(problems: tuple[str, ...], variables: Variables) -> Iterator[Finding]:
    """What `load_settings` refused: `problems`, a sentence each."""
    for problem in problems:
        yield wrong("settings", problem, _remedy(problem, variables))


def usable(settings: Settings, variables: Variables) -> Iterator[Finding]:
    """How many are set, and those of them that nothing reads as things are."""
    given = [each for each in all_settings() if each.variable in variables.values]
    yield ok("settings", f"VP_ENV is {settings.env}; {len(given)} variables are set (`vp config` lists all)")
    unused = sorted(_unused(settings, variables))
    if unused:
        yield off("unused settings", f"{', '.join(unused)}: set, and not read with the other settings as they are")


def _unused(settings: Settings, variables: Variables) -> Iterator[str]:
    """Variables of production where it is local, of a source that is off, of a service that is off."""
    enabled = {source.name for source in settings.enabled_sources}
    off_prefixes = [
        prefix
        for prefix, is_on in {
            "VP_SLACK_": settings.slack_token is not None,
            "VP_POWER_BI_": settings.power_bi_client_secret is not None,
            "VP_EXPORT_BATCH_ROWS": settings.export_url is not None,
            "VP_POSTGRES_": settings.postgres_url is not None,
            "VP_SANDBOX_": settings.env == "local",
            "VP_AIRBYTE_": settings.env == "production",
            "VP_SNOWFLAKE_": settings.env == "production",
            "VP_S3_": settings.env == "production",
            "VP_LAKE_URL": settings.env == "production",
        }.items()
        if not is_on
    ]
    for setting in all_settings():
        if setting.variable not in variables.values or setting.variable in NOT_SETTINGS:
            continue
        of_a_source_that_is_off = setting.source is not None and setting.source.name not in enabled
        if of_a_source_that_is_off or setting.variable.startswith(tuple(off_prefixes)):
            yield setting.variable


def _remedy(problem: str, variables: Variables) -> str:
    """By the sentence: which variable is to be set, and which is to be taken away."""
    if line := _LINE.match(problem):
        return f"sed -i.bak '{line[1]}s/^/# /' {quote(str(variables.file))}"
    if problem.startswith(str(variables.file)):
        return f"mv {quote(str(variables.file))} {quote(f'{variables.file}.aside')}"
    known = {each.variable: each for each in all_settings()}
    named = [word for word in dict.fromkeys(_WORD.findall(problem)) if word in known or word in variables.values]
    missing = re.split(r" (?:is|are) not set|, and production needs", problem)[0] if " is not set" in problem else ""
    wanted = [known[name].assignment for name in named if name in known and name in missing]
    if not wanted and " is not set" not in problem and ", and production needs it" in problem:
        return " && ".join(known[name].assignment for name in named[-1:])
    if " is not set" in problem and "nor is" in problem:  # one of several
        wanted = wanted[:1]
    if wanted:
        return " && ".join(wanted)
    there = [name for name in named if name in variables.values]
    return variables.removal(there[0]) if there else "vp config"
