"""The data tests of the dbt project, as it defines them: what each one means, whether it blocks, and why.

Here: reading their definitions from the parsed project, and the words of each kind. Not here: their results
(`results.py`), and the rows that one finds (`quality/failing_rows.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class DataTest:
    """A test of a model. `kind`: the generic test that it is of. `grain`: the columns that identify a row of the model.
    `why`: why it blocks, or only warns. `entry`: the one in docs/runbook.md, of its own or of its kind."""

    name: str
    kind: str
    model: str
    layer: str
    meaning: str
    blocks: bool
    why: str
    entry: str
    arguments: Arguments = field(default_factory=dict)
    grain: tuple[str, ...] = ()


def data_tests(manifest: Path) -> Mapping[str, DataTest]:
    """Every test of the project by its name, without those of models that are off. `manifest`: dbt's manifest.json."""
    nodes = orjson.loads(manifest.read_bytes())["nodes"]
    enabled = (name for name, node in nodes.items() if node["config"].get("enabled", True))
    found = [data_test(nodes, unique_id) for unique_id in enabled if unique_id.startswith("test.")]
    grains = {test.model: _columns(test.arguments) for test in reversed(found) if test.kind == "unique_combination"}
    return {test.name: DataTest(**{**vars(test), "grain": tuple(grains.get(test.model, ()))}) for test in found}


def data_test(nodes: Mapping[str, Any], unique_id: str) -> DataTest:
    """One test, without the grain of its model. `nodes`: of the parsed project."""
    node = nodes[unique_id]
    metadata = node.get("test_metadata") or {}
    kind, arguments = metadata.get("name", "singular"), metadata.get("kwargs", {})
    model = nodes.get(node.get("attached_node") or "", {})
    config = node["config"]
    meta = config.get("meta", {})
    meaning = " ".join((node.get("description") or MEANINGS.get(kind, _unnamed)(arguments)).split())
    return DataTest(
        node["name"],
        kind,
        model.get("name", ""),
        model.get("schema", ""),
        meaning,
        (config.get("severity") or "error").lower() == "error",
        str(meta.get("why", "")),
        str(meta.get("runbook", kind)),
        arguments,
    )


def _columns(arguments: Arguments) -> Sequence[str]:
    return list(arguments["columns"])


def _listed(names: Sequence[object]) -> str:
    *first, last = [str(name) for name in names]
    return f"{', '.join(first)} and {last}" if first else last


def referenced(to: object) -> str:
    """The model that `ref('model')` refers to."""
    return str(to).removeprefix("ref('").removesuffix("')")


def _unnamed(_: Arguments) -> str:
    return "No row breaks the rule of its SQL."


# What a test of each kind means, in a sentence over its arguments. A test's own description comes before it.
MEANINGS: Mapping[str, Callable[[Arguments], str]] = {
    "unique_combination": lambda a: f"No two rows have the same {_listed(_columns(a))}.",
    "unique": lambda a: f"No two rows have the same {a['column_name']}.",
    "not_null_columns": lambda a: f"Every row has {_listed(_columns(a))}.",
    "not_null": lambda a: f"Every row has {a['column_name']}.",
    "relationships": lambda a: f"Every {a['column_name']} is a {a['field']} of {referenced(a['to'])}.",
    "accepted_values": lambda a: f"{a['column_name']} is one of {_listed(a['values'])}.",
    "every_day_once": lambda a: (
        f"Each history{_of(a)} has every day from its first to its last exactly once ({a['date_column']})."
    ),
    "opens_where_it_closed": lambda a: (
        f"{a['open_column']} of a day is {a['close_column']} of the row before, in each history{_of(a)}."
    ),
    "sales_equals_its_category": lambda a: (
        "A SALES row of a day in one category equals that category's own row, on all but "
        f"{float(a['share']):.0%} of a product's days."
    ),
    "always_true": lambda a: f"In every row: {'; '.join(map(str, a['conditions']))}.",
}


def _of(arguments: Arguments) -> str:
    return f" ({', '.join(arguments['history'])})" if arguments["history"] else ""
