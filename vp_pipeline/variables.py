"""The variables of the environment, and those of the file `.env`: one per line, as a shell would read them.

Here: reading the file, which of its lines cannot be read, names that are mistyped, the types of values that more than
one setting has, and what a deployment reads of them. Not here: what the variables mean (`settings.py`, and
`settings.py` in each source's folder).
"""

import difflib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import AfterValidator, BeforeValidator

from vp_pipeline import documents

PROJECT_ROOT = Path(__file__).resolve().parent.parent

_Value = TypeVar("_Value")


def _under_the_root(value: Path) -> Path:
    return (PROJECT_ROOT / value.expanduser()).resolve()


def _empty_is_unset(value: object) -> object:
    return None if value == "" else value


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


# A relative path is under the project root.
ProjectPath = Annotated[Path, AfterValidator(_under_the_root)]
# An empty variable is one that is not set.
OrUnset = Annotated[_Value | None, BeforeValidator(_empty_is_unset)]
# How a setting differs between the deployments of one set of variables. `OfOne`: it is of one deployment only, such as
# the ID of a workspace, and there is no fallback to another's; so are all secrets. `Named`: it ends with the
# deployment's name: that of a database (`_staging`), the path of a folder (`-staging`).
OF_ONE, NAMED = "of one deployment", "named after the deployment"
OfOne = Annotated[_Value | None, BeforeValidator(_empty_is_unset), OF_ONE]
Named = Annotated[_Value, NAMED]
PRODUCTION = "production"
# Values separated by commas.
Listed = Annotated[tuple[_Value, ...], BeforeValidator(_split)]


def read_env_file(path: Path) -> tuple[Mapping[str, str], list[str]]:
    """The variables of a file, none where it is not there; and what is wrong with it, a sentence for each line. Nothing
    of a line is repeated: it may be a secret.

    Raises:
        PermanentError: the file cannot be read.
    """
    content = documents.read_bytes(path)
    if content is None:
        return {}, []
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {}, [f"{path} is no text (UTF-8). Write VARIABLE=value on each line, as .env.example does."]
    problems = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            written = binding.original.string
            line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
            problems.append(f"Line {line} of {path} cannot be read. Write VARIABLE=value, or # before it.")
    if problems:
        return {}, problems
    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}, []


def without_ending(variable: str) -> str:
    """`VP_X` of `VP_X__STAGING`, which the deployment staging reads as `VP_X`."""
    return re.sub(r"__[A-Z][A-Z0-9]*$", "", variable)


def of_deployment(
    environ: Mapping[str, str], own: Iterable[str], named: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The variables as the deployment that VP_DEPLOYMENT names reads them; and what cannot be one, a sentence each.

    `own`: those of which it has its own or none. `named`: those whose value ends with its name, with their defaults.
    """
    deployment = environ.get("VP_DEPLOYMENT") or PRODUCTION
    found = {name: value for name, value in environ.items() if without_ending(name) == name}
    problems: list[str] = []
    if deployment != PRODUCTION:
        found = {name: value for name, value in found.items() if name not in set(own)}
        for variable, default in named.items():
            value = found.get(variable) or default
            if re.fullmatch(r"s3://[^/]+/?", value) and f"{variable}__{deployment.upper()}" not in environ:
                problems.append(
                    f"{variable} is a whole bucket, and the deployment {deployment} would be in it: name a folder "
                    f"(s3://bucket/lake), or set {variable}__{deployment.upper()}."
                )
            elif value:
                found[variable] = _named_after(deployment, value)
    ending = f"__{deployment.upper()}"
    return found | {without_ending(name): value for name, value in environ.items() if name.endswith(ending)}, problems


def deployment_name(value: str) -> str:
    """The name of a deployment, as the end of other names. Raises ValueError: it cannot be one."""
    # No underscore: names that derive from a deployment's have one, such as <role>_loader, and <database>_diff.
    if not re.fullmatch(r"[a-z][a-z0-9]{0,29}", value) or value == "diff":
        raise ValueError(f"{value} is no name of a deployment: write up to 30 lower case letters and digits")
    return value


def _named_after(deployment: str, value: str) -> str:
    """A name, or the path of a folder: beside production's and not in it."""
    if "/" in value:
        return f"{value.rstrip('/')}-{deployment}"
    return f"{value}_{deployment.upper() if value.isupper() else deployment}"


def unknown_variables(variables: Iterable[str], known: Sequence[str], prefixes: tuple[str, ...]) -> list[str]:
    """Of the variables that begin with one of `prefixes` those that are not `known`, a sentence for each. They are the
    project's, or mistyped: ignored, one would be a setting that does nothing."""
    found = []
    for variable in sorted(variables):
        if variable.startswith(prefixes) and without_ending(variable) not in known:
            near = difflib.get_close_matches(without_ending(variable), known, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."
            found.append(f"{variable} is not a setting of this project. {hint}")
    return found
