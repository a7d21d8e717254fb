"""A bad day for each gate and layer, through the whole pipeline: it stops at its gate, and consumers never see it.

Here: what becomes of everything below and of neighbouring days. Not here: what exactly each gate refuses (`quality/`).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.automation.notifications.run_summary import summarize_run
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline_tests.conftest import GreenDays
from vp_pipeline_tests.end_to_end.check_results import red_checks
from vp_pipeline_tests.end_to_end.played import Played, Spoil

pytestmark = pytest.mark.slow

FIRST = GreenDays.DAYS[0]


@pytest.fixture
def played(green_days: GreenDays, tmp_path: Path) -> Iterator[Played]:
    """A pipeline that has published three good days."""
    with green_days.pipeline(3, tmp_path, Played) as pipeline:
        yield pipeline


def half_the_history(product: dict[str, Any]) -> None:
    """Half the points of each history, and half the figures."""
    product["csv"] = [history and history[: len(history) // 12 * 6] for history in product["csv"]]
    for name in ("monthlySoldHistory", "buyBoxSellerIdHistory"):
        if product.get(name):
            product[name] = product[name][: len(product[name]) // 4 * 2]


def no_history(product: dict[str, Any]) -> None:
    product["csv"] = [None] * 36


INGESTION: dict[str, tuple[Spoil, str]] = {
    "a column is missing": (lambda p: p.pop("asin"), "asin is not a text but null"),
    "a column has another type": (lambda p: p.update(csv="x"), "csv is not a list but text"),
    "half the rows are gone": (half_the_history, "is treated as data loss"),
    "no rows": (no_history, ": 0 rows, 0% of the usual"),
}


def test_bad_days_before_the_warehouse(played: Played) -> None:
    """One range with a bad day of each kind, and good ones before, between and after."""
    days = [FIRST + ONE_DAY * n for n in range(3, 3 + len(INGESTION) + 5)]
    truncated, *others = days[1:-2]
    between = others.pop(2)
    bad = dict(zip(others, INGESTION.items(), strict=True))
    for day, (_, (spoil, _)) in bad.items():
        played.sync(day, spoil)
    path = played.sync(truncated)
    played.lake.write(path, played.lake.read(path)[:-9])

    report = played.run(*days)
    assert not report.succeeded
    message = report.reasons[-1]
    assert f"{len(bad) + 1} of {len(days)} days did not go through" in message
    for day, expected in {
        truncated: "truncated or damaged",
        **{d: expected for d, (_, (_, expected)) in bad.items()},
    }.items():
        assert any(line.startswith(f"  {day}") and expected in line for line in message.splitlines()), (day, message)
    good = {days[0], between, days[-2], days[-1]}
    assert played.published_days == good | {FIRST + ONE_DAY * n for n in range(3)}
    assert not any(path.endswith(f"{truncated}.json") for path in played.lake_contents("silver"))

    # Each layer below on its own, afterwards: refused, and nothing has changed.
    before, lake, published = played.contents(), played.lake_contents("silver"), played.published()
    for selection in ("key:silver/*", "key:raw/*", "key:stg/* or key:core/* or key:mart/*", "key:published/*"):
        result = played.materialize(selection, truncated)
        assert not result.success, selection
    for day in bad:
        assert not played.materialize("key:raw/*", day).success
    assert played.contents() == before
    assert played.lake_contents("silver") == lake
    assert played.published() == published


STG_KEY = dg.AssetCheckKey(dg.AssetKey(["stg", "stg_keepa_price"]), "stg_keepa_price_key_is_unique")


def spoil_raw(played: Played, day: date, sql: str) -> None:
    """A day whose rows in RAW are as many as its manifest expected, and wrong."""
    assert played.materialize("key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*", day).success
    with played.warehouse.connect() as connection:
        connection.execute(sql.replace("DAY", f"date '{day}'"))


# What spoils a day's rows in RAW, and the message of the dbt test that finds it, by the layer of that test.
IN_DBT = {
    "core": (
        "update raw.keepa_price set landed_price = landed_price + 7 where _run_date = DAY and landed_price > 0",
        "core/core_keepa_price_change: The dbt test core_keepa_price_change_amounts_agree failed",
    ),
    "mart": (
        "update raw.keepa_price set asin = 'B0NOPRODU' || domain_id where _run_date = DAY",
        "mart/fct_price_history_daily: The dbt test relationships_fct_price_history_daily_product_key",
    ),
    "monitoring": (
        "update raw.keepa_stats set value = value + 5 where _run_date = DAY and stat = 'avg90' and series = 'NEW'",
        "monitoring/mon_keepa_reconciliation: The dbt test mon_keepa_reconciliation_agrees failed",
    ),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("layers", [["monitoring"], pytest.param([*IN_DBT], marks=pytest.mark.exhaustive)])
def test_bad_days_in_dbt(played: Played, layers: list[str]) -> None:
    """STG is the first of dbt's layers and monitoring the last: a day has one way out of all of them. `make exhaustive`
    plays those between."""
    one, two, three = (FIRST + ONE_DAY * n for n in range(3, 6))
    twice = (
        "update raw.keepa_price set observed_at = timestamp '2026-01-01' where _run_date = DAY and series = 'NEW' and "
        "(domain_id, observed_at) in (select (domain_id, observed_at) from raw.keepa_price where _run_date = DAY and "
        "series = 'NEW' qualify row_number() over (partition by domain_id order by observed_at) <= 2)"
    )
    spoil_raw(played, two, twice)

    # In STG, the middle one of three: it is red alone, its neighbours are done and published.
    report = played.run(one, two, three)
    assert not report.succeeded
    assert "1 of 3 days did not go through" in report.reasons[-1]
    assert f"{two}  delivery/power_bi: not built, because the check stg_keepa_price_key_is_unique" in report.reasons[-1]
    assert "The dbt test stg_keepa_price_key_is_unique failed: 2 failing rows. " in report.reasons[-1]
    assert "are excluded from STG" in report.reasons[-1]
    assert played.check_results(STG_KEY, one, two, three) == [True, False, True]
    mart = dg.AssetKey(["mart", "fct_price_history_daily"])
    assert {str(one), str(three)} <= set(played.instance.get_materialized_partitions(mart))
    assert str(two) not in played.instance.get_materialized_partitions(mart)
    assert played.published_days == {FIRST + ONE_DAY * n for n in range(3)} | {one, three}
    unchanged = refuses_the_layers_below(played, two, ["key:core/*", "key:mart/*", "key:published/*"])

    refused = [three + ONE_DAY * n for n in range(1, len(layers) + 1)]
    for day, layer in zip(refused, layers, strict=True):
        sql, expected = IN_DBT[layer]
        spoil_raw(played, day, sql)
        report = played.run(day)
        assert not report.succeeded
        assert expected in report.reasons[-1], report.reasons[-1]
        assert refuses_the_layers_below(played, day, ["key:published/*"]) == unchanged

    # A price of -5 is not a valid price; since then the price is unknown, and figures of it cannot be compared.
    bad_price, good = refused[-1] + ONE_DAY, refused[-1] + 2 * ONE_DAY
    played.sync(bad_price, lambda product: product["csv"][1].__setitem__(-1, -5))
    report = played.run(bad_price)
    assert report.succeeded, report.reasons
    assert report.layers["monitoring"].warned == 1

    # The next day, after all of these: green, and published with the good ones.
    report = played.run(good)
    assert report.succeeded, report.reasons
    assert played.published_days == {FIRST + ONE_DAY * n for n in range(3)} | {one, three, bad_price, good}
    assert played.query("select count(*) from mart.fct_price_history_daily where asin like 'B0NOPRODU%'") == [(0,)]

    # And an excluded one that has been fixed: included again.
    with played.warehouse.connect() as connection:
        connection.execute("delete from raw.keepa_stats where _run_date = ?", [refused[-1]])  # RAW loads it anew
    report = played.run(refused[-1])
    assert report.succeeded, report.reasons
    assert refused[-1] in played.published_days


def assert_left_out(played: Played, day: date, message: str) -> None:
    """The day has one cause: it is reported of the model, none of whose tests was run, so the one check that is red is
    that of the publication without the day."""
    cause = "fct_review_history_daily: Runtime Error"
    (line,) = [line for line in message.splitlines() if line.startswith("  ")]
    assert line.startswith(f"  {day}"), message
    assert f"does not include {day}, because it is excluded: {cause}" in line
    assert red_checks(played.instance, day) == ["published/marts:whole"]
    (newest,) = played.instance.get_run_records(limit=1)
    first = summarize_run(played.instance, newest).first_failure
    assert (first.step, first.check) == ("dbt (mart/fct_review_history_daily)", None)
    assert first.reason.startswith(f"dbt could not build {cause}")
    assert "are excluded from STG" in first.reason


@pytest.mark.exhaustive
def test_a_day_for_which_a_model_cannot_be_built_is_left_out_of_a_range(played: Played) -> None:
    """No test finds it: a rating of 999 stars does not fit into a mart's column, on whatever engine. It is of a moment
    that later answers do not have, before a stretch that could not be read, so no figure of Keepa's is compared."""
    one, two, three = (FIRST + ONE_DAY * n for n in range(3, 6))
    of_product = "_run_date = DAY and series = 'RATING' and domain_id = 1"
    oldest = f"(select min(observed_at) from raw.keepa_review where {of_product})"
    points = (("9990", "2026-01-01 00:07"), ("null", "2026-01-01 00:08"))
    moved = "update raw.keepa_review set value = {}, observed_at = timestamp '{}' where {} and observed_at = {}"
    spoil_raw(played, two, "; ".join(moved.format(*point, of_product, oldest) for point in points))

    report = played.run(one, two, three)
    assert not report.succeeded
    assert_left_out(played, two, report.reasons[-1])
    mart = played.instance.get_materialized_partitions(dg.AssetKey(["mart", "fct_review_history_daily"]))
    assert {str(one), str(three)} <= set(mart)
    assert str(two) not in mart
    assert played.published_days == {FIRST + ONE_DAY * n for n in range(3)} | {one, three}
    assert red_checks(played.instance, one) == red_checks(played.instance, three) == []

    with played.warehouse.connect() as connection:
        connection.execute("delete from raw.keepa_review where _run_date = ?", [two])  # RAW loads it anew
    report = played.run(two)
    assert report.succeeded, report.reasons
    assert two in played.published_days


