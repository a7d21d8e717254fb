"""Exports follow the feed of changes: whoever replays them has the mart, whatever was published, rolled back or
killed."""

import random
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing import changes
from vp_pipeline.publishing.feed import FeedGapError, typed_keys
from vp_pipeline_tests.delivery.sales import KEY, Sales, killed_before_the_manifest, on_duckdb, on_snowflake
from vp_pipeline_tests.publishing.marts import published_in
from vp_pipeline_tests.stand_ins.s3 import s3_stand_in
from vp_pipeline_tests.stand_ins.snowflake import DATABASE, SnowflakeStandIn, snowflake_stand_in

ON_SNOWFLAKE = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


@pytest.fixture
def sales(tmp_path: Path) -> Sales:
    return on_duckdb(tmp_path)


@pytest.fixture
def snowflake() -> Iterator[SnowflakeStandIn]:
    with s3_stand_in() as s3, snowflake_stand_in(s3.url) as server:
        server.query(f"create database if not exists {DATABASE}")
        yield server


@pytest.fixture(params=["duckdb", pytest.param("snowflake", marks=ON_SNOWFLAKE)])
def on_either(request: pytest.FixtureRequest, tmp_path: Path) -> Sales:
    if request.param == "duckdb":
        return on_duckdb(tmp_path)
    return on_snowflake(tmp_path, request.getfixturevalue("snowflake"))


def assert_replayed(sales: Sales) -> None:
    rows = sales.published()
    sales.replay()
    assert sorted(map(str, sales.replayed.values())) == sorted(map(str, rows.to_pylist()))


@pytest.mark.parametrize(
    ("on_either", "seed"),
    [
        *(("duckdb", seed) for seed in range(3)),
        # A walk on the stand-in takes 20 s; each has every kind of step.
        pytest.param("snowflake", 0, marks=[*ON_SNOWFLAKE, pytest.mark.slow]),
        *(pytest.param("snowflake", seed, marks=[*ON_SNOWFLAKE, pytest.mark.exhaustive]) for seed in (1, 2)),
    ],
    indirect=["on_either"],
)
def test_replaying_the_exports_gives_the_mart(on_either: Sales, seed: int) -> None:
    draw, sales = random.Random(seed), on_either
    prices, column, is_due = {"A": "1.00"}, "price", True
    wholes = 1  # how many exports have to be whole: the first, and those after the mart was away
    for number in range(9):
        kept = [each.build_id for each in sales.publisher.kept()[1:]]
        step = draw.choice(["publish", "publish", "roll back", "others", "rename", "away"])
        if step == "roll back" and kept:
            sales.publisher.roll_back(draw.choice(kept))
        else:
            if step != "others":
                prices = {asin: draw.choice([value, f"{number}.50"]) for asin, value in prices.items()}
                prices = {asin: value for asin, value in prices.items() if draw.random() < 0.7}
                prices[draw.choice("ABCDEF")] = f"{number}.00"
            column = {"price": "cost", "cost": "price"}[column] if step == "rename" else column
            sales.publish(None if step == "away" else prices, column)
        if sales.publisher.marts.current().rows.get("mart.sales") is None:  # type: ignore[union-attr]
            is_due = True
            with pytest.raises(PermanentError, match="No table sales is published"):
                sales.export()
            continue
        if draw.random() < 0.4:
            continue
        if draw.random() < 0.3:
            with killed_before_the_manifest(sales):
                sales.export()
        made = sales.export()
        assert sales.export() is None  # of the same publication nothing more
        assert_replayed(sales)
        wholes += bool(made and made.is_full) - is_due
        is_due = False
    assert wholes <= 1, [manifest.why_full for manifest in sales.manifests()]


def test_several_publications_are_netted_per_key(on_either: Sales) -> None:
    sales = on_either
    sales.publish({"A": "1.00", "B": "2.00", "C": "3.00", "D": "4.00"})
    sales.export()
    sales.publish({"A": "1.00", "C": "3.50", "D": "4.00", "E": "5.00"})  # without B; C altered; E new
    sales.publish({"A": "1.00", "B": "2.00", "C": "3.60", "F": "6.00"})  # B is back; D and E are gone; F new
    made = sales.export()
    assert made is not None
    assert (made.is_full, made.upserts, made.deletes) == (False, 3, 1)
    assert sales.changes() == [("B", "upsert"), ("C", "upsert"), ("D", "delete"), ("F", "upsert")]
    assert_replayed(sales)


def test_a_rollback_is_exported_as_what_it_changes_back(on_either: Sales) -> None:
    sales = on_either
    first = sales.publish({"A": "1.00", "B": "2.00"})
    sales.export()
    second = sales.publish({"B": "2.50", "C": "3.00"})
    sales.export()
    sales.publisher.roll_back()
    assert (made := sales.export()) is not None
    assert made.build == first
    assert sales.changes() == [("A", "upsert"), ("B", "upsert"), ("C", "delete")]
    sales.publisher.roll_back(second)
    assert (made := sales.export()) is not None
    assert made.build == second
    assert [manifest.is_full for manifest in sales.manifests()] == [True, False, False, False]
    assert_replayed(sales)


