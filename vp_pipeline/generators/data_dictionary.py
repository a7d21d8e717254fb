"""The data dictionary: every published table, from the dbt project's own descriptions, contracts and tests.

Here: `docs/data-dictionary.md`. Not here: the columns' types and origins (`model_columns.py`, which is run before).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.project import COLUMNS_FILE, manifest_path
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.sources.registry import NAMES

DICTIONARY = PROJECT_ROOT / "docs" / "data-dictionary.md"
SCHEMAS = {"mart": "Marts", "monitoring": "Monitoring"}

_HEAD = """# Data dictionary

Every published table: what a row is, its columns and where they come from, and what is tested before it is published.
Written by `make generate` from the dbt project. Times are UTC and without a time zone in their type; an interval is
[start, end). A table of a source that is off is not there.

The examples are for a Python session in the project (`vp_pipeline.published.read`) and for SQL on
`data/published.duckdb`. On Snowflake every table is in the schema PUBLISHED.
"""

Node = Mapping[str, Any]


def files() -> dict[Path, str]:
    """The file and the text that it should hold."""
    settings = load_settings({}, chosen_sources=NAMES)  # every source, also one that is off until it is configured
    manifest = manifest_path(settings)
    columns = json.loads(COLUMNS_FILE.read_text(encoding="utf-8"))
    return {DICTIONARY: text(json.loads(manifest.read_text(encoding="utf-8"))["nodes"], grains(manifest), columns)}


def text(
    nodes: Mapping[str, Node], keys: Mapping[str, Sequence[str]], columns: Mapping[str, Mapping[str, Node]]
) -> str:
    """The dictionary as Markdown.

    Args:
        nodes: dbt's nodes, by unique id.
        keys: the columns of each model's grain.
        columns: model → column → its type and what it is derived from, as `dbt_project/columns.json` has it.
    """
    tables = {node["name"]: node for node in nodes.values() if _is_published(node)}
    lines = [_HEAD]
    for schema, title in SCHEMAS.items():
        names = sorted(name for name, node in tables.items() if node["schema"] == schema)
        lines += [f"## {title}\n", *_contents(names, tables)]
        for name in names:
            tests = [test for test in nodes.values() if test.get("attached_node") == tables[name]["unique_id"]]
            lines += _table(tables[name], tests, keys.get(name, ()), columns[name])
    return "\n".join(lines)


def _is_published(node: Node) -> bool:
    return node["resource_type"] == "model" and node["schema"] in SCHEMAS


def _contents(names: Sequence[str], tables: Mapping[str, Node]) -> Iterator[str]:
    yield "| table | grain |\n|---|---|"
    for name in names:
        yield f"| [{name}](#{name}) | {_cell(_row(tables[name]))} |"
    yield ""


def _table(node: Node, tests: Sequence[Node], key: Sequence[str], columns: Mapping[str, Node]) -> Iterator[str]:
    name = node["name"]
    yield f"### {name}\n\n{_line(node['description'])}\n"
    yield f"- Grain: {_row(node)}."
    yield f"- Key: {_code(key)}." if key else "- Key: none; it has at most one row."
    yield f"- Made from: {_code(sorted(_model_of(unique_id) for unique_id in node['depends_on']['nodes']))}."
    yield f"- Tested before it is published: {_code(sorted(_tested(test) for test in tests))}." if tests else ""
    yield "\n| column | type | what it is | derived from |\n|---|---|---|---|"
    for column, found in columns.items():
        described = node["columns"][column]["description"]
        yield f"| `{column}` | {found['type']} | {_cell(described)} | {_origin(found['from'])} |"
    shown = list(dict.fromkeys([*key, *columns]))[:4]
    yield "\n```python"
    yield f'read("{name}", columns={json.dumps(shown)})'
    yield "```\n\n```sql"
    yield f"select {', '.join(shown)} from {node['schema']}.{name}"
    yield "```\n"


def _origin(columns: Sequence[tuple[str, str]]) -> str:
    """`[("core.a", "x"), ("core.a", "y")]` as "a: x, y"."""
    by_table: dict[str, list[str]] = {}
    for relation, column in columns:
        by_table.setdefault(relation.partition(".")[2], []).append(column)
    return "; ".join(f"{table}: {', '.join(fields)}" for table, fields in by_table.items())


def _row(node: Node) -> str:
    return _line(node["config"]["meta"]["grain"])


def _tested(test: Node) -> str:
    """The kind of a generic test with the column that it is of, the name of any other."""
    kind = (test.get("test_metadata") or {}).get("name")
    if kind is None:
        return str(test["name"])
    return f"{kind}({test['column_name']})" if test.get("column_name") else str(kind)


def _model_of(unique_id: str) -> str:
    return unique_id.rsplit(".", 1)[-1]


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _cell(written: str) -> str:
    return _line(written).replace("|", "\\|")


def _line(written: str) -> str:
    return " ".join(written.split())
