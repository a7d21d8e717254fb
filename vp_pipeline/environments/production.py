"""Production: Airbyte over its API, a lake on S3, Snowflake.

Here: which setting goes where. Nothing is opened, and no secret is sent anywhere, before a step uses a resource.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial

from vp_pipeline.airbyte.api import AirbyteApi
from vp_pipeline.airbyte.deploy import expected_configuration
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.dbt.project_code import project_fingerprints
from vp_pipeline.delivery.lake_journal import LakeJournal
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.lake import layout
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.lake.s3_resource import LakeS3
from vp_pipeline.partitions import EARLIEST, ONE_DAY, newest_finished_day
from vp_pipeline.planning.diff_snowflake import SnowflakeDiff
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.publishing.snowflake import SnowflakePublications
from vp_pipeline.publishing.snowflake_reader import SnowflakePublishedSchema
from vp_pipeline.settings import Settings
from vp_pipeline.sources.source import airbyte_sources
from vp_pipeline.variables import PRODUCTION
from vp_pipeline.warehouse.lease.lease import Lease, Report
from vp_pipeline.warehouse.lease.row import LeaseRow
from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse

SHORT_WINDOW_DAYS = 14


@dataclass(frozen=True)
class ProductionEnvironment:
    """What VP_AIRBYTE_…, VP_LAKE_URL, VP_S3_… and VP_SNOWFLAKE_… name."""

    settings: Settings

    def build_lake(self) -> Lake:
        settings = self.settings
        return Lake(S3Store(settings.lake_url or "", self.build_s3(), settings.s3_sse, settings.s3_kms_key))

    def build_s3(self) -> LakeS3:
        """What the lake's store sends with; dagster-aws's own retries: up to 1, 2, 4, 8 s between attempts. What still
        fails then is retried by the run, after longer waits."""
        url = self.settings.s3_endpoint_url
        return LakeS3(endpoint_url=str(url).rstrip("/")) if url else LakeS3()

    def build_box(self, name: str) -> Box:
        """In the lake, which the daemon, the runs and the command line share."""
        earlier = self.settings.outbox_dir / f"{name}.jsonl"
        return Box(LakeJournal(self.build_lake(), layout.OUTBOX.path(box=name), earlier))

    def build_services(self) -> dict[str, LakeS3]:
        return {"s3": self.build_s3()}

    def build_airbyte(self, lake: Lake) -> RemoteAirbyte:
        """The API's client is made when a sync is requested."""
        return RemoteAirbyte(
            lake,
            {
                each.name: self.settings.of(each).airbyte_connection or ""
                for each in airbyte_sources(self.settings.enabled_sources)
            },
            self.build_airbyte_client,
            poll_seconds=self.settings.airbyte_poll_seconds,
            deadline_seconds=self.settings.airbyte_deadline_seconds,
            expected={
                each.name: expected_configuration(self.settings, each)
                for each in airbyte_sources(self.settings.enabled_sources)
            },
        )

    def build_airbyte_client(self) -> AirbyteApi:
        """A client of Airbyte's API; it signs in with its first request."""
        settings = self.settings
        return AirbyteApi(
            rest_api_base_url=str(settings.airbyte_api_url).rstrip("/"),
            configuration_api_base_url=str(settings.airbyte_configuration_api_url).rstrip("/"),
            workspace_id=settings.airbyte_workspace_id or "",
            client_id=settings.airbyte_client_id,
            client_secret=settings.airbyte_client_secret,
            request_max_retries=0,  # ours: by kind of failure
            request_retry_delay=1,
            request_timeout=30,
        )

    def build_warehouse(self) -> SnowflakeWarehouse:
        settings = self.settings
        address: dict[str, object] = {}
        if settings.snowflake_host:
            address = {
                "host": settings.snowflake_host,
                "port": settings.snowflake_port,
                "protocol": settings.snowflake_protocol,
            }
        return SnowflakeWarehouse(
            account=settings.snowflake_account or "",
            user=settings.snowflake_user or "",
            role=settings.snowflake_role,
            warehouse=settings.snowflake_warehouse,
            database=settings.snowflake_database,
            stage=settings.snowflake_stage,
            file_format=settings.snowflake_file_format,
            private_key_path=settings.snowflake_private_key_path,
            private_key_passphrase=settings.snowflake_private_key_passphrase,
            password=settings.snowflake_password,
            timeout_seconds=settings.snowflake_timeout_seconds,
            address=address,
        )

    def build_lease(self) -> Lease:
        return Lease(LeaseRow(self.build_warehouse()))

    def build_publisher(self) -> Publisher:
        return Publisher(
            SnowflakePublications(self.build_warehouse(), self.settings.snowflake_reader_role.lower()),
            partial(project_fingerprints, self.settings),
            partial(grains, manifest_path(self.settings)),
            self.settings.streams,
        )

    def build_diff(self, report: Report) -> SnowflakeDiff:
        return SnowflakeDiff(self.settings, self.build_warehouse(), self.build_lease(), report)

    def build_published_marts(self) -> PublishedMarts:
        return PublishedMarts(SnowflakePublishedSchema(self.build_warehouse()))

    def first_day(self) -> date:
        """Of a deployment other than production's: a short window, so that a change is tried on days that exist."""
        short = newest_finished_day() - (SHORT_WINDOW_DAYS - 1) * ONE_DAY
        return self.settings.start_date or (EARLIEST if self.settings.deployment == PRODUCTION else short)
