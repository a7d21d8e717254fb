"""Marts whose upstream was rebuilt on its own follow by a condition."""

import dagster as dg

# When someone rebuilds part of CORE, the marts are outdated. A mart depends on several tables: a sensor would keep a
# cursor for each and join them. The condition is: an upstream of the newest day is newer, none is missing or being
# built, and every blocking check of the upstreams has passed. Without the last part eager() builds on a failed check,
# because a blocking check holds only inside its own run. In a daily run the marts are built with their upstreams, so
# there nothing is left to do. Older days are a matter of backfills: eager() looks at the newest day.
REBUILD = dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()


def rebuilt_by_condition(models: dg.AssetsDefinition) -> dg.AssetsDefinition:
    """The dbt models with the condition on their marts; nothing happens while `mart_automation` is off."""
    return models.map_asset_specs(
        lambda spec: spec.replace_attributes(automation_condition=REBUILD) if spec.key.path[0] == "mart" else spec
    )


def mart_automation() -> dg.AutomationConditionSensorDefinition:
    """Evaluates `REBUILD` on the marts."""
    return dg.AutomationConditionSensorDefinition(
        "mart_automation",
        target=dg.AssetSelection.groups("mart"),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Rebuilds marts of the newest day whose upstream was rebuilt on its own.",
    )
