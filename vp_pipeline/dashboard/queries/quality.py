"""How far the publication can be trusted: days by layer, checks, the vendor's own figures, freshness, slow models.

What is published of it was recorded up to the run that published. Records in quarantine are on the lake only
(`vp quarantine list`); of what was excluded from the marts the reasons are published.
"""

import pandas as pd

from vp_pipeline.dashboard.reading import Reader

DAYS = 60
LISTED = 200
# The columns of `mon_day`, in the order of the flow.
LAYERS = {
    "is_loaded": "loaded",
    "is_validated": "validated",
    "is_included": "included",
    "is_in_marts": "in the marts",
}


def days(reader: Reader) -> pd.DataFrame:
    """The last `DAYS` days × layers. Columns: run_date, layer, state ("yes" or "no"), rows_loaded, excluded_because."""
    found = reader.rows(
        f"select run_date, {', '.join(LAYERS)}, rows_loaded, excluded_because, excluded_answers from {{mon_day}} "
        f"order by run_date desc limit {DAYS}"
    )
    long = found.melt(["run_date", "rows_loaded", "excluded_because"], list(LAYERS), "layer", "state")
    long["state"] = long["state"].astype("boolean").fillna(False).map({True: "yes", False: "no"})
    long["layer"] = long["layer"].map(LAYERS)
    return long


def runs(reader: Reader) -> pd.DataFrame:
    """The newest runs. Columns: finished_at (UTC), run_date, has_succeeded, rows_loaded, models_built, models_failed,
    tests_passed, tests_warned, tests_failed, seconds."""
    return reader.rows(
        "select finished_at, run_date, has_succeeded, rows_loaded, models_built, models_failed, tests_passed, "
        "tests_warned, tests_failed, seconds from {mon_pipeline_run} order by finished_at desc, run_date desc limit 30"
    )


def failing_tests(reader: Reader) -> pd.DataFrame:
    """The tests whose newest result is no pass. Columns: model, test_name, status, failing_rows, last_date,
    finished_at (UTC)."""
    return reader.rows(
        "select model, test_name, status, failing_rows, last_date, finished_at from {mon_test_result} "
        f"where is_newest and status <> 'pass' order by status, model, test_name limit {LISTED}"
    )


def test_history(reader: Reader) -> pd.DataFrame:
    """How many tests of each of the newest 30 builds had each outcome. Columns: finished_at (UTC), status, tests."""
    return reader.rows(
        "select finished_at, status, count(*) as tests from {mon_test_result} where finished_at in "
        "(select distinct finished_at from {mon_test_result} order by finished_at desc limit 30) "
        "group by finished_at, status order by finished_at, status"
    )


def reconciliation(reader: Reader, model: str) -> pd.DataFrame:
    """Our figures against the vendor's. Columns: status, figures."""
    return reader.rows(f"select status, count(*) as figures from {{{model}}} group by status order by status")


def differences(reader: Reader, model: str, vendor_value: str) -> pd.DataFrame:
    """The figures that differ. Columns: asin, series, figure, our_value, vendor_value, difference, finding."""
    return reader.rows(
        f"select asin, series, figure, our_value, {vendor_value} as vendor_value, difference, finding from {{{model}}} "
        f"where status = 'differs' order by asin, series, figure limit {LISTED}"
    )


def excluded(reader: Reader) -> pd.DataFrame:
    """What the marts are without, by reason. Columns: source, stream, reason, days, answers."""
    return reader.rows(
        "select source, stream, reason, count(distinct run_date) as days, count(*) as answers "
        "from {mon_excluded_answer} group by source, stream, reason "
        f"order by answers desc, source, stream, reason limit {LISTED}"
    )


def late_products(reader: Reader) -> pd.DataFrame:
    """Products by the age of their newest answer, the oldest first. Columns: asin, title, snapshot_at (UTC), run_date,
    days_behind."""
    return reader.rows(
        "select f.asin, p.title, f.snapshot_at, f.run_date, f.days_behind from {mon_product_freshness} as f "
        "left join {dim_product} as p on p.product_key = f.product_key "
        f"order by f.days_behind desc, f.snapshot_at, f.asin limit {LISTED}"
    )


def late_assets(reader: Reader) -> pd.DataFrame:
    """Assets that are behind the newest day. Columns: layer, asset, newest_run_date, days_behind."""
    return reader.rows(
        "select layer, asset, newest_run_date, days_behind from {mon_freshness} where days_behind > 0 "
        f"order by days_behind desc, layer, asset limit {LISTED}"
    )


def slow_models(reader: Reader) -> pd.DataFrame:
    """The slowest models of the newest build. Columns: layer, model, seconds, median_seconds (of earlier builds),
    rows_total."""
    return reader.rows(
        "select layer, model, seconds, median_seconds, rows_total from {mon_model_run} "
        "where finished_at = (select max(finished_at) from {mon_model_run}) order by seconds desc, model limit 15"
    )
