"""Which incremental model restates which, as the models declare it where they read each other.

Here: the edges of a parsed dbt project, what is wrong with them, and their list, by which a change of how a model
listens shows in review. Not here: what is recorded and restated along an edge (`dbt_project/macros/change_tracking/`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_HEADER = """\
# How each incremental model listens to the models that it reads: docs/dbt.md has what the words mean.
# Written by `make generate` from the models.
"""
# Incremental strategy → the ways of listening to a model of that strategy.
_RECORDED = {
    "newest_snapshot": frozenset({"values", "every_row", "columns"}),
    "changed_days": frozenset({"values"}),
    "changed_entities": frozenset({"values"}),
}
# The strategies that restate what the model's change log holds.
_RESTATING = ("changed_days", "changed_entities")


@dataclass(frozen=True)
class Declaration:
    """How a model listens to one parent. `how`: values, every_row, window, none or columns; `columns` of the last."""

    how: frozenset[str]
    columns: tuple[str, ...] = ()
    reason: str | None = None

    def __str__(self) -> str:
        ways = [way for way in sorted(self.how) if way != "columns"]
        if self.columns:
            ways.append(f"columns {', '.join(self.columns)}")
        return " + ".join(ways) + (f" ({self.reason})" if self.reason else "")


@dataclass(frozen=True)
class Model:
    """A model: its incremental strategy (None: it is not incremental), the models it reads, how it listens."""

    name: str
    strategy: str | None
    parents: frozenset[str]
    listens_to: Mapping[str, Declaration] = field(default_factory=dict)


def models(manifest: Mapping[str, Any]) -> dict[str, Model]:
    """The models of a parsed project (dbt's manifest.json) by name."""
    found: dict[str, Model] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            config = node["config"]
            is_incremental = config["materialized"] == "incremental"
            found[node["name"]] = Model(
                node["name"],
                (config.get("incremental_strategy") or "default") if is_incremental else None,
                frozenset(key.split(".")[2] for key in node["depends_on"]["nodes"] if key.startswith("model.")),
                _declarations(config.get("meta") or {}),
            )
    return found


def problems(project: Mapping[str, Model]) -> list[str]:
    """Every ref between incremental models that is not declared, and every declaration that cannot be kept."""
    return [problem for _, model in sorted(project.items()) for problem in _problems(model, project)]


def text(project: Mapping[str, Model]) -> str:
    """The list: a line per edge."""
    lines = [
        f"{model.name} <- {parent}: {declared}"
        for _, model in sorted(project.items())
        for parent, declared in sorted(model.listens_to.items())
    ]
    return _HEADER + "\n".join(lines) + "\n"


def _declarations(meta: Mapping[str, object]) -> dict[str, Declaration]:
    """The keys `listens_to.<parent>.<how>` that the macro tracked_ref leaves in a model's meta."""
    how: dict[str, set[str]] = {}
    columns: dict[str, list[str]] = {}
    reasons: dict[str, str] = {}
    for key, value in meta.items():
        if not key.startswith("listens_to."):
            continue
        _, parent, way, *column = key.split(".")
        how.setdefault(parent, set()).add(way)
        columns.setdefault(parent, []).extend(column)
        if way == "none" and isinstance(value, str):
            reasons[parent] = value
    return {
        parent: Declaration(frozenset(ways), tuple(sorted(columns[parent])), reasons.get(parent))
        for parent, ways in how.items()
    }


def _problems(model: Model, project: Mapping[str, Model]) -> Iterator[str]:
    incremental_parents = {parent for parent in model.parents if project[parent].strategy is not None}
    if model.strategy is None:
        for parent in sorted(model.listens_to):
            yield f"{model.name} listens to {parent}, but is not incremental: nothing would clear its change log."
        return
    for parent in sorted(incremental_parents - model.listens_to.keys()):
        yield (
            f"{model.name} reads {parent}, and both are incremental, but it does not declare how it listens. Read it "
            "with changed_rows() or tracked_ref() (docs/dbt.md)."
        )
    for parent, declared in sorted(model.listens_to.items()):
        for problem in _of_declaration(model, parent, declared, project):
            yield f"{model.name} listens to {parent} ({declared}), but {problem}."


def _of_declaration(model: Model, parent: str, declared: Declaration, project: Mapping[str, Model]) -> Iterable[str]:
    if parent not in model.parents:
        yield "does not read it"
        return
    ways = declared.how - {"none"}
    if "none" in declared.how:
        if ways:
            yield "declares also that it does not"
        if not declared.reason:
            yield "gives no reason why it need not"
    if ways and model.strategy not in _RESTATING:
        yield f"its strategy {model.strategy} restates nothing of what a parent records"
    recorded = _RECORDED.get(project[parent].strategy or "", frozenset())
    for way in sorted(ways - recorded):
        if way != "window":
            yield f"{way} is nothing that {parent} records"
        elif project[parent].strategy is not None:
            yield "a window is for parents that record nothing"
