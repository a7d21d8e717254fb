"""A pipeline whose landed answers a test may change before bronze looks at them.

Here: the pipeline. Not here: what a test does to the answers, and expects then.
"""

import gzip
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import dagster as dg

from vp_pipeline.lake import bronze
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.conftest import Pipeline

Spoil = Callable[[dict[str, Any]], None]


class Played(Pipeline):
    """A pipeline whose landed answers a test may change before bronze looks at them."""

    def sync(self, day: date, spoil: Spoil = lambda _: None) -> str:
        """A finished sync of a day that landed its products as `spoil` leaves them; returns an object's path."""
        assert self.materialize("key:airbyte/*", day).success
        sync = bronze.read_sync(self.lake, PRODUCT, day)
        assert sync is not None
        for path in sync.objects:
            records = [json.loads(line) for line in gzip.decompress(self.lake.read(path)).splitlines()]
            for product in (each for record in records for each in record["_airbyte_data"]["products"]):
                spoil(product)
            self.lake.write(path, gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in records)))
        return path

    @property
    def published_days(self) -> set[date]:
        publication = PublishedMarts(DuckDBPublishedFile(self.settings.published_path)).current()
        return set(publication.days) if publication else set()

    def published(self) -> bytes:
        """The very bytes that consumers read."""
        return self.settings.published_path.read_bytes()

    def check_results(self, check: dg.AssetCheckKey, *days: date) -> list[bool]:
        """The newest result of a check for each day, as the UI shows it."""
        from dagster._core.event_api import PartitionKeyFilter

        found = []
        for day in days:
            newest = self.instance.event_log_storage.get_latest_asset_check_execution_by_key(
                [check], partition_filter=PartitionKeyFilter(key=day.isoformat())
            )
            evaluation = newest[check].evaluation
            assert evaluation is not None
            assert evaluation.partition == day.isoformat()
            found.append(evaluation.passed)
        return found
