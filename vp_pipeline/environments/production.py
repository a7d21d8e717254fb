"""Production's resources, from the settings: Airbyte, a lake on S3, Snowflake.

Here: which setting goes where. Nothing is opened, and no secret is sent anywhere, before a step uses a resource.
"""

from pydantic import SecretStr

from vp_pipeline.airbyte.api import AirbyteApi
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.publishing.reader import SnowflakePublishedMarts
from vp_pipeline.publishing.snowflake import SnowflakePublisher
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.snowflake import SnowflakeWarehouse


def production_lake(settings: Settings) -> Lake:
    """The lake at VP_LAKE_URL."""
    endpoint = str(settings.s3_endpoint_url).rstrip("/") if settings.s3_endpoint_url else None
    return Lake(S3Store(settings.lake_url or "", endpoint, settings.s3_sse, settings.s3_kms_key))


def remote_airbyte(settings: Settings, lake: Lake) -> RemoteAirbyte:
    """Airbyte at VP_AIRBYTE_API_URL; the API's client is created when a sync needs it."""
    return RemoteAirbyte(
        lake,
        {"keepa": settings.airbyte_connection_keepa or ""},
        lambda: airbyte_client(settings),
        poll_seconds=settings.airbyte_poll_seconds,
        deadline_seconds=settings.airbyte_deadline_seconds,
    )


def airbyte_client(settings: Settings) -> AirbyteApi:
    """A client of Airbyte's API; it signs in with its first request."""
    return AirbyteApi(
        rest_api_base_url=str(settings.airbyte_api_url).rstrip("/"),
        configuration_api_base_url=str(settings.airbyte_configuration_api_url).rstrip("/"),
        workspace_id=settings.airbyte_workspace_id or "",
        client_id=_secret_value(settings.airbyte_client_id),
        client_secret=_secret_value(settings.airbyte_client_secret),
        request_max_retries=0,  # ours: by kind of failure
        request_retry_delay=1,
        request_timeout=30,
    )


def snowflake_warehouse(settings: Settings) -> SnowflakeWarehouse:
    """Snowflake, by VP_SNOWFLAKE_…."""
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
        private_key_passphrase=_secret_value(settings.snowflake_private_key_passphrase),
        password=_secret_value(settings.snowflake_password),
        timeout_seconds=settings.snowflake_timeout_seconds,
        address=address,
    )


def snowflake_publisher(settings: Settings) -> SnowflakePublisher:
    """Where production's consumers read."""
    return SnowflakePublisher(snowflake_warehouse(settings), settings.snowflake_database)


def build_published_marts(settings: Settings) -> SnowflakePublishedMarts:
    """What production's deliveries read."""
    return SnowflakePublishedMarts(snowflake_warehouse(settings))


def _secret_value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
