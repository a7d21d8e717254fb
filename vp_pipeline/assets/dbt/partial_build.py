"""A build of some of the models, as a person selects them in the UI.

It cannot validate a day, so no day is excluded or included again by it, and the marts are not published before a whole
build (`whole_build.py`).
"""

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports, refused
from vp_pipeline.assets.dbt.attempts import DbtStep
from vp_pipeline.assets.dbt.day_reports import green_reports, red_reports
from vp_pipeline.assets.dbt.upstream import Upstream
from vp_pipeline.warehouse import ledger

_NOT_EXCLUDED = "Not all models were built, so the day is not excluded yet."


def partial_build(step: DbtStep, admitted: Admitted, upstream: Upstream) -> Reports:
    """Builds the selected models over the admitted days; an excluded day is refused.

    Raises:
        PermanentError: dbt could not run, or a model is wrong whatever the data.
        TransientError: another process holds the warehouse.
    """
    context: dg.AssetExecutionContext = step.context
    build_id = ledger.new_build_id(context.run_id)
    with step.warehouse.connect() as connection:
        ledger.create(connection)
        step.restating.admit(connection)
        ledger.begin(connection, build_id, context.run_id)
        excluded = ledger.excluded_days(connection)
    for day in sorted(excluded.keys() & admitted.keys()):
        for key in sorted(admitted[day]):
            yield key, day, refused(f"{day} is excluded ({excluded[day]}). Materialize all dbt models to validate it.")
    days = [day for day in admitted if day not in excluded]
    attempt = step.attempt(days, days) if days else None
    with step.warehouse.connect() as connection:
        if attempt and not attempt.is_green:
            ledger.mark_pending(connection, days)
        ledger.finish(connection, build_id, "part")
    if attempt and attempt.is_green:
        yield from green_reports(context, days, attempt, upstream)
    elif attempt:
        yield from red_reports(context, days, attempt, _NOT_EXCLUDED)
