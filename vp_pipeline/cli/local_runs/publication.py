"""Whether a run of selected assets publishes, and what is missing where it does not.

Here: the selection with or without the publication and what follows it. Not here: the rule
(`assets/dbt/partial_build.py`), which the run applies again to what it has built.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import dagster as dg

from vp_pipeline.assets.dbt.downstream import Downstream
from vp_pipeline.assets.dbt.partial_build import missing_models
from vp_pipeline.assets.dbt.upstream import upstream_of_models
from vp_pipeline.assets.keys import PUBLISHED
from vp_pipeline.dbt.project_code import project_fingerprints
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.ledger import EVERYTHING


@dataclass(frozen=True)
class Selection:
    """The assets of a run. `missing`: the models without which their build is not published, each with the reason;
    empty where it is published in the run, or has no model."""

    assets: frozenset[dg.AssetKey]
    missing: Mapping[str, str] = field(default_factory=dict)


def with_publication(
    settings: Settings, definitions: dg.Definitions, models: dg.AssetsDefinition, selected: Set[dg.AssetKey]
) -> Selection:
    """The selected assets; with the publication and its deliveries if the models among them leave nothing stale, and
    without them otherwise.

    Raises:
        TransientError: another process holds the warehouse.
    """
    of_models = selected & models.keys
    if not of_models:
        return Selection(frozenset(selected))
    following = dg.AssetSelection.assets(PUBLISHED).downstream().resolve(definitions.resolve_asset_graph())
    missing = {} if of_models == models.keys else _missing(settings, models, selected)
    return Selection(frozenset(selected - following if missing else selected | following), missing)


def _missing(settings: Settings, models: dg.AssetsDefinition, selected: Set[dg.AssetKey]) -> Mapping[str, str]:
    downstream = Downstream.of(models, upstream_of_models(models))
    names = {key.path[-1] for key in selected & models.keys}
    if any(key.path[0] == "raw" for key in selected) and names & downstream.reads_raw:
        return {EVERYTHING: "only such a build validates the rows that RAW loads"}
    with build_environment(settings).build_warehouse().connect() as connection:
        return missing_models(connection, names, downstream, project_fingerprints(settings))
