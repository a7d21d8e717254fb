"""The macros are documented as they are: what each does, and every argument in its order."""

from pathlib import Path

import jinja2
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import Macro
from jinja2 import nodes


def documented(manifest: Manifest) -> list[Macro]:
    """The project's own macros. `<engine>__<name>` has its text where the macro that dispatches is documented."""
    return [
        macro
        for macro in manifest.macros.values()
        if macro.package_name == "vp_pipeline" and macro.path.startswith("macros/") and "__" not in macro.name
    ]


def arguments(macro: Macro) -> list[str]:
    """The names of a macro's arguments, from its definition."""
    found = jinja2.Environment(extensions=["jinja2.ext.do"]).parse(macro.macro_sql).find(nodes.Macro)
    assert found is not None
    return [argument.name for argument in found.args]


def test_every_macro_and_its_arguments_are_documented(manifest: Manifest) -> None:
    macros = documented(manifest)
    assert len(macros) > 50
    for macro in macros:
        assert len(macro.description) > 20, macro.name
        assert macro.patch_path is not None
        assert Path(macro.patch_path.split("://")[1]).parent == Path(macro.original_file_path).parent, macro.name
        assert [argument.name for argument in macro.arguments] == arguments(macro), macro.name
        for argument in macro.arguments:
            assert argument.description, f"{macro.name}: {argument.name}"
            assert argument.type, f"{macro.name}: {argument.name}"


@pytest.mark.parametrize("word", ["touch", "told", "untouch", "pass_on", "shown", "withheld"])
def test_no_macro_has_a_word_of_its_own(manifest: Manifest, word: str) -> None:
    assert [macro.name for macro in documented(manifest) if word in macro.name] == []
