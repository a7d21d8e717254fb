"""How long the pages of the dashboard take, and how much memory, on 1,000 products of two years.

    python benchmarks/dashboard.py [PRODUCTS]

The published file of `vp run` (VP_DATA_DIR) is multiplied: each of its products many times, under other ASINs, with its
last two years. Then every page is opened, as Streamlit runs it and without a browser, after what `vp dashboard` reads
before it serves; and the page of a product for fifty products. What the engine keeps of the file in memory is included.
"""

import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb
from streamlit.testing.v1 import AppTest

from vp_pipeline.dashboard.serve import warm
from vp_pipeline.settings import load_settings

PAGES = ("overview", "product", "deals", "rank_movers", "stock-outs", "data_quality", "metrics")
DAYS = 730


def main() -> None:
    """Measure and print."""
    products = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    source = load_settings().published_path
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1) as other:  # its memory is none of the dashboard's
            rows = other.submit(multiplied, source, Path(folder) / "published.duckdb", products).result()
        size = (Path(folder) / "published.duckdb").stat().st_size
        print(f"{products:,} products, {rows:,} rows, {size / 1e6:,.0f} MB")
        os.environ["VP_DATA_DIR"] = folder
        warm()
        memory("before the first page")
        for page in (*PAGES, "overview"):
            timed(page)
        memory("after every page")
        app = timed("product")
        began = time.monotonic()
        for number in range(50):
            app.text_input(key="search").set_value(f"{number:06d}").run()
            assert not app.exception, app.exception
        print(f"{'50 products':24} {(time.monotonic() - began) / 50:6.2f} s each")
        memory("after 50 products")


def timed(page: str) -> AppTest:
    """Runs the script with a page open, as a new reader's session does."""
    app = AppTest.from_string(f"from vp_pipeline.dashboard.app import main\nmain({page!r})", default_timeout=120)
    began, cpu = time.monotonic(), time.process_time()
    app.run()
    assert not app.exception, app.exception
    assert not app.error, app.error
    print(f"{page:24} {time.monotonic() - began:6.2f} s, {time.process_time() - cpu:6.2f} s of the processor")
    return app


def memory(when: str) -> None:
    print(f"{when:24} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:6,.0f} MB at most")


def multiplied(source: Path, target: Path, products: int) -> int:
    """Writes the file; returns its rows."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{source}' as made (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'made' order by all"
        ).fetchall()
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'made'"
        ).fetchall()
        there = {(schema, table): {c for s, t, c in columns if (s, t) == (schema, table)} for schema, table in tables}
        (of_source,) = connection.execute("select count(*) from made.mart.dim_product").fetchall()[0]
        copies = -(-products // of_source)
        for schema, table in tables:
            connection.execute(f"create schema if not exists {schema}")
            selected = f"select * from made.{schema}.{table}"
            if {"product_key", "asin", "domain_id"} <= there[schema, table]:
                selected = (
                    f"select one.* replace (one.domain_id || '-' || {_asin} as product_key, {_asin} as asin) "
                    f"from made.{schema}.{table} as one, range({copies}) as copy(n)"
                )
                if "observed_date" in there[schema, table]:
                    newest = "(select max(calendar_date) from made.mart.dim_date)"
                    selected += f" where one.observed_date > {newest} - {DAYS} order by product_key, one.observed_date"
            connection.execute(f"create table {schema}.{table} as {selected}")
        rows = connection.execute(
            "select sum(estimated_size) from duckdb_tables() where database_name <> 'made'"
        ).fetchall()[0][0]
        connection.execute("checkpoint")
    return int(rows)


# Of each copy another one, ten characters long.
_asin = "substr(one.asin, 1, 1) || lpad(cast(copy.n as varchar), 6, '0') || substr(one.asin, 8)"


if __name__ == "__main__":
    main()
