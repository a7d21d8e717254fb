"""What each publication changed: whoever applies the changes has what consumers read, whatever was published or rolled
back."""

import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from vp_pipeline.publishing import changes
from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline_tests.publishing.marts import build, published_in, warehouse_in

# Key → value.
Deals = dict[str, int]
KEYS = {"sales": ("asin", "series"), "spans": ("asin",)}
SEEDS = range(12)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return publisher_of(tmp_path)


def publisher_of(folder: Path) -> Publisher:
    return Publisher(DuckDBPublications(published_in(folder), warehouse_in(folder)), dict, lambda: KEYS)


def publish(folder: Path, publisher: Publisher, number: int, sales: Mapping[str, int], columns: str = "*") -> str:
    build_id = build(folder, number)
    rows = ", ".join(f"('{asin}', 'NEW', {value})" for asin, value in sales.items()) or "(null, null, null)"
    with warehouse_in(folder).connect() as connection:
        connection.execute(
            f"create or replace table mart.sales as select {columns} from (values {rows}) as t(asin, series, value) "
            "where asin is not null"
        )
    publisher.publish(f"run-{number}")
    return build_id


def feed(folder: Path, after: datetime | None = None) -> list[tuple[str, str, str, str]]:
    with duckdb.connect(str(published_in(folder)), read_only=True) as connection:
        return connection.execute(
            "select mart, key, operation, build_id from published.changes where published_at > ? and mart = 'sales' "
            "order by published_at, mart, key",
            [after or datetime(2000, 1, 1)],
        ).fetchall()


def sales_in(folder: Path) -> Deals:
    with duckdb.connect(str(published_in(folder)), read_only=True) as connection:
        return dict(connection.execute("select asin, value from mart.sales").fetchall())


def test_each_publication_lists_what_it_added_altered_and_removed(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, publisher, 1, {"A": 1, "B": 2})
    assert feed(tmp_path) == []  # the first one is read as a whole
    publish(tmp_path, publisher, 2, {"B": 3, "C": 4})
    second = [
        ("sales", '{"asin":"A","series":"NEW"}', "delete", "build-000002"),
        ("sales", '{"asin":"B","series":"NEW"}', "update", "build-000002"),
        ("sales", '{"asin":"C","series":"NEW"}', "insert", "build-000002"),
    ]
    assert feed(tmp_path) == second
    publish(tmp_path, publisher, 3, {"B": 3, "C": 5})
    assert feed(tmp_path) == [*second, ("sales", '{"asin":"C","series":"NEW"}', "update", "build-000003")]


def test_a_new_column_alters_every_row(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, publisher, 1, {"A": 1, "B": 2})
    publish(tmp_path, publisher, 2, {"A": 1, "B": 2}, "asin, series, value as worth")
    assert [(json.loads(key)["asin"], operation) for _, key, operation, _ in feed(tmp_path)] == [
        ("A", "update"),
        ("B", "update"),
    ]


def test_a_mart_that_cannot_be_compared_is_to_be_read_as_a_whole(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, publisher, 1, {"A": 1}, "asin, value")  # its key has another column from then on
    publish(tmp_path, publisher, 2, {"A": 1, "B": 2})
    assert feed(tmp_path) == [("sales", None, "whole", "build-000002")]
    with warehouse_in(tmp_path).connect() as connection:
        connection.execute("drop table mart.sales")
    build(tmp_path, 3)
    publisher.publish("run-3")
    publish(tmp_path, publisher, 4, {"A": 1, "B": 3})  # it is back
    assert feed(tmp_path)[1:] == [("sales", None, "whole", "build-000004")]
    publish(tmp_path, publisher, 5, {"B": 3})
    assert [operation for _, _, operation, _ in feed(tmp_path)[2:]] == ["delete"]


def test_a_rollback_is_what_it_changes_back(tmp_path: Path, publisher: Publisher) -> None:
    publish(tmp_path, publisher, 1, {"A": 1})
    publish(tmp_path, publisher, 2, {"A": 2})
    read = publisher.marts.current()
    assert read is not None
    publisher.roll_back()
    back = ("sales", '{"asin":"A","series":"NEW"}', "update", "build-000001")
    assert feed(tmp_path)[-1:] == feed(tmp_path, read.published_at) == [back]
    publisher.roll_back("build-000002")
    assert feed(tmp_path)[-1] == (*back[:3], "build-000002")
    assert len(feed(tmp_path)) == 3


def test_changes_are_kept_for_a_set_time(tmp_path: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, publisher, 1, {"A": 1})
    publish(tmp_path, publisher, 2, {"A": 2})
    monkeypatch.setattr(changes, "KEPT_FOR", timedelta(0))
    publish(tmp_path, publisher, 3, {"A": 3})
    assert [build_id for *_, build_id in feed(tmp_path)] == ["build-000003"]
    current = publisher.marts.current()
    assert current is not None
    # Whoever read the one before has all that has changed since, and nobody who read an earlier one.
    assert [moment.build_id for moment in current.moments] == ["build-000002", "build-000003"]
    assert current.changes_since == current.moments[0].at


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_applies_the_changes_has_what_consumers_read(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    publisher = publisher_of(tmp_path)
    sales: Deals = {"A": 0}
    consumers: list[tuple[datetime, Deals]] = []  # until when each has applied the changes, and what it has
    for number in range(1, 9):
        current = publisher.marts.current()
        others = [each.build_id for each in publisher.kept() if current is not None and each != current]
        if others and draw.random() < 0.4:
            publisher.roll_back(draw.choice(others))
        else:
            sales = {asin: draw.choice([value, number]) for asin, value in sales.items() if draw.random() < 0.8}
            sales |= {draw.choice("BCDEF"): number}
            publish(tmp_path, publisher, number, sales)
        current = publisher.marts.current()
        assert current is not None
        assert current.changes_since is not None
        now = sales_in(tmp_path)
        for until, has in consumers:
            assert until >= current.changes_since
            assert applied(tmp_path, until, dict(has)) == now, (seed, number)
        consumers.append((_newest(tmp_path, current.published_at), now))


def applied(folder: Path, until: datetime, has: Deals) -> Deals:
    """What a consumer has after it has applied the changes since `until`, with the values of the marts."""
    now = sales_in(folder)
    for _, key, operation, _ in feed(folder, until):
        asin = json.loads(key)["asin"]
        if operation == "delete":
            has.pop(asin, None)
        elif asin in now:
            has[asin] = now[asin]
    return has


def _newest(folder: Path, published_at: datetime) -> datetime:
    """The moment of the last change, or of the publication."""
    with duckdb.connect(str(published_in(folder)), read_only=True) as connection:
        ((newest,),) = connection.execute("select max(published_at) from published.changes").fetchall()
    return max(newest or published_at, published_at)
