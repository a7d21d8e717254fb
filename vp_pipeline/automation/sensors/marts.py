"""Marts whose upstream was rebuilt on its own follow by a condition, and with them the publication and its delivery."""

from collections.abc import Sequence, Set
from functools import partial

import dagster as dg

from vp_pipeline.assets.keys import of_layers

# When someone rebuilds part of CORE, the marts are outdated. A mart depends on several tables: a sensor would keep a
# cursor for each and join them. The condition is: an upstream of the newest day is newer, none is missing or being
# built, and every blocking check of the upstreams has passed. Without the last part eager() builds on a failed check,
# because a blocking check holds only inside its own run. In a daily run the marts are built with their upstreams, so
# there nothing is left to do. Older days are a matter of backfills: eager() looks at the newest day.
#
# The publication has the same condition, so it is part of the run that rebuilds the marts: if the run leaves nothing
# stale (`assets/dbt/partial_build.py`) consumers get them, and otherwise the run is red and names what is missing. It
# waits for no mart of a source that is late, nor does what follows it, nor a mart of several sources: that mart keeps
# the last good day of the late one.
_PASSED = dg.AutomationCondition.all_deps_blocking_checks_passed()
REBUILD = dg.AutomationCondition.eager() & _PASSED
_WAITS_FOR_NONE = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing()) & _PASSED
LAYERS = ("mart", "monitoring", "published", "delivery")
# Of CORE what is made of CORE: the days that each source covers, which the marts' calendar is of.
CALENDAR = "calendar"


def rebuilt_by_condition(
    assets: Sequence[dg.AssetsDefinition], of_several: Set[dg.AssetKey]
) -> list[dg.AssetsDefinition]:
    """The assets, with the condition on those of `LAYERS` and `CALENDAR`; without `mart_automation` nothing happens.
    `of_several`: those that are derived from several streams."""
    return [each.map_asset_specs(partial(_with_condition, of_several)) for each in assets]


def mart_automation() -> dg.AutomationConditionSensorDefinition:
    """Evaluates `REBUILD`."""
    return dg.AutomationConditionSensorDefinition(
        "mart_automation",
        target=of_layers(*LAYERS) | dg.AssetSelection.tag(CALENDAR, ""),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Rebuilds marts of the newest day whose upstream was rebuilt on its own, and publishes them.",
    )


def _with_condition(of_several: Set[dg.AssetKey], spec: dg.AssetSpec) -> dg.AssetSpec:
    # Views on the records of runs depend on no asset: eager() would build them as soon as a day is over.
    if (spec.key.path[0] not in LAYERS and CALENDAR not in spec.tags) or not list(spec.deps):
        return spec
    waits = spec.key not in of_several and spec.key.path[0] not in ("published", "delivery")
    return spec.replace_attributes(automation_condition=REBUILD if waits else _WAITS_FOR_NONE)
