"""What a stream is decoded by, as fingerprints: the modules of its decoder and the contracts of its tables.

Here: reading Python source. Not here: what a day in silver was decoded with (`lake/silver.py` records it), and what is
done about a difference (`assets/silver.py`).

A module counts by its syntax tree, so comments, docstrings and layout do not count; with it every module under
`vp_pipeline.sources` that it imports, also inside functions. A contract counts by its values (names, types, keys,
ranges) and not by its descriptions and units, so its module (`tables.py`) does not count itself: only what others
import from it does.
"""

import ast
import dataclasses
import hashlib
import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vp_pipeline.sources.contract import Column, Limit, Table

_PACKAGE = "vp_pipeline.sources"
_CONTRACTS = "tables"  # the module of a source that holds its contracts
_PROSE = frozenset({"description", "unit", "grain", "range_source"})


@dataclass(frozen=True)
class DecoderCode:
    """`modules`: module → fingerprint. `contracts`: table → fingerprint. `own`: of all of them."""

    modules: Mapping[str, str]
    contracts: Mapping[str, str]
    own: str


def decoder_code(module: str, tables: Sequence[Table]) -> DecoderCode:
    """The code of the decoder whose entry point is `module`, and of the contracts of its `tables`."""
    modules, imported = _closure(module)
    contracts = {table.name: _fingerprint(_value(table)) for table in tables}
    values = {name: _fingerprint(_value(getattr(importlib.import_module(origin), name))) for origin, name in imported}
    return DecoderCode(modules, contracts, _fingerprint([modules, contracts, values]))


@lru_cache(maxsize=8)
def _closure(root: str) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """The modules that `root` reaches with their fingerprints, and what they import from modules of contracts."""
    modules: dict[str, str] = {}
    imported: set[tuple[str, str]] = set()
    left = [root]
    while left:
        name = left.pop()
        if name in modules:
            continue
        tree = ast.parse(_file(name).read_text(encoding="utf-8"))
        modules[name] = _fingerprint(ast.unparse(_without_docstrings(tree)))
        for origin, attribute in _imports(tree):
            if origin.rsplit(".", 1)[-1] == _CONTRACTS:
                imported.add((origin, attribute))
            else:
                left.append(origin)
    return dict(sorted(modules.items())), tuple(sorted(imported))


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each (module, name) of the sources that a module imports; of a module that is imported whole, an empty name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith(f"{_PACKAGE}."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE):
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                yield (module, "") if _is_module(module) else (str(node.module), alias.name)


def _is_module(name: str) -> bool:
    folder = Path(__file__).parent.joinpath(*name.removeprefix(f"{_PACKAGE}.").split("."))
    return folder.with_suffix(".py").is_file() or folder.joinpath("__init__.py").is_file()


def _file(module: str) -> Path:
    spec = find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    return Path(spec.origin)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def _value(value: Any) -> Any:
    """A value as nested lists, without prose; a function by its syntax tree."""
    if isinstance(value, Table | Column | Limit):
        fields = dataclasses.fields(value)
        return [(f.name, _value(getattr(value, f.name))) for f in fields if f.name not in _PROSE]
    if isinstance(value, Mapping):
        return [(key, _value(each)) for key, each in value.items()]
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    if inspect.isfunction(value):
        return ast.unparse(_without_docstrings(ast.parse(inspect.getsource(value))))
    return repr(value)


def _fingerprint(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
