"""What is upstream of each model, however far: other models, and the RAW tables.

Here: questions to the dependencies of the dbt project. Found once, when the graph is built.
"""

from collections.abc import Mapping, Sequence, Set

import dagster as dg

# Model → everything upstream of it, as far as RAW.
Upstream = Mapping[dg.AssetKey, Set[dg.AssetKey]]


def upstream_of_models(models: dg.AssetsDefinition) -> Upstream:
    """Everything upstream of each of the models."""
    direct = models.asset_deps
    found: dict[dg.AssetKey, set[dg.AssetKey]] = {}

    def above(key: dg.AssetKey) -> set[dg.AssetKey]:
        if key not in found:
            parents = direct.get(key, set())
            found[key] = set(parents).union(*map(above, parents))
        return found[key]

    return {model: above(model) for model in models.keys}


def raw_tables(upstream: Upstream, model: dg.AssetKey) -> Sequence[dg.AssetKey]:
    """The RAW tables that a model is derived from."""
    return sorted(key for key in upstream[model] if key.path[0] == "raw")


def tests_upstream(
    upstream: Upstream, models: dg.AssetsDefinition, selected: Set[dg.AssetKey], model: dg.AssetKey
) -> Sequence[dg.AssetCheckKey]:
    """The tests of every model upstream of `model` that is not `selected`. Tests of models that are built in the same
    run are run again: dbt itself stops at those that fail."""
    outside = upstream[model] - selected
    return sorted((check for check in models.check_keys if check.asset_key in outside), key=str)
