"""Where changed code stops a run, before the run writes anything that it would change.

Here: what the steps of silver, RAW and the models require of the code before they begin. Airbyte and bronze do not: no
code of ours made what they hold, and a day that an API with the present only does not give today is lost. Not here: the
comparison (`planning/report.py`), and restating (`silver.py`, `dbt/restating.py`).
"""

from collections.abc import Sequence

import dagster as dg

from vp_pipeline.assets.keys import raw_key
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake.decoded_days import days_to_restate
from vp_pipeline.lake.objects import Lake
from vp_pipeline.planning.report import plan_of
from vp_pipeline.quality.gate import current_failures
from vp_pipeline.settings import Settings
from vp_pipeline.sources.source import Stream
from vp_pipeline.warehouse.loading import Warehouse
from vp_pipeline.warehouse.loads import outdated_days

# The tag of a run that a person allowed to restate where the environment refuses to: `vp plan --apply` sets it.
APPLY_TAG = "vp/apply_code_change"


def require_same_code(context: dg.AssetExecutionContext, settings: Settings, warehouse: Warehouse, lake: Lake) -> None:
    """To be called before a step writes anything.

    Raises:
        PermanentError: VP_ON_CODE_CHANGE is `refuse`, and something that is built was made by other code.
        TransientError: another process holds the warehouse.
    """
    if not settings.refuses_code_changes or APPLY_TAG in context.run.tags:
        return
    plan = plan_of(settings, warehouse, lake)
    if not plan.is_empty:
        raise PermanentError(
            f"The code has changed since the marts were built, and VP_ON_CODE_CHANGE is `refuse`: {plan.what}. "
            "Silver, RAW and the models are as before. `vp plan` lists what would be made again; `vp plan --apply` "
            f"does it: {plan.cost}."
        )


def require_restated_silver(lake: Lake, stream: Stream) -> None:
    """To be called by the steps below silver: they do not build on what a decoder made that is not there any more.

    Raises:
        PermanentError: silver has such days, and has not tried to decode them again.
    """
    if days := days_to_restate(lake, stream):
        name = f"{stream.source}/{stream.name}"
        raise PermanentError(
            f"The decoder of {name} has changed, and {len(days)} days of silver are of the one before: {days[0]} to "
            f"{days[-1]}. Run a day (`vp run`), or materialize silver and RAW of {name} for any day: the other days "
            "are decoded again in the same run, from bronze."
        )


def require_restated_raw(
    instance: dg.DagsterInstance, warehouse: Warehouse, stream: Stream, checks: Sequence[dg.AssetCheckKey]
) -> None:
    """To be called by the models: RAW's rows of other code are replaced, or a check says why they cannot be. `checks`:
    the blocking ones up to RAW.

    Raises:
        PermanentError: RAW has not tried to load some of the days that silver has decoded again.
        TransientError: another process holds the warehouse.
    """
    with warehouse.connect() as connection:  # for writing: one of an older version is migrated first
        outdated = outdated_days(connection, stream.tables, stream.code.own)
    if days := [day for day in outdated if not current_failures(instance, checks, day.isoformat())]:
        raise PermanentError(
            f"RAW has {len(days)} days of {stream.source}/{stream.name}, {days[0]} to {days[-1]}, as another decoder "
            f"made them. Run a day (`vp run`), or materialize {raw_key(stream.tables[0]).to_user_string()} and the "
            "other tables of its stream for any day: the other days are loaded again in the same run."
        )
