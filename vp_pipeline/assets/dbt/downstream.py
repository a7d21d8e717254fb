"""What is downstream of each model, however far: the models and tests that read it.

Here: questions to the dependencies of the dbt project, by name. Found once, when the graph is built. Not here: what is
stale in a warehouse (`warehouse/ledger.py`).
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.assets.dbt.upstream import Upstream

_NAMED = 3


@dataclass(frozen=True)
class Downstream:
    """`models`: model → every model that reads it, however far. `tests`: test → the models that it reads, the one that
    it is a check of first. `reads_raw`: the models that read RAW themselves, or through a view of staging."""

    models: Mapping[str, Set[str]]
    tests: Mapping[str, tuple[str, ...]]
    reads_raw: Set[str]

    @classmethod
    def of(cls, models: dg.AssetsDefinition, upstream: Upstream) -> "Downstream":
        below: dict[str, set[str]] = {key.path[-1]: set() for key in models.keys}
        for key, above in upstream.items():
            for model in above & models.keys:
                below[model.path[-1]].add(key.path[-1])
        tests = {
            spec.name: (spec.asset_key.path[-1], *(dep.asset_key.path[-1] for dep in spec.additional_deps))
            for spec in models.check_specs
        }
        direct = models.asset_deps
        reads_raw = {key.path[-1] for key in models.keys if any(p.path[0] in ("raw", "stg") for p in direct[key])}
        return cls(below, tests, reads_raw)

    def models_left_out(self, selected: Set[str]) -> dict[str, str]:
        """The models that a build of the `selected` ones makes stale: they read a built one, and are not built. Each
        with the reason."""
        below = set().union(*(self.models[model] for model in selected)) - selected
        return {name: _reads([m for m in sorted(selected) if name in self.models[m]]) for name in sorted(below)}

    def tests_left_out(self, selected: Set[str], run: Set[str]) -> dict[str, str]:
        """The tests that a build of the `selected` models makes stale: they read a built one, and are not among those
        that were `run`. Each with the reason. A test of a model that is itself left out is run when that one is built.
        """
        models = self.models_left_out(selected)
        found = {}
        for test, read in self.tests.items():
            built = [model for model in read if model in selected]
            if built and test not in run and read[0] not in models:
                found[test] = f"a test of {read[0]}, {_reads(built)}"
        return found


def _reads(models: Sequence[str]) -> str:
    more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
    return f"reads {', '.join(models[:_NAMED])}{more}"
