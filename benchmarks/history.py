"""How the time of one day in the warehouse grows with the history that is there already.

    python benchmarks/history.py [1 10 100]

A warehouse is filled with two years of 20 × N products, six points a day and series, and built. Then a day is loaded
whose responses are the same whatever N is: what happened to 20 products on that day. Measured is `dbt run` of that day
in this process (all models), the best of three days, and of that the change and daily tables of prices alone.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

from vp_pipeline.sources.contract import RAW_COLUMNS
from vp_pipeline.sources.keepa.tables import TABLES

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
PRODUCTS, DAYS_OF_HISTORY, POINTS_A_DAY, SERIES = 20, 730, 6, ("NEW", "AMAZON", "USED", "NEW_FBA")
LAST = date(2026, 11, 1)


def main() -> None:
    """Measure and print a table."""
    sizes = [int(argument) for argument in sys.argv[1:]] or [1, 10, 100]
    head = ("history", "price points", "daily rows", "whole dbt run", "price tables", "days restated")
    print(*(f"{title:>14}" for title in head))
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(*(f"{cell:>14}" for cell in measure(Path(folder), size)), flush=True)


def measure(folder: Path, size: int) -> tuple[str, ...]:
    """One row of the table."""
    path = folder / "warehouse.duckdb"
    os.environ["VP_WAREHOUSE_PATH"] = str(path)
    fill(path, size)
    must(folder, "seed")
    must(folder, "run")
    whole, prices = [], []
    for number in range(3):
        day = LAST + timedelta(days=1 + number)
        with connected(path) as connection:
            load_day(connection, day)
        window = ("--event-time-start", day.isoformat(), "--event-time-end", (day + timedelta(days=1)).isoformat())
        began = time.perf_counter()
        times = must(folder, "run", *window)
        whole.append(time.perf_counter() - began)
        prices.append(times["core_keepa_price_change"] + times["core_keepa_price_daily"])
    with connected(path) as connection:
        ((points,),) = connection.execute("select count(*) from core.core_keepa_price_change").fetchall()
        ((rows,),) = connection.execute("select count(*) from core.core_keepa_price_daily").fetchall()
        ((newest,),) = connection.execute(
            "select count(*) from core.core_keepa_price_daily where observed_date = ?", [LAST + timedelta(days=3)]
        ).fetchall()
    assert newest == PRODUCTS * len(SERIES), newest
    return f"{size}×", f"{points:,}", f"{rows:,}", f"{min(whole):.2f} s", f"{min(prices):.2f} s", f"{newest} histories"


def fill(path: Path, size: int) -> None:
    """RAW with one old run_date that holds all of the history."""
    with connected(path) as connection:
        connection.execute("create schema raw")
        for table in TABLES:
            columns = ", ".join(f'"{c.name}" {c.type.sql}' for c in (*table.columns, *RAW_COLUMNS))
            connection.execute(f"create table raw.{table.raw_name} ({columns})")
        begin = LAST - timedelta(days=DAYS_OF_HISTORY)
        insert(connection, PRODUCTS * size, begin, DAYS_OF_HISTORY, LAST)


def load_day(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """The day's responses: the same products and as many points, whatever the history."""
    insert(connection, PRODUCTS, day, 1, day)


def insert(connection: duckdb.DuckDBPyConnection, products: int, begin: date, days: int, run_date: date) -> None:
    snapshot = datetime.combine(run_date + timedelta(days=1), datetime.min.time())
    common = f"timestamp '{snapshot}', date '{run_date}', timestamp '{snapshot}', 'made', timestamp '{snapshot}'"
    names = "snapshot_at, _run_date, _snapshot_at, _source_object, _loaded_at"
    asin = "'B' || lpad(cast(p.range as varchar), 9, '0')"
    connection.execute(
        f"insert into raw.keepa_product (asin, domain_id, product_type, tracking_since, {names}) "
        f"select {asin}, 1, 0, timestamp '2024-01-01', {common} from range({products}) p"
    )
    series = ", ".join(f"'{name}'" for name in SERIES)
    every = 24 // POINTS_A_DAY
    connection.execute(
        f"insert into raw.keepa_price (asin, domain_id, series, observed_at, price, landed_price, currency, {names}) "
        f"select {asin}, 1, s.name, timestamp '{begin}' + to_hours({every} * t.range), price, price, 'USD', {common} "
        f"from range({products}) p, (select unnest([{series}]) as name) s, range({days * POINTS_A_DAY}) t, "
        "lateral (select cast(hash(p.range, s.name, t.range) % 5000 as bigint) - 1 as price)"
    )
    connection.execute(
        f"insert into raw.keepa_rank (asin, domain_id, series, category_id, observed_at, sales_rank, {names}) "
        f"select {asin}, 1, 'SALES', 0, timestamp '{begin}' + to_hours({every} * t.range), "
        f"cast(hash(p.range, t.range) % 90000 as bigint), {common} "
        f"from range({products}) p, range({days * POINTS_A_DAY}) t"
    )


def must(folder: Path, *arguments: str) -> dict[str, float]:
    """Run dbt in this process; seconds of each model."""
    project = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT))
    paths = ("--target-path", str(folder / "target"), "--log-path", str(folder / "logs"))
    result = dbtRunner().invoke([*arguments, *project, *paths, "--quiet", "--log-level-file", "none"])
    if not result.success:
        raise SystemExit(f"dbt {' '.join(arguments)} failed: {result.exception or result.result}")
    return {each.node.name: each.execution_time for each in result.result.results}


@contextmanager
def connected(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(path)) as connection:
        yield connection


if __name__ == "__main__":
    main()
