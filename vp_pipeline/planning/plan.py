"""The plan: which models differ from what the warehouse was built with, and why.

Here: the comparison, over plain values. Not here: where they come from (`dbt/fingerprints.py`,
`warehouse/model_code.py`), and what is printed (`cli/code_changes/plan.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vp_pipeline.dbt.fingerprints import PARTS, ModelCode
from vp_pipeline.warehouse.model_code import BuiltWith

# What a part is called where people read it; a name follows where the part has several.
_CALLED = {
    "sql": "SQL",
    "macros": "macro",
    "vars": "var",
    "config": "configuration",
    "contract": "contract",
    "seeds": "seed",
}

# How the reason of a model begins that is restated because of others only.
READS = "reads "


@dataclass(frozen=True)
class ModelChange:
    """A model that has to be restated. `reasons`: what differs in its own code, in words; empty where only something
    upstream does. `because_of`: the models that it reads and that are restated too."""

    name: str
    reasons: tuple[str, ...]
    because_of: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """The reasons as a phrase: `SQL, macro to_major_units`, or `reads fct_price_history_daily`."""
        return ", ".join(self.reasons) or f"{READS}{', '.join(self.because_of)}"


@dataclass(frozen=True)
class ModelPlan:
    """`changes`: what has to be restated, parents first. `gone`: models that are in the warehouse and in no
    project any more."""

    changes: tuple[ModelChange, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.changes and not self.gone


def model_plan(code: Mapping[str, ModelCode], built: Mapping[str, BuiltWith]) -> ModelPlan:
    """What differs between the project's `code` (parents first) and what the warehouse was `built` with."""
    changes: dict[str, ModelChange] = {}
    for name, current in code.items():
        before = built.get(name)
        if before is not None and before.whole == current.whole:
            continue
        parents = tuple(parent for parent in current.parents if parent in changes)
        changes[name] = ModelChange(name, _reasons(current, before, bool(parents)), parents)
    return ModelPlan(tuple(changes.values()), tuple(sorted(built.keys() - code.keys())))


def _reasons(current: ModelCode, before: BuiltWith | None, has_changed_parents: bool) -> tuple[str, ...]:
    if before is None:
        return ("not built by a recorded version",)
    if before.parts is None:
        return ("built by another version",)
    if before.own != current.own:
        return tuple(_differences(current.parts, before.parts)) or ("built by another version",)
    # Its own code and its parents' are as before: it reads another set of models, or a restatement was not finished.
    return () if has_changed_parents else ("something upstream was restated without it",)


def _differences(current: Mapping[str, Mapping[str, str]], before: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = []
    for part in PARTS:
        now, then = current.get(part, {}), before.get(part, {})
        for name in sorted(now.keys() | then.keys()):
            if now.get(name) != then.get(name):
                found.append(f"{_CALLED[part]} {name}".strip())
    return found
