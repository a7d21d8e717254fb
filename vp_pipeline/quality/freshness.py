"""Freshness: does the day that has just finished exist?

Here: Dagster's own policy, and a check that a backfill does not mislead. Dagster's policy is about when an asset was
last materialized, whichever day that was for, so a backfill of an old day makes a late pipeline look fresh. Not here:
when the check runs (`automation/`); it is not part of the daily run, and nothing depends on it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import dagster as dg

from vp_pipeline.failures import remedies
from vp_pipeline.partitions import newest_finished_day

CHECK = "yesterday_is_there"
# The day's run begins at 00:10 UTC and takes minutes: two hours late is worth a look, six hours late people notice.
# The same for `dbt source freshness`.
WARN_AFTER_HOURS, FAIL_AFTER_HOURS = 26, 30
POLICY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=WARN_AFTER_HOURS), fail_window=timedelta(hours=FAIL_AFTER_HOURS)
)


def freshness_checks(keys: Sequence[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """One check each: the partition of the newest finished day was materialized."""

    @dg.multi_asset_check(
        name="freshness",
        can_subset=True,
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key,
                description="The partition of the newest finished UTC day exists, whatever else was run. "
                f"{remedies.runbook(CHECK)}",
            )
            for key in keys
        ],
    )
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        for key in sorted(key.asset_key for key in context.selected_asset_check_keys):
            yield yesterday_is_there(context.instance, key)

    return check


def yesterday_is_there(instance: dg.DagsterInstance, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Whether the newest finished day of an asset was ever materialized."""
    day = newest_finished_day().isoformat()
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day])
    passed = bool(instance.fetch_materializations(wanted, limit=1).records)
    name = key.to_user_string()
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=key,
        check_name=CHECK,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{name} has {day}."
        if passed
        else f"{name} has no {day} yet: look at its run, or {remedies.run(date.fromisoformat(day))}.",
        metadata={"day": day},
    )
