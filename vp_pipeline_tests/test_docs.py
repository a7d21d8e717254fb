"""The documents name only what exists: paths, `make` targets, commands and options of `vp`, settings, links.

The Markdown files' inline code, code blocks and links are read. A path may begin at the project or within one of its
packages, as the documents write it; `<name>` stands for any name.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

import pytest
import typer.main
from typer.core import TyperGroup

from vp_pipeline.cli.main import app
from vp_pipeline.secret_references import file_variable
from vp_pipeline.settings import PROJECT_ROOT, all_settings
from vp_pipeline.variables import without_ending

DOCUMENTS = (PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").glob("*.md")))
MODELS_YAML = sorted((PROJECT_ROOT / "dbt_project" / "models").rglob("*.yml"))
PACKAGES = ("vp_pipeline", "dbt_project", "vp_pipeline_tests")
BASES = (PROJECT_ROOT, *(PROJECT_ROOT / name for name in PACKAGES))
# Suffixes of files in the repository. What runs write (Parquet, DuckDB, JSON) is not there.
SUFFIX = re.compile(r"\.(py|sql|ya?ml|md|svg|png|tf|toml|txt)$")
# What a document takes as an example, to be written by its reader.
EXAMPLES = {"models/marts/facts/fct_offer_history_daily.sql"}
WRITTEN_BY_TOOLS = ("target", "logs")


def spans(text: str) -> Iterator[str]:
    """Inline code and the lines of code blocks, fenced or indented."""
    fenced = re.findall(r"^```.*?\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for block in fenced:
        yield from block.splitlines()
    yield from re.findall(r"^    \S.*$", rest, flags=re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", rest)


def paths(text: str) -> Iterator[str]:
    """Words in inline code that are written as a path in the repository."""
    for code in re.findall(r"`([^`\n]+)`", text):
        for word in code.split():
            name = word.rstrip(".,:;…/")
            if not set(WRITTEN_BY_TOOLS).isdisjoint(name.split("/")):
                continue
            if SUFFIX.search(name) or (word.endswith("/") and name.split("/")[0] in folders()):
                yield name


def folders() -> set[str]:
    """The folders that are named as the beginning of a path."""
    return {path.name for base in BASES for path in base.iterdir() if path.is_dir() and path.name[0] not in "._"}


def exists(name: str, document: Path) -> bool:
    """Whether a path is in the repository: from a base, from the document's folder, or within a package."""
    pattern = re.sub(r"<[^>]+>", "*", name)
    if any(any(base.glob(pattern)) for base in (*BASES, document.parent)):
        return True
    return any(any((PROJECT_ROOT / package).rglob(pattern)) for package in PACKAGES)


def problem_of(words: list[str]) -> str | None:
    """What is wrong with the words after `vp`; None: they are commands and options that exist."""
    command: Any = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        name, words = words[0], words[1:]
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0].rstrip(",") for word in words if word.startswith("--")]
    return next((f"{command.name} has no {option}" for option in given if option not in known), None)


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.name)
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_path_exists(document: Path) -> None:
    named = set(paths(document.read_text())) - EXAMPLES
    assert [name for name in sorted(named) if not exists(name, document)] == []


@pytest.mark.parametrize(
    "file", sorted((PROJECT_ROOT / "dbt_project" / "models").rglob("*.yml")), ids=lambda path: path.name
)
def test_every_path_in_a_description_of_the_dbt_project_exists(file: Path) -> None:
    named = set(re.findall(r"\b(?:vp_pipeline|dbt_project|macros|models|seeds)/[\w./]*\w", file.read_text()))
    named |= set(paths(file.read_text()))
    assert [name for name in sorted(named) if not exists(name, file)] == []


def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, anchor = urldefrag(target)
        if path.startswith("http"):
            continue
        linked = document if not path else document.parent / path
        if not linked.exists() or (anchor and anchor not in anchors(linked.read_text())):
            broken.append(target)
    assert broken == []


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT_ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {name for span in spans(document.read_text()) for name in re.findall(r"(?:^|\s)make ([a-z]+)", span)}
    assert named - targets == set()


def test_every_command_and_option_of_vp_exists(document: Path) -> None:
    wrong = []
    for span in spans(document.read_text()):
        found = re.match(r"(?:\$ )?\s*(?:VP_\w+=\S+ )?(?:\.venv/bin/)?vp( .*)?$", span)
        if found and (problem := problem_of((found[1] or "").split())):
            wrong.append(f"{span}: {problem}")
    assert wrong == []


def test_every_setting_exists(document: Path) -> None:
    known = set(re.findall(r"^# (VP_\w+|KEEPA_API_KEY)=", (PROJECT_ROOT / ".env.example").read_text(), re.MULTILINE))
    known |= {file_variable(setting.variable) for setting in all_settings() if setting.is_secret}
    named = set(re.findall(r"\b(VP_[A-Z0-9_]+[A-Z0-9]|KEEPA_API_KEY)(?![\w…])", document.read_text()))
    named = {without_ending(name) for name in named}
    assert {name for name in named if name not in known and f"{name}_…" not in document.read_text()} == set()


def layout() -> dict[str, str]:
    """The folders of vp_pipeline in the layout of architecture.md, with what is written about each."""
    text = (PROJECT_ROOT / "docs" / "architecture.md").read_text()
    block = text.split("    vp_pipeline/\n")[1].split("\n    dbt_project/")[0]
    return dict(re.findall(r"^ {6}(\w+)/ (.*(?:\n {7}.*)*)", block, flags=re.MULTILINE))


def test_the_layout_is_that_of_the_package() -> None:
    package = PROJECT_ROOT / "vp_pipeline"
    assert layout().keys() == {path.parent.name for path in package.glob("*/__init__.py")}
    for folder, words in layout().items():
        for name in re.findall(r"(?<!`)\b(\w+\.py|\w+/)(?= |,|;|:|$)", words):
            assert (package / folder / name).exists(), f"{folder}/{name}"


def test_every_folder_of_the_package_is_in_the_readme() -> None:
    text = (PROJECT_ROOT / "README.md").read_text()
    assert [name for name in layout() if f"`vp_pipeline/{name}/" not in text] == []
