"""The variables of the environment, and those of the file `.env`: one per line, as a shell would read them.

Here: reading the file, which of its lines cannot be read, names that are mistyped, and the types of values that more
than one setting has. Not here: what the variables mean (`settings.py`, and `settings.py` in each source's folder).
"""

import difflib
import io
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


def unknown_variables(variables: Iterable[str], known: Sequence[str], prefixes: tuple[str, ...]) -> list[str]:
    """Of the variables that begin with one of `prefixes` those that are not `known`, a sentence for each. They are the
    project's, or mistyped: ignored, one would be a setting that does nothing."""
    found = []
    for variable in sorted(variables):
        if variable.startswith(prefixes) and variable not in known:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(known))}."
            found.append(f"{variable} is not a setting of this project. {hint}")
    return found
