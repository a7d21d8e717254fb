"""Restating in a build: the models whose code differs from what built them, and everything below them.

Here: what one build restates. Not here: the comparison (`planning/plan.py`), and the record,
which dbt writes in the transaction that builds a model (`dbt_project/macros/restating.sql`).
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.failures import PermanentError
from vp_pipeline.planning.plan import READS, model_plan
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.loading import Warehouse

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

REQUESTED = "requested"
_NAMED = 3


@dataclass
class Restating:
    """What the build of one run restates.

    `code`: the project's, by model, parents first. `selected`: the models of the run. `requested`: models that a person
    asked to build as a whole. `reasons`: why each model was restated in this run. `is_first`: nothing was ever built,
    so nothing is restated.
    """

    code: Mapping[str, ModelCode]
    selected: Set[str]
    requested: Set[str] = frozenset()
    reasons: dict[str, str] = field(default_factory=dict)
    is_first: bool = False

    def admit(self, connection: "Connection") -> None:
        """To be called before the build begins: nothing was touched yet.

        Raises:
            PermanentError: a model to restate reads one that differs too and that the run does not build.
        """
        plan = model_plan(self.code, model_code.built_with(connection))
        self.is_first = not ledger.is_built(connection)
        if plan.is_empty or self.is_first:
            return
        for change in plan.changes:
            missing = sorted(set(change.because_of) - self.selected)
            if change.name in self.selected and missing:
                raise PermanentError(
                    f"{change.name} reads {', '.join(missing)}, whose code has changed and which this run does not "
                    f"build. Build them too: select {' '.join(f'{name}+' for name in missing)}, or all models."
                )

    @property
    def reported(self) -> Mapping[str, str]:
        """What people are to know: the models that were restated, with the reason."""
        return {} if self.is_first else dict(self.reasons)

    @property
    def summary(self) -> str:
        """The same in a few words: how many models, and those whose own code has changed."""
        own = [f"{name} ({why})" for name, why in self.reported.items() if not why.startswith(READS)]
        more = f" and {len(own) - _NAMED} more" if len(own) > _NAMED else ""
        return f"{len(self.reported)} models: {', '.join(own[:_NAMED])}{more}"

    def next_attempt(self, warehouse: Warehouse) -> Mapping[str, str]:
        """The models that dbt is to build as a whole now, with the fingerprint that each records. What an earlier
        attempt of the run has restated is not restated again. Models that are gone are dropped by a whole build."""
        with warehouse.connect() as connection:
            built = model_code.built_with(connection)
            plan = model_plan(self.code, built)
            why = {change.name: change.why for change in plan.changes if change.name in self.selected}
            why |= {name: REQUESTED for name in self.requested & self.selected if name not in {**self.reasons, **why}}
            if why:
                model_code.explain(connection, [self.code[name] for name in why])
            if plan.gone and self.selected >= self.code.keys():
                model_code.drop(connection, {name: built[name] for name in plan.gone})
                self.reasons |= dict.fromkeys(plan.gone, "gone from the project: dropped")
        self.reasons |= why
        return {name: self.code[name].whole for name in why}
