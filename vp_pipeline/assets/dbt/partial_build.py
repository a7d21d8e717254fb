"""A build of some of the models, as a person selects them.

Its marts are published like those of a whole build (`whole_build.py`) if they are what a whole build would give. That
is so when the marts were whole before it, and it leaves nothing stale: every model that reads a built one is built too,
and every test that reads one is run and green. A chain of such builds may do it together: the ledger keeps what is
stale (`raw._stale`), and the build that leaves nothing stale is green, with the days of the last green build.

It cannot validate a day. So no day is excluded or included by it, and days that were loaded since the last whole build
hold it back, unless it does not see them: the marts do not include them yet, and no selected model reads RAW or a view
of it.
"""

from collections.abc import Mapping, Sequence, Set
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.admission import Admitted
from vp_pipeline.assets.days.report import Reports, refused
from vp_pipeline.assets.dbt.absence import present
from vp_pipeline.assets.dbt.attempts import Attempt, DbtStep
from vp_pipeline.assets.dbt.day_reports import green_reports, red_reports
from vp_pipeline.assets.dbt.downstream import Downstream
from vp_pipeline.assets.dbt.whole_build import Origins
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.connection import Connection

_NOT_EXCLUDED = "Not all models were built, so the day is not excluded yet."
_NOT_FINISHED = "its last build did not finish or is red"


def partial_build(step: DbtStep, admitted: Admitted, origins: Origins) -> Reports:
    """Builds the selected models over the admitted days; those whose streams are all excluded from a day are refused.

    Raises:
        PermanentError: dbt could not run, or a model is wrong whatever the data.
        TransientError: another process holds the warehouse.
    """
    context: dg.AssetExecutionContext = step.context
    selected = {key.path[-1] for key in context.selected_asset_keys}
    build_id = ledger.new_build_id(context.run_id)
    with step.warehouse.connect() as connection:
        excluded = ledger.excluded(connection)
        built = present(admitted, origins.units, excluded)
        if built:
            step.restating.admit(connection)
            stale = {**origins.downstream.models_left_out(selected), **dict.fromkeys(selected, _NOT_FINISHED)}
            ledger.begin(connection, build_id, context.run_id, stale)
    for day, keys in admitted.items():
        for key in sorted(keys - built.get(day, set())):
            reason = excluded[StreamDay(day, *min(origins.units[key]))]
            yield key, day, refused(f"{day} is excluded ({reason}). Materialize all dbt models to validate it.")
    if not built:
        return
    attempt = step.attempt([*built], built)
    with step.warehouse.connect() as connection:
        _finish(connection, build_id, attempt, [*built], origins.downstream)
    # With the tests of other models that read a built one: dbt has run them too.
    reported = {day: {*keys, *(key for key, _ in attempt.outcomes)} for day, keys in built.items()}
    if attempt.is_green:
        yield from green_reports(context, reported, attempt, origins.upstream, {}, {})
    else:
        yield from red_reports(context, reported, attempt, _NOT_EXCLUDED)


def unvalidated_rows(connection: Connection, selected: Set[str], downstream: Downstream) -> Mapping[str, str]:
    """Why a build of the `selected` models would not be what a whole build gives, whatever it builds: the days that
    were loaded since the last one. Each of the models with the reason; empty where none is in the way."""
    loaded = ledger.unvalidated_days(connection)
    if not selected & downstream.reads_raw:
        loaded = [day for day in loaded if day in ledger.days_of_marts(connection)]
    if not loaded:
        return {}
    listed = ", ".join(map(str, loaded))
    return dict.fromkeys(sorted(selected), f"no build of all models has validated the rows of {listed}")


def missing_models(
    connection: Connection, selected: Set[str], downstream: Downstream, code: Mapping[str, str]
) -> Mapping[str, str]:
    """What a green build of the `selected` models would leave stale, each with the reason: empty if it would be
    published. `code`: the fingerprint of each model as the project is now."""
    before = ledger.last_build(connection)
    if before is None or (before.state != "green" and not before.stale):
        return {ledger.EVERYTHING: "no build of all models has finished"}
    tests = {test for test, read in downstream.tests.items() if selected & set(read)}  # dbt runs each of them
    changed = model_code.made_by_other_code(connection, code)
    return {
        **{name: reason for name, reason in before.stale.items() if name not in selected | tests},
        **{name: "its code has changed" for name in changed if name not in selected},
        **downstream.models_left_out(selected),
        **unvalidated_rows(connection, selected, downstream),
    }


def _finish(
    connection: Connection, build_id: str, attempt: Attempt, days: Sequence[date], downstream: Downstream
) -> None:
    if not attempt.is_green:
        ledger.mark_pending(connection, days)
        ledger.finish_partial(connection, build_id)
        return
    built = {key.path[-1] for key in attempt.built}
    tests = {outcome.check for _, outcome in attempt.outcomes}
    stale = {**downstream.tests_left_out(built, tests), **unvalidated_rows(connection, built, downstream)}
    ledger.finish_partial(connection, build_id, built | tests, stale)