def refuses_the_layers_below(played: Played, day: date, selections: list[str]) -> tuple[object, bytes]:
    """Launches layers on their own; none is built. Returns what models and consumers have, which has not changed."""
    before = played.contents(("core", "mart", "monitoring")), played.published()
    for selection in selections:
        assert not played.materialize(selection, day).success, selection
    assert (played.contents(("core", "mart", "monitoring")), played.published()) == before
    return before


def test_a_person_waives_a_test_of_dbt(played: Played) -> None:
    one = FIRST + 3 * ONE_DAY
    spoil_raw(
        played,
        one,
        "update raw.keepa_stats set value = value + 5 where _run_date = DAY and stat = 'avg90' and series = 'NEW'",
    )
    assert not played.run(one).succeeded
    report = played.run(one, waive="mon_keepa_reconciliation_agrees")
    assert report.succeeded, report.reasons
    assert one in played.published_days
    assert report.layers["monitoring"].warned == 1
    reconciled = dg.AssetKey(["monitoring", "mon_keepa_reconciliation"])
    assert played.check_results(dg.AssetCheckKey(reconciled, "mon_keepa_reconciliation_agrees"), one) == [False]
    (newest,) = played.instance.fetch_materializations(reconciled, limit=1).records
    assert newest.asset_materialization is not None
    waived = newest.asset_materialization.metadata["waived"].value
    assert waived == "Waived in this run: the test was not run."
    assert played.query("select count(*) from monitoring.mon_keepa_reconciliation where not is_within_tolerance") != [
        (0,)
    ]


def test_a_part_of_the_models_is_never_published(played: Played) -> None:
    before = played.published()
    day = FIRST + 3 * ONE_DAY
    assert played.materialize("key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*", day).success
    assert played.materialize("key:core/core_keepa_price_change or key:stg/*", day).success
    refused = played.materialize("key:published/*", FIRST)
    assert not refused.success
    assert "was of some models only" in str([e.event_specific_data for e in refused.all_events if e.is_step_failure])
    assert played.published() == before
    # Another day's run validates the day that was loaded alone with its own; both are whole now.
    report = played.run(day + ONE_DAY)
    assert report.succeeded, report.reasons
    assert {day, day + ONE_DAY} <= played.published_days
    assert played.check_results(STG_KEY, day, day + ONE_DAY) == [True, True]
