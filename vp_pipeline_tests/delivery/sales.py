"""A published mart whose key has every kind of type, on either engine, and what a consumer makes of its exports.

Here: publishing it, and replaying exports. Not here: what is asserted (`test_exports_of_the_feed.py`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from vp_pipeline.delivery import change_export
from vp_pipeline.lake.manifests import ExportManifest
from vp_pipeline.lake.objects import Lake
from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.snowflake import SnowflakePublications
from vp_pipeline_tests.publishing.marts import build, published_in, warehouse_in
from vp_pipeline_tests.publishing.test_published_snowflake import build as build_on_snowflake
from vp_pipeline_tests.stand_ins.snowflake import SnowflakeStandIn

MART = "sales"
KEY = ("sold_on", "asin", "sold_at", "lot", "share", "is_new")
# ASIN → price.
Prices = Mapping[str, str]


@dataclass
class Sales:
    """The mart on an engine. `begin_build` makes a green build of a number; `execute` runs SQL in its warehouse."""

    publisher: Publisher
    lake: Lake
    begin_build: Callable[[int], str]
    execute: Callable[[str], object]
    number: int = 0
    # What a consumer has that has read every export, by key.
    replayed: dict[tuple[object, ...], dict[str, Any]] = field(default_factory=dict)
    read: int = 0

    def publish(self, prices: Prices | None, price: str = "price") -> str:
        """Publishes a build with these rows; None: without the mart. `price`: the name of that column."""
        self.number += 1
        build_id = self.begin_build(self.number)
        if prices is None:
            self.execute(f"drop table if exists mart.{MART}")
        else:
            rows = " union all ".join(_row(asin, value, price) for asin, value in (prices or {"none": "0"}).items())
            self.execute(f"create or replace table mart.{MART} as select * from ({rows}) as t where asin <> 'none'")
        self.publisher.publish(f"run-{self.number}", may_lose=True)
        return build_id

    def export(self) -> ExportManifest | None:
        return change_export.export(self.lake, MART, KEY, self.publisher.marts)

    def changes(self) -> list[tuple[str, str]]:
        """ASIN and operation of each row of the last export."""
        return [(row["asin"], row[change_export.OPERATION]) for row in self._rows(self.manifests()[-1])]

    def manifests(self) -> list[ExportManifest]:
        return change_export.manifests(self.lake, MART)

    def replay(self) -> None:
        """Reads the exports that have not been read yet."""
        for manifest in change_export.manifests(self.lake, MART, after=self.read):
            if manifest.is_full:
                self.replayed.clear()
            for row in self._rows(manifest):
                operation = row.pop(change_export.OPERATION)
                key = tuple(row[name] for name in KEY)
                if operation == "delete":
                    del self.replayed[key]  # only what it has is deleted
                else:
                    self.replayed[key] = row
            self.read = manifest.sequence

    def published(self) -> pa.Table:
        return self.publisher.marts.read(MART)[1]

    def _rows(self, manifest: ExportManifest) -> list[dict[str, Any]]:
        return change_export.changed_rows(self.lake, manifest).to_pylist()


def _row(asin: str, value: str, price: str) -> str:
    return (
        f"select cast('{asin}' as varchar) as asin, cast('2026-03-01' as date) as sold_on, "
        f"cast('2026-03-01 10:30:00' as timestamp) as sold_at, cast(7 as integer) as lot, "
        f"cast(0.50 as decimal(9, 2)) as share, {'true' if asin < 'C' else 'false'} as is_new, "
        f"cast({value} as decimal(18, 2)) as {price}"
    )


def _keys() -> Mapping[str, tuple[str, ...]]:
    return {MART: KEY}


def on_duckdb(folder: Path) -> Sales:
    def execute(statement: str) -> None:
        with warehouse_in(folder).connect() as connection:
            connection.execute(statement)

    publisher = Publisher(DuckDBPublications(published_in(folder), warehouse_in(folder)), dict, _keys)
    return Sales(publisher, Lake(folder / "lake"), lambda number: build(folder, number), execute)


def on_snowflake(folder: Path, server: SnowflakeStandIn) -> Sales:
    publisher = Publisher(SnowflakePublications(server.warehouse(timeout_seconds=5)), dict, _keys)
    return Sales(publisher, Lake(folder / "lake"), lambda number: build_on_snowflake(server, number), server.query)


@contextmanager
def killed_before_the_manifest(sales: Sales) -> Iterator[None]:
    """What an export within the block writes has no manifest at its end."""
    before = len(sales.manifests())
    yield
    for manifest in sales.manifests()[before:]:
        sales.lake.delete(change_export.manifest_path(MART, manifest.sequence))
