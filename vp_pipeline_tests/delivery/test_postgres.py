"""The copy of a publication in PostgreSQL, on a real server: what is in it, and what its readers see meanwhile."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pytest
from pydantic import SecretStr

from vp_pipeline.assets.keys import POSTGRES
from vp_pipeline.build import build_definitions
from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.delivery import postgres_tables
from vp_pipeline.delivery.postgres import Copied, Postgres
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in, pipeline_settings
from vp_pipeline_tests.publishing.marts import publish_mart, published_in
from vp_pipeline_tests.stand_ins import postgres as server

pytestmark = pytest.mark.integration

SALES = pa.table(
    {
        "asin": ["B1", "B2", "B3"],
        "sold_on": pa.array([date(2026, 3, 1), date(2026, 3, 2), None]),
        "sold_at": pa.array([datetime(2026, 3, 1, 10, 30), None, None], pa.timestamp("us")),
        "seen_at": pa.array([datetime(2026, 3, 1, 10, 30, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "units": pa.array([7, None, -1], pa.int64()),
        "small": pa.array([7, None, -1], pa.int32()),
        "price": pa.array([Decimal("29.07"), None, Decimal("-0.10")], pa.decimal128(18, 2)),
        "share": pa.array([0.1, None, float("inf")], pa.float64()),
        "is_new": [True, None, False],
        "title": ['a "b", c\n\\N\ttab', "", None],
        "tags": pa.array([["x", "y"], None, []], pa.list_(pa.string())),
    }
)
TYPES = {
    "asin": "text",
    "sold_on": "date",
    "sold_at": "timestamp without time zone",
    "seen_at": "timestamp with time zone",
    "units": "bigint",
    "small": "integer",
    "price": "numeric(18,2)",
    "share": "double precision",
    "is_new": "boolean",
    "title": "text",
    "tags": "jsonb",
}


@pytest.fixture(scope="module")
def running() -> Iterator[server.Postgres]:
    with server.postgres() as running:
        yield running


@pytest.fixture
def url(running: server.Postgres, request: pytest.FixtureRequest) -> str:
    """A new database, with a role of readers."""
    name = f"db_{abs(hash(request.node.name))}"
    running.new_database(name)
    return running.url(name)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """What dbt writes of a model with a grain, a description and a described column."""
    model = {"resource_type": "model", "name": "sales", "schema": "mart", "description": "Sales,\nper product's day."}
    test = {
        "resource_type": "test",
        "name": "unique_sales",
        "columns": {},
        "attached_node": "model.vp.sales",
        "test_metadata": {"name": "unique_combination", "kwargs": {"columns": ["asin"]}},
    }
    nodes = {"m": {**model, "columns": {"price": {"description": "In the currency's units."}}}, "t": test}
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    return tmp_path / "manifest.json"


def published(folder: Path, number: int, rows: pa.Table = SALES) -> PublishedMarts:
    publish_mart(folder, number, "sales", rows, ["asin"])
    return PublishedMarts(DuckDBPublishedFile(published_in(folder)))


def target(url: str, **options: Any) -> Postgres:
    return Postgres(SecretStr(url), "consumers", **options)


def query(url: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url, options="-c timezone=UTC")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def copied(postgres: Postgres, marts: PublishedMarts, manifest: Path) -> Copied:
    return postgres.copy(marts, manifest, lambda message: None)


def test_the_tables_have_their_rows_types_keys_indexes_comments_and_grants(
    url: str, manifest: Path, tmp_path: Path
) -> None:
    query(url, "create role analysts")
    marts = published(tmp_path, 1)
    assert copied(target(url, reader_role="analysts"), marts, manifest) == Copied(4, 303, is_new=True)
    found = query(url, "select * from consumers.sales order by asin")
    assert found == [tuple(row.values()) for row in SALES.to_pylist()]
    types = "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass"
    types += " and attnum > 0"
    assert dict(query(url, types, "consumers.sales")) == TYPES
    assert query(url, "select count(*) from consumers.figures") == [(100,)]
    indexes = "select indexdef from pg_indexes where schemaname = 'consumers' and tablename = 'sales' order by 1"
    assert [definition.partition(" USING ")[2] for (definition,) in query(url, indexes)] == [
        "btree (sold_on)",
        "btree (asin)",
    ]
    keys = "select contype from pg_constraint where conrelid = 'consumers.sales'::regclass and contype = 'p'"
    assert query(url, keys) == [("p",)]
    assert query(url, "select obj_description('consumers.sales'::regclass)") == [("Sales, per product's day.",)]
    assert query(url, "select col_description('consumers.sales'::regclass, 7)") == [("In the currency's units.",)]
    may = "select has_table_privilege('analysts', %s, 'select'), has_table_privilege('analysts', %s, 'insert')"
    assert query(url, may, "consumers.sales", "consumers.sales") == [(True, False)]
    assert query(url, "select build_id, days from consumers.publication") == [("build-000001", [date(2026, 2, 2)])]


def test_the_same_publication_is_not_copied_again(url: str, manifest: Path, tmp_path: Path) -> None:
    marts = published(tmp_path, 1)
    assert copied(target(url), marts, manifest).is_new
    query(url, "create table consumers.mark (n int)")
    assert copied(target(url), marts, manifest) == Copied(4, 303, is_new=False)
    assert query(url, "select count(*) from consumers.mark") == [(0,)]


def test_readers_see_one_publication_as_a_whole_and_wait_for_none(url: str, manifest: Path, tmp_path: Path) -> None:
    copied(target(url), published(tmp_path, 1), manifest)
    reader = psycopg2.connect(url, options="-c statement_timeout=5000")
    with reader.cursor() as cursor:
        cursor.execute("select max(n) from consumers.facts")  # its transaction holds the table from here on
        assert cursor.fetchone() == (1,)
        log: list[str] = []
        seen: list[tuple[Any, ...]] = []

        def while_copying(message: str) -> None:
            log.append(message)
            seen.extend(query(url, "select (select max(n) from consumers.facts), (select max(n) from consumers.deals)"))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("vp_pipeline.delivery.postgres._DROP_SECONDS", 1)
            target(url).copy(published(tmp_path, 2), manifest, while_copying)
        assert set(seen[:-1]) == {(1, 1)}
        assert seen[-1] == (2, 2)
        assert log[-1].startswith("The previous tables are dropped by the next copy")
        assert query(url, "select max(n) from consumers.facts") == [(2,)]
    reader.close()
    copied(target(url), published(tmp_path, 3), manifest)
    schemas = "select nspname from pg_namespace where nspname like 'consumers%' order by 1"
    assert query(url, schemas) == [("consumers",)]


def test_a_copy_that_fails_changes_nothing(url: str, manifest: Path, tmp_path: Path) -> None:
    copied(target(url), published(tmp_path, 1), manifest)
    marts = published(tmp_path, 2)
    with pytest.raises(PermanentError, match=r'role "nobody_knows" does not exist.* Create it \(create role "nobody_k'):
        copied(target(url, reader_role="nobody_knows"), marts, manifest)
    assert query(url, "select max(n) from consumers.facts") == [(1,)]
    query(url, "create schema consumers__next; create table consumers__next.left_by_a_kill (n int)")
    copied(target(url), marts, manifest)
    assert query(url, "select max(n) from consumers.facts") == [(2,)]


def test_a_view_of_somebody_is_not_dropped(url: str, manifest: Path, tmp_path: Path) -> None:
    copied(target(url), published(tmp_path, 1), manifest)
    query(url, "create view public.best as select * from consumers.facts")
    copied(target(url), published(tmp_path, 2), manifest)
    with pytest.raises(PermanentError, match=r"depends on consumers__previous.*view best depends on table consumers__"):
        copied(target(url), published(tmp_path, 3), manifest)
    assert query(url, "select max(n) from public.best") == [(1,)]


def test_a_schema_of_somebody_else_is_not_replaced(url: str, manifest: Path, tmp_path: Path) -> None:
    query(url, "create schema consumers; create table consumers.theirs (n int)")
    with pytest.raises(PermanentError, match=r"tables that are not of this pipeline. Set VP_POSTGRES_SCHEMA"):
        copied(target(url), published(tmp_path, 1), manifest)


def test_one_process_copies_at_a_time(url: str, manifest: Path, tmp_path: Path) -> None:
    marts = published(tmp_path, 1)

    def meanwhile(message: str) -> None:
        with pytest.raises(TransientError, match="Another process is copying"):
            copied(target(url), marts, manifest)

    target(url).copy(marts, manifest, meanwhile)


def test_no_failure_names_the_password(running: server.Postgres, url: str, manifest: Path, tmp_path: Path) -> None:
    marts = published(tmp_path, 1)
    wrong = running.url("postgres", password="secret-of-the-test")
    for bad, kind, message in (
        (wrong, PermanentError, "password authentication failed.* Check VP_POSTGRES_URL"),
        ("postgresql://u:secret-of-the-test@127.0.0.1:1/x", TransientError, "cannot be reached"),
        ("secret-of-the-test", PermanentError, "VP_POSTGRES_URL is not valid"),
    ):
        with pytest.raises(kind, match=message) as failed:
            copied(target(bad), marts, manifest)
        assert "secret-of-the-test" not in str(failed.value)
    assert "secret" not in repr(target(wrong))


def test_a_long_name_keeps_its_index_apart() -> None:
    names = {postgres_tables._index("t" * 60, f"observed_date_{n}") for n in range(3)}
    assert len(names) == 3
    assert all(len(name) <= 65 for name in names)


def test_a_publication_of_the_pipeline_is_copied_with_its_keys(url: str, green_days: GreenDays, tmp_path: Path) -> None:
    """By the asset, of what dbt has built: every table with its rows, and the key that the project tests."""
    green_days.copy(1, tmp_path)
    with pipeline_in(tmp_path, Pipeline, keepa_asins=GreenDays.PRODUCTS, postgres_url=url) as pipeline:
        done = pipeline.materialize('key:"delivery/postgres"', GreenDays.DAYS[0])
        assert done.success
        settings = pipeline.settings
    marts = PublishedMarts(DuckDBPublishedFile(settings.published_path))
    published = marts.current()
    assert published is not None
    rows = {name: query(url, f"select count(*) from veracitypro.{name}")[0][0] for _, name in published.tables}
    assert rows == {name.partition(".")[2]: count for name, count in published.rows.items()}
    keys = "select count(*) from pg_index where indisunique and indrelid::regclass::text like 'veracitypro.%'"
    with_a_grain = grains(manifest_path(settings)).keys() & rows.keys()
    assert query(url, keys) == [(len(with_a_grain) + 1,)]  # and that of `publication`
    days = "select min(observed_date), max(close_price) from veracitypro.fct_price_history_daily"
    with marts.open() as found:
        expected = found.query(days.replace("veracitypro", "mart")).to_pylist()
    assert query(url, days) == [tuple(row.values()) for row in expected]


def test_the_graph_has_it_where_it_is_configured(tmp_path: Path) -> None:
    def keys(**overrides: object) -> set[Any]:
        return set(
            build_definitions(pipeline_settings(tmp_path, **overrides)).resolve_asset_graph().get_all_asset_keys()
        )

    assert keys(postgres_url="postgresql://u:p@host/x") - keys() == {POSTGRES}
