"""A developer's machine: the embedded Airbyte, a folder, DuckDB files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.dbt.project_code import project_fingerprints
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake import bronze, layout, silver
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.planning.diff_duckdb import DuckDBDiff
from vp_pipeline.publishing.duckdb import DuckDBPublications
from vp_pipeline.publishing.duckdb_reader import DuckDBPublishedFile
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.lease import Lease, Report


@dataclass(frozen=True)
class LocalEnvironment:
    """Everything under VP_DATA_DIR."""

    settings: Settings

    def build_lake(self) -> Lake:
        return Lake(self.settings.lake_dir)

    def build_airbyte(self, lake: Lake) -> LocalAirbyte:
        return LocalAirbyte(self.settings, lake)

    def build_warehouse(self) -> DuckDBWarehouse:
        return DuckDBWarehouse(self.settings.warehouse_path)

    def build_lease(self) -> Lease:
        return Lease(LeaseFile(self.settings.data_dir))

    def build_publisher(self) -> Publisher:
        return Publisher(
            DuckDBPublications(self.settings.published_path, self.build_warehouse()),
            partial(project_fingerprints, self.settings),
            partial(grains, manifest_path(self.settings)),
            self.settings.streams,
        )

    def build_diff(self, report: Report) -> DuckDBDiff:
        """It needs no lease: it reads the file while no process writes it."""
        return DuckDBDiff(self.settings)

    def build_published_marts(self) -> PublishedMarts:
        return PublishedMarts(DuckDBPublishedFile(self.settings.published_path))

    def build_box(self, name: str) -> Box:
        return Box(self.settings.outbox_dir / f"{name}.jsonl")

    def build_services(self) -> Mapping[str, Any]:
        return {}

    def first_day(self) -> date:
        """Without VP_START_DATE: the oldest day of the lake; in an empty one the newest finished day. So the UI lists
        no day as missing that nobody has asked for."""
        return self.settings.start_date or min([newest_finished_day(), *self._days_of_the_lake()])

    def _days_of_the_lake(self) -> Iterator[date]:
        lake = self.build_lake()
        for stream in self.settings.streams:
            yield from (
                found.parts["day"] for found in layout.SYNC.objects(lake, source=stream.source, stream=stream.name)
            )
            yield from bronze.days(lake, stream)
            yield from silver.days(lake, stream.tables[0])  # a day is written as a whole
