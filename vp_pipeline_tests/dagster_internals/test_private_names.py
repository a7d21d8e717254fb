"""Every private name of Dagster's that is imported is listed with its reason and with a test that guards it."""

import ast
import re
from pathlib import Path

import pytest

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.layering import imported_names, is_private

FOLDER = PROJECT_ROOT / "vp_pipeline" / "dagster_internals"
MODULES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
_ENTRY = re.compile(r"^- (?P<names>`\w+`(?:, `\w+`)*): (?P<reason>.+?)\n\s+Guard: `(?P<guard>[^`]+)`$", re.M | re.S)


def listed(module: Path) -> dict[str, str]:
    """The private names of a module's docstring, each with its guard."""
    docstring = ast.get_docstring(ast.parse(module.read_text())) or ""
    _, _, entries = docstring.partition("Private names:\n")
    return {name: entry["guard"] for entry in _ENTRY.finditer(entries) for name in re.findall(r"\w+", entry["names"])}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_what_is_imported_is_listed(module: Path) -> None:
    private = {name.rpartition(".")[2] for name in imported_names(module) if is_private(name)}
    assert set(listed(module)) == private


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_each_guard_exists(module: Path) -> None:
    for guard in set(listed(module).values()):
        file, _, function = guard.partition("::")
        tests = ast.parse((PROJECT_ROOT / "vp_pipeline_tests" / file).read_text())
        assert function in {node.name for node in tests.body if isinstance(node, ast.FunctionDef)}, guard
