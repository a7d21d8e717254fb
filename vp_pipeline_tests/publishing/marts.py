"""A warehouse with marts that dbt could have built, in no time: each build fills every table with its number.

`python -m vp_pipeline_tests.publishing.marts FOLDER publish|read …` does in a process of its own what the tests need
there.
"""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse

TABLES = ("mart.deals", "mart.facts", "monitoring.figures")
FIRST = date(2026, 2, 1)


def publisher_in(folder: Path) -> Publisher:
    return Publisher(DuckDBPublications(published_in(folder), warehouse_in(folder)), dict)


def published_in(folder: Path) -> Path:
    return folder / "published.duckdb"


def warehouse_in(folder: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(folder / "warehouse.duckdb")


def build(folder: Path, number: int, state: ledger.BuildState = "green") -> str:
    """Builds all tables with `number` in every one of their 100 rows; returns the build's id."""
    build_id = f"build-{number:06}"
    with warehouse_in(folder).connect() as connection:
        ledger.begin(connection, build_id, f"run-{number}")
        for schema in ("mart", "monitoring"):
            connection.execute(f"create schema if not exists {schema}")
        for table in TABLES:
            connection.execute(f"create or replace table {table} as select {number} as n, range as i from range(100)")
        connection.execute(
            "insert into raw._loads (table_name, run_date) values ('keepa_product', ?)", [FIRST + number * ONE_DAY]
        )
        if state != "building":
            ledger.finish(connection, build_id, state)
    return build_id


def publish_mart(folder: Path, number: int, mart: str, rows: pa.Table, key: Sequence[str]) -> Publisher:
    """Publishes a build in which a mart has these rows; `key`: the columns of its grain."""
    build(folder, number)
    with warehouse_in(folder).connect() as connection:
        connection.execute("select 1").fetchall()  # ends the statement before, which `register` waits for
        connection.register("rows_of_the_mart", rows)
        connection.execute(f"create or replace table mart.{mart} as from rows_of_the_mart")
    publisher = Publisher(DuckDBPublications(published_in(folder), warehouse_in(folder)), dict, lambda: {mart: key})
    publisher.publish(f"run-{number}")
    return publisher


def read(folder: Path) -> int:
    """The number that a consumer finds in every row of every table; fails where there are two, or a table is not
    there."""
    with duckdb.connect(str(published_in(folder)), read_only=True) as connection:
        found = {
            number
            for table in TABLES
            for number in connection.execute(f"select n, count(*) from {table} group by 1").fetchall()
        }
        record = connection.execute("select build_id from publication.build").fetchone()
    ((number, rows),) = found
    assert rows == 100, found
    assert record == (f"build-{number:06}",), (record, number)
    return int(number)


def main() -> None:
    folder, what = Path(sys.argv[1]), sys.argv[2]
    if what == "publish":  # one build after the other from a number on, without an end
        publisher, number = publisher_in(folder), int(sys.argv[3])
        print("begun", flush=True)
        while True:
            build(folder, number)
            publisher.publish(f"run-{number}")
            number += 1
    else:  # read so many times, and print how many builds were seen and whether in order
        print("begun", flush=True)
        seen = [read(folder) for _ in range(int(sys.argv[3]))]
        print(len(set(seen)), seen == sorted(seen))


if __name__ == "__main__":
    main()
