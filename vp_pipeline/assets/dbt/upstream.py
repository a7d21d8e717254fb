"""What is upstream of each model, however far: other models, the RAW tables, and so the streams.

Here: questions to the dependencies of the dbt project. Found once, when the graph is built.
"""

from collections.abc import Iterable, Mapping, Sequence, Set

import dagster as dg

from vp_pipeline.assets.keys import raw_key
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.stream_days import Unit

# Model → everything upstream of it, as far as RAW.
Upstream = Mapping[dg.AssetKey, Set[dg.AssetKey]]
# Model → the streams that it is derived from.
Units = Mapping[dg.AssetKey, Set[Unit]]
# Stream → the blocking checks of its own assets, up to RAW.
RawChecks = Mapping[Unit, Sequence[dg.AssetCheckKey]]


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


def units_of_models(upstream: Upstream, streams: Iterable[Stream]) -> Units:
    """The streams that each model is derived from. Of one that is derived from none (a list that comes with the
    project, the record of runs) all of them: it is built where any of them is."""
    units = {raw_key(table): stream.unit for stream in streams for table in stream.tables}
    every = {*units.values()}
    return {model: {units[key] for key in above & units.keys()} or every for model, above in upstream.items()}


def in_groups(
    raw_checks: RawChecks, units: Units, of: Set[Unit], checks: Iterable[dg.AssetCheckKey]
) -> Sequence[Sequence[dg.AssetCheckKey]]:
    """What an asset that is derived from the streams in `of` depends on, a group for each of them: the checks up to
    RAW, and those of `checks` whose models are derived from the stream too, be it from this one alone."""
    tests = [*checks]
    return [[*raw_checks[unit], *(test for test in tests if unit in units[test.asset_key])] for unit in sorted(of)]


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
