"""What each dbt model is made by, as fingerprints: its SQL, macros, vars, contract, configuration and seeds.

Here: reading a parsed project (dbt's manifest.json) and the vars of `dbt_project.yml`; no dbt is imported. Not here:
what a model in the warehouse was built with (`warehouse/ledger.py`), and what is done about a difference (`assets/`).

A fingerprint changes with everything that may change rows and with nothing else:

- `sql`       the model's SQL as written, so both branches of `is_incremental()`; without its `config(...)` call
- `macros`    every macro of the project that the model reaches, all the way down, by name; among them the incremental
              strategy and what hooks call, and of dispatched macros the implementation of the adapter
- `vars`      every var that the SQL or one of those macros reads
- `config`    materialization, strategy, unique key, hooks, and the keys of `meta` that one of those macros names
- `contract`  names, types and constraints of the columns, where dbt enforces them
- `seeds`     the content of each seed that the model reads

Comments, blank space, descriptions, tags and tests are no part of any. Macros of dbt itself are not either: its release
is pinned.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PARTS = ("sql", "macros", "vars", "config", "contract", "seeds")

# Configuration that may change rows; everything else of a node's configuration does not.
_CONFIG = (
    "materialized",
    "incremental_strategy",
    "unique_key",
    "batch_size",
    "begin",
    "lookback",
    "event_time",
    "incremental_predicates",
    "column_types",
    "quoting",
    "schema",
    "alias",
)
_TOKEN = re.compile(
    r"""
      \{\#.*?\#\} | --[^\n]* | /\*.*?\*/ | \s+         # comments and blank space
    | (?P<kept> '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \w+ | . )
    """,
    re.DOTALL | re.VERBOSE,
)
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*\(")
_DISPATCH = re.compile(r"adapter\s*\.\s*dispatch\s*\(\s*['\"](\w+)['\"]")
_VAR = re.compile(r"(?<![\w.])var\s*\(\s*['\"](\w+)['\"]")
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class ModelCode:
    """The code that makes one model.

    `parts`: of each of PARTS, name → fingerprint (of `sql`, `config` and `contract` one, under an empty name).
    `own`: the fingerprint of all parts. `whole`: of these and of everything upstream, so that it differs as soon as
    anything that the model's rows depend on does. `parents`: the models and seeds that it reads.
    """

    name: str
    parts: Mapping[str, Mapping[str, str]]
    own: str
    whole: str
    parents: tuple[str, ...]


def model_code(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, ModelCode]:
    """The code of every model and seed of a parsed project, by name, parents first.

    `manifest`: dbt's manifest.json. `variables`: `vars` of dbt_project.yml.
    """
    project = _Project(manifest, variables)
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")}
    found: dict[str, ModelCode] = {}

    def visit(key: str) -> ModelCode:
        node = nodes[key]
        name = str(node["name"])
        if name not in found:
            above = sorted(parent for parent in node["depends_on"].get("nodes", ()) if parent in nodes)
            parents = [visit(parent) for parent in above]
            parts = project.parts(node, [nodes[parent] for parent in above])
            own = fingerprint(parts)
            whole = fingerprint([own, sorted((parent.name, parent.whole) for parent in parents)])
            found[name] = ModelCode(name, parts, own, whole, tuple(parent.name for parent in parents))
        return found[name]

    for key in sorted(nodes):
        visit(key)
    return found


def project_vars(project: Mapping[str, Any]) -> dict[str, Any]:
    """The vars of a parsed `dbt_project.yml`: those of the project itself take the place of global ones."""
    declared = dict(project.get("vars") or {})
    of_project = declared.pop(project["name"], None) or {}
    return {**declared, **of_project}


def normalized(code: str) -> str:
    """SQL or Jinja without comments, and with no difference left in blank space; quoted texts are kept as they are."""
    return _SEPARATOR.join(_tokens(code))


def fingerprint(value: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


class _Project:
    """The parts of nodes, over one parsed project."""

    def __init__(self, manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        package = manifest["metadata"]["project_name"]
        self._adapter = manifest["metadata"]["adapter_type"]
        self._variables = variables
        written: dict[str, str] = {
            macro["name"]: macro["macro_sql"]
            for macro in manifest["macros"].values()
            if macro["package_name"] == package and not macro["name"].startswith("test_")
        }
        self._macros = {name: fingerprint(normalized(code)) for name, code in written.items()}
        self._code = {name: _without_comments(code) for name, code in written.items()}
        self._calls = {name: tuple(self._called(code)) for name, code in self._code.items()}

    def parts(self, node: Mapping[str, Any], parents: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        config = node["config"]
        if node["resource_type"] == "seed":
            return {"seeds": {node["name"]: fingerprint([node["checksum"], config.get("column_types")])}}
        sql = _without_config(node["raw_code"])
        hooks = [hook["sql"] for kind in ("pre-hook", "post-hook") for hook in config.get(kind) or ()]
        roots = [sql, *hooks]
        if config.get("incremental_strategy"):
            roots.append(f"get_incremental_{config['incremental_strategy']}_sql()")
        macros = self._reached(roots)
        texts = [*map(_without_comments, roots), *(self._code[name] for name in macros)]
        read = sorted({name for text in texts for name in _VAR.findall(text)})
        meta = {
            key: value
            for key, value in (config.get("meta") or {}).items()
            if any(re.search(rf"['\".]{re.escape(key)}\b", text) for text in texts)
        }
        chosen = [{key: config.get(key) for key in _CONFIG}, [normalized(hook) for hook in hooks], meta]
        return {
            "sql": {"": fingerprint(normalized(sql))},
            "macros": {name: self._macros[name] for name in macros},
            "vars": {name: fingerprint(self._variables.get(name)) for name in read},
            "config": {"": fingerprint(chosen)},
            "contract": {"": fingerprint(_contract(node))} if config.get("contract", {}).get("enforced") else {},
            "seeds": {
                parent["name"]: fingerprint(parent["checksum"])
                for parent in parents
                if parent["resource_type"] == "seed"
            },
        }

    def _reached(self, roots: Sequence[str]) -> list[str]:
        """The project's macros that are called from `roots`, and from one another, in order of their names."""
        found: set[str] = set()
        left = [name for root in roots for name in self._called(_without_comments(root))]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self._calls[name]
        return sorted(found)

    def _called(self, code: str) -> Iterator[str]:
        yield from (name for name in _CALL.findall(code) if name in self._macros)
        for name in _DISPATCH.findall(code):
            implementations = (f"{self._adapter}__{name}", f"default__{name}")
            yield from [each for each in implementations if each in self._macros][:1]


def _tokens(code: str) -> Iterator[str]:
    return (match["kept"] for match in _TOKEN.finditer(code) if match["kept"] is not None)


def _without_comments(code: str) -> str:
    return " ".join(_tokens(code))


def _without_config(code: str) -> str:
    """A model's code without its `{{ config(...) }}`: its content is in the node's configuration."""
    start = re.search(r"\{\{-?\s*config\s*\(", code)
    if start is None:
        return code
    depth, position = 1, start.end()
    for match in _TOKEN.finditer(code, start.end()):
        depth += {"(": 1, ")": -1}.get(match["kept"] or "", 0)
        position = match.end()
        if depth == 0:
            break
    end = re.compile(r"\s*-?\}\}").match(code, position)
    return code[: start.start()] + code[end.end() if end else position :]


def _contract(node: Mapping[str, Any]) -> list[Any]:
    columns = node.get("columns", {}).values()
    return [[(c["name"], c.get("data_type"), c.get("constraints")) for c in columns], node.get("constraints")]
