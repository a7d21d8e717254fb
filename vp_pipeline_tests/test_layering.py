"""Imports run one way, Dagster's private modules have one door, and files and folders stay small.

The table ranks every folder and file of the package: each imports what is below it only, also within functions and for
type checking, and nothing of its own rank. The checks themselves are in `layering.py`, tested here on made-up packages.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.sources.registry import NAMES
from vp_pipeline_tests import layering
from vp_pipeline_tests.layering import imported_names

PACKAGE = PROJECT_ROOT / "vp_pipeline"

# From the highest to the lowest.
RANKS = (
    ("cli", "generators", "published"),
    ("dashboard",),
    ("definitions",),
    ("build",),
    ("automation",),
    ("assets",),
    ("environments",),
    ("planning",),
    ("quality",),
    ("delivery",),
    ("publishing",),
    ("warehouse",),
    ("topics",),
    ("dbt", "airbyte"),
    ("lake",),
    ("sandbox",),
    ("settings",),
    ("sources", "service_settings"),
    ("partitions",),
    ("stored_formats",),
    ("secret_references",),
    ("variables",),
    ("documents", "data_folder"),
    ("failures", "redaction", "dagster_internals"),
)


RULES: dict[str, Callable[[], list[str]]] = {
    "rank": lambda: layering.unranked(PACKAGE, RANKS),
    "upward": lambda: layering.upward_imports(PACKAGE, RANKS),
    "circle": lambda: layering.circles(PACKAGE),
    "private": lambda: layering.private_imports(PACKAGE, "dagster_internals"),
    "large": lambda: layering.too_large(PACKAGE),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_the_rules(rule: str) -> None:
    assert RULES[rule]() == []


def test_no_name_has_two_ranks() -> None:
    names = [name for rank in RANKS for name in rank]
    assert len(set(names)) == len(names)


def test_sources_never_import_dagster() -> None:
    for file in (PACKAGE / "sources").rglob("*.py"):
        names = list(imported_names(file))
        assert not [n for n in names if n.startswith(("dagster", "vp_pipeline.dagster_internals"))], file


def test_the_sandbox_is_imported_by_its_command_and_the_embedded_airbyte_alone() -> None:
    importers = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if "sandbox" not in file.relative_to(PACKAGE).parts
        and any(name.startswith("vp_pipeline.sandbox") for name in imported_names(file))
    }
    assert importers == {"cli/sandbox.py", "airbyte/local.py"}


def test_dbts_own_python_is_used_in_one_file() -> None:
    """So that a dbt without it (2.0 has none) is a change of that file."""
    internal = ("dbt.", "dbt_common.", "dbt_adapters.")
    importers = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if any(f"{name}.".startswith(internal) for name in imported_names(file))
    }
    assert importers == {"dbt/in_process.py"}


NAMES_A_SOURCE = {
    "lake/quarantine.py",  # what an earlier version called the entity
    "sources/registry.py",
}


def test_the_general_code_names_no_source() -> None:
    own = ("dashboard/", "sandbox/world.py")
    own += tuple(f"{kind}/{name}/" for kind in ("sources", "sandbox") for name in NAMES)
    named = re.compile(r"\b(keepa|asins?)\b", re.IGNORECASE)
    files = {file.relative_to(PACKAGE).as_posix(): file for file in PACKAGE.rglob("*.py")}
    found = {name for name, file in files.items() if not name.startswith(own) and named.search(file.read_text())}
    assert found == NAMES_A_SOURCE


def test_every_source_is_registered() -> None:
    folders = {path.parent.name for path in (PACKAGE / "sources").glob("*/source.py")}
    assert folders == set(NAMES)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a folder above a file above another folder, which keeps every rule."""
    root = tmp_path / "made_up"
    write(root / "top" / "command.py", "from made_up.middle import NAME\nfrom made_up.top import other\n")
    write(
        root / "top" / "other.py",
        "import dagster as dg\nfrom dagster_dbt import DbtCliResource\nfrom dagster_aws.s3 import S3Resource\n",
    )
    write(root / "middle.py", "from made_up.bottom.deep.module import NAME\n")
    write(root / "bottom" / "deep" / "module.py", "NAME = 1\n")
    return root


TABLE = (("top",), ("middle",), ("bottom", "beside"))


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    for folder in (file.parent, *file.parent.parents):
        if folder.name == "made_up":
            break
        (folder / "__init__.py").touch()
    file.write_text(text)


def test_a_package_that_keeps_the_rules_has_no_violation(package: Path) -> None:
    assert layering.unranked(package, TABLE) == []
    assert layering.upward_imports(package, TABLE) == []
    assert layering.circles(package) == []
    assert layering.private_imports(package, "bottom") == []
    assert layering.too_large(package) == []


def test_what_is_not_in_the_table_is_found(package: Path) -> None:
    write(package / "new" / "module.py", "")
    write(package / "loose.py", "")
    assert layering.unranked(package, TABLE) == ["loose has no rank", "new has no rank"]


@pytest.mark.parametrize(
    "text",
    [
        "from made_up.top.command import x",
        "from made_up.top import command",
        "import made_up.top.command",
        "def f():\n    from made_up.top.command import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from made_up.top.command import x",
    ],
)
def test_an_import_from_above_is_found(package: Path, text: str) -> None:
    write(package / "bottom" / "climbs.py", text)
    assert layering.upward_imports(package, TABLE) == ["bottom/climbs.py imports top/command.py"]


def test_an_import_from_the_same_rank_is_found(package: Path) -> None:
    write(package / "beside" / "module.py", "from made_up.bottom.deep.module import NAME")
    assert layering.upward_imports(package, TABLE) == ["beside/module.py imports bottom/deep/module.py"]


def test_a_circle_is_found_also_within_a_folder_and_through_a_function(package: Path) -> None:
    write(package / "bottom" / "first.py", "from made_up.bottom.second import x")
    write(package / "bottom" / "second.py", "from made_up.bottom import third")
    write(package / "bottom" / "third.py", "def f():\n    from made_up.bottom.first import y")
    write(package / "bottom" / "above_it.py", "from made_up.bottom.first import y")
    assert layering.circles(package) == ["bottom/first.py <-> bottom/second.py <-> bottom/third.py"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from dagster._core.events import X", "dagster._core.events.X"),
        ("import dagster._core", "dagster._core"),
        ("from dagster import _check", "dagster._check"),
        ("def f():\n    from dagster_dbt.core.dbt_cli_invocation import X", "dagster_dbt.core.dbt_cli_invocation.X"),
        ("from dagster_shared.error import X", "dagster_shared.error.X"),
        ("from dagster_aws.s3.utils import X", "dagster_aws.s3.utils.X"),
    ],
)
def test_a_private_import_is_found_outside_of_the_door(package: Path, text: str, name: str) -> None:
    write(package / "bottom" / "door.py", text)
    assert layering.private_imports(package, "bottom") == []
    assert layering.private_imports(package, "top") == [f"bottom/door.py imports {name}"]


def test_a_crowded_folder_and_a_long_file_are_found(package: Path) -> None:
    for number in range(layering.MAX_MODULES - 1):
        write(package / "bottom" / "deep" / f"module_{number}.py", "")
    write(package / "middle.py", "\n" * layering.MAX_LINES)
    assert layering.too_large(package) == []
    write(package / "bottom" / "deep" / "one_more.py", "")
    write(package / "middle.py", "\n" * (layering.MAX_LINES + 1))
    assert layering.too_large(package) == [
        "bottom/deep has more than 12 modules",
        "middle.py has more than 300 lines",
    ]
