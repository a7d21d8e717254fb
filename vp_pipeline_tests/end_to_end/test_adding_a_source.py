"""`docs/adding-a-source.md`, followed literally in a copy of the repository without the source that it adds.

The guide names each file, and its content is the repository's: so the two cannot differ. Nothing but those files, the
line of the registry and what `make generate` writes may mention the source.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.dagster_dev import own_environment
from vp_pipeline_tests.guide import Files, RegistryLines, follow, steps

GUIDE = PROJECT_ROOT / "docs" / "adding-a-source.md"
NAME = "scraperapi"
REGISTRY = "vp_pipeline/sources/registry.py"
STAGING = f"dbt_project/models/staging/{NAME}"
# What `make generate` writes.
GENERATED = (
    ".env.example",
    "dbt_project/columns.json",
    "dbt_project/macros/enabled_sources.sql",
    "docs/lineage.svg",
    "docs/names.txt",
    f"{STAGING}/_{NAME}__models.yml",
    f"{STAGING}/_{NAME}__sources.yml",
)
CODE = ("vp_pipeline", "vp_pipeline_tests", "dbt_project", "infra", "Makefile", "pyproject.toml", "constraints.txt")
CODE += ("dagster.yaml", "workspace.yaml", "docs", ".env.example")
# Documents have it as an example, and this test by its name.
PROSE = ("docs/", "vp_pipeline_tests/end_to_end/")


def repository() -> list[str]:
    """The files of the project, as git has them."""
    listed = subprocess.run(["git", "ls-files", *CODE], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.splitlines() if (PROJECT_ROOT / path).is_file()]


def written() -> list[str]:
    """The files that the guide has the reader write."""
    return [path for step in steps(GUIDE) if isinstance(step, Files) for path in step.paths]


def lines_of_the_source(path: str) -> tuple[str, ...]:
    text = (PROJECT_ROOT / path).read_bytes().decode(errors="replace")
    return tuple(line for line in text.splitlines() if NAME in line.lower())


@pytest.mark.skipif(not (PROJECT_ROOT / ".git").exists(), reason="the files of the project are listed by git")
def test_nothing_else_mentions_the_source() -> None:
    mentioning = {path for path in repository() if NAME in path or lines_of_the_source(path)}
    elsewhere = {path for path in mentioning if not path.startswith(PROSE) and path not in GENERATED}
    assert elsewhere - {REGISTRY} == set(written())
    (added,) = (step.lines for step in steps(GUIDE) if isinstance(step, RegistryLines))
    assert lines_of_the_source(REGISTRY) == added


def test_every_file_of_the_folders_is_in_the_guide_once() -> None:
    assert len(set(written())) == len(written())
    assert all((PROJECT_ROOT / path).is_file() for path in written())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository without the source, with the virtual environment and what dbt has parsed of the others."""
    root = tmp_path / "project"
    for path in repository():
        if path not in written() and path not in GENERATED:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT_ROOT / path, root / path)
    registry = (root / REGISTRY).read_text(encoding="utf-8").splitlines(keepends=True)
    (root / REGISTRY).write_text("".join(line for line in registry if NAME not in line.lower()), encoding="utf-8")
    (root / ".venv").symlink_to(PROJECT_ROOT / ".venv")
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(root / name, (0, 0))  # older than the environment, or `make` would install the copy into it
    assert not [path for path in root.rglob(f"*{NAME}*") if path.name != ".venv"]
    return root


@pytest.mark.slow
@pytest.mark.skipif(
    not (PROJECT_ROOT / ".venv" / ".ready").exists(), reason="the commands are those that `make setup` made"
)
@pytest.mark.skipif(not (PROJECT_ROOT / ".git").exists(), reason="the files of the project are listed by git")
def test_the_guide_followed_step_by_step(copy: Path, tmp_path: Path) -> None:
    variables = own_environment(tmp_path, "")
    del variables["VP_SOURCES"]
    # The copy comes before the installed project on the path of Python.
    environment = {**variables, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    for step in steps(GUIDE):
        if isinstance(step, Files):
            for path in step.paths:
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT_ROOT / path, copy / path)
        elif isinstance(step, RegistryLines):
            shutil.copy2(PROJECT_ROOT / REGISTRY, copy / REGISTRY)
        else:
            follow(step, copy, environment)
            if step.typed == "make generate":
                assert [path for path in GENERATED if differs(copy, path)] == []


def differs(root: Path, path: str) -> bool:
    return not (root / path).exists() or (root / path).read_bytes() != (PROJECT_ROOT / path).read_bytes()