def test_the_keys_of_deletes_have_the_types_of_the_mart(on_either: Sales) -> None:
    sales = on_either
    sales.publish({"A": "1.00", "B": "2.00", "D": "3.00"})
    sales.export()
    rows = {row["asin"]: row for row in sales.published().to_pylist()}
    sales.publish({"A": "1.00"})
    sales.export()
    deletes = [row for row in sales._rows(sales.manifests()[-1]) if row["_operation"] == "delete"]
    assert [{name: row[name] for name in KEY} for row in deletes] == [
        {name: rows[asin][name] for name in KEY} for asin in ("B", "D")
    ]
    assert [row["price"] for row in deletes] == [None, None]


def test_another_kind_of_key_text_is_typed_alike() -> None:
    schema = pa.schema(
        [("at", pa.timestamp("us")), ("day", pa.date32()), ("n", pa.decimal128(38, 0)), ("is_new", pa.bool_())]
    )
    texts = [
        '{"at":"2026-03-01 10:30:00","day":"2026-03-01","is_new":true,"n":7}',
        '{"at":"2026-03-01 10:30:00.000","day":"2026-03-01","is_new":true,"n":7}',
        '{"at":"2026-03-01 10:30:00.000"}',
    ]
    one, two, three = typed_keys(texts, schema, schema.names).to_pylist()
    assert (
        one
        == two
        == {
            "at": datetime(2026, 3, 1, 10, 30),
            "day": date(2026, 3, 1),
            "n": Decimal(7),
            "is_new": True,
        }
    )
    assert three == {"at": datetime(2026, 3, 1, 10, 30), "day": None, "n": None, "is_new": None}
    with pytest.raises(FeedGapError, match="not as its columns"):
        typed_keys(['{"day":"yesterday"}'], schema, ["day"])


def test_an_export_that_is_further_behind_than_changes_are_kept_is_whole(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales.publish({"A": "1.00"})
    sales.export()
    monkeypatch.setattr(changes, "KEPT_FOR", timedelta(0))
    sales.publish({"A": "1.10", "B": "2.00"})
    sales.publish({"A": "1.10", "B": "2.10"})  # whose feed begins with the one before
    assert (made := sales.export()) is not None
    assert (made.is_full, made.upserts) == (True, 2)
    assert str(made.why_full).startswith("the changes are kept since ")
    sales.publish({"A": "1.10"})
    assert (made := sales.export()) is not None
    assert (made.is_full, made.upserts, made.deletes) == (False, 0, 1)
    assert_replayed(sales)


def test_a_mart_that_has_not_changed_for_longer_than_changes_are_kept_is_not_exported(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "KEPT_FOR", timedelta(0))
    for _ in range(4):  # the other tables change
        sales.publish({"A": "1.00"})
        sales.export()
    sales.publish({"A": "1.50"})
    sales.export()
    assert [manifest.is_full for manifest in sales.manifests()] == [True, False]


def test_a_publication_that_came_from_a_backup_is_exported_as_a_whole(sales: Sales, tmp_path: Path) -> None:
    sales.publish({"A": "1.00"})
    sales.publish({"A": "1.10"})
    shutil.copytree(tmp_path / "published", tmp_path / "backup")
    sales.publish({"A": "1.20", "B": "2.00"})
    sales.export()
    shutil.rmtree(tmp_path / "published")
    (tmp_path / "backup").rename(tmp_path / "published")
    published_in(tmp_path).unlink()
    shutil.copy(tmp_path / "published" / "build-000002.duckdb", published_in(tmp_path))
    sales.publish({"A": "1.20", "C": "3.00"})
    assert (made := sales.export()) is not None
    assert "is not among what consumers are recorded to have read" in str(made.why_full)
    assert_replayed(sales)


def test_changes_that_do_not_agree_with_the_mart_are_not_trusted(sales: Sales, tmp_path: Path) -> None:
    sales.publish({"A": "1.00"})
    sales.export()
    sales.publish({"A": "1.10"})
    published_in(tmp_path).chmod(0o644)
    with duckdb.connect(str(published_in(tmp_path))) as connection:
        connection.execute("""update changes set key = '{"asin":"B"}' where mart = 'sales'""")
    assert (made := sales.export()) is not None
    assert made.why_full == "the changes of sales and its rows do not have the same keys"
    assert_replayed(sales)


def test_a_clock_that_is_behind_hides_no_change(sales: Sales) -> None:
    sales.publish({"A": "1.00"})
    current = sales.publisher.marts.current()
    assert current is not None
    ahead = changes.continued(current, current, current.moment.at + timedelta(days=1))
    assert changes.next_moment(ahead) > ahead.moment.at
