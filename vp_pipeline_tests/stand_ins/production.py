"""Production on loopback: its settings, on stand-ins of S3, Snowflake and Airbyte, and one source's sandbox behind."""

import dataclasses
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO
from unittest import mock

import dagster as dg

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.build import build_definitions
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.lake.objects import Lake
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.partitions import EARLIEST, partition_tags
from vp_pipeline.sandbox.api import build_api
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.settings import Settings, load_settings, variable_of
from vp_pipeline.sources.keepa.source import KEEPA
from vp_pipeline.sources.source import AirbyteSource, Origin
from vp_pipeline_tests.stand_ins import airbyte as airbyte_api
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn, airbyte_stand_in
from vp_pipeline_tests.stand_ins.iam import enforced, policy, role_keys
from vp_pipeline_tests.stand_ins.s3 import KEYS, S3StandIn, s3_stand_in
from vp_pipeline_tests.stand_ins.s3_destination import S3Destination
from vp_pipeline_tests.stand_ins.snowflake import DATABASE, PASSWORD, SnowflakeStandIn, snowflake_stand_in

API_KEY = "secret-of-the-stand-in/vendor"
# Everything that must never show.
SECRETS = (API_KEY, PASSWORD, airbyte_api.CLIENT_SECRET, KEYS["AWS_SECRET_ACCESS_KEY"], "-of-the-stand-in/airbyte")


@dataclasses.dataclass
class Production:
    """The whole graph with production's settings. `variables`: the same settings, for a command. `today`: the day that
    its sync requests."""

    settings: Settings
    variables: Mapping[str, str]
    instance: dg.DagsterInstance
    s3: S3StandIn
    snowflake: SnowflakeStandIn
    airbyte: AirbyteStandIn
    sandbox: Sandbox
    store: S3Store
    landing: S3Store
    source: AirbyteSource
    products: Sequence[str]
    today: date

    @property
    def lake(self) -> Lake:
        return Lake(self.store)

    def materialize(self, selection: str, *days: date) -> dg.ExecuteInProcessResult:
        """Some assets, as someone would launch them, on the evening of the last of `days`."""
        self.today = days[-1]
        airbyte = dataclasses.replace(
            build_environment(self.settings).build_airbyte(self.lake), newest=lambda: self.today
        )  # type: ignore[type-var]
        definitions = build_definitions(self.settings, {"airbyte": airbyte})
        keys = dg.AssetSelection.from_string(selection).resolve(definitions.resolve_asset_graph())
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=list(keys), tags=partition_tags(days), raise_on_error=False
        )

    def sync(self, job_id: int) -> SyncJob:
        """What a job of the stand-in does: runs the connector, as of the end of `today`, and lands in the bucket."""
        (stream,) = self.source.streams
        connection = AirbyteConnection(
            self.source.name, stream.name, self.source.manifest, self.configuration(), (API_KEY,)
        )
        return ConnectorRunner(Lake(self.landing)).sync(connection, job_id)

    def configuration(self) -> dict[str, object]:
        """What the connector requests, of the sandbox as of the end of `today`."""
        origin = Origin(self.sandbox.base_url(self.source.name, self.today), "sandbox", tuple(self.products))
        return {**self.source.connector_config(self.settings.of(self.source), origin), "api_key": API_KEY}


@dataclasses.dataclass(frozen=True)
class LandingStore(S3Store):
    """The lake as Airbyte writes it: by the requests of its S3 destination, in its role. What else it is asked for is
    what Airbyte knows by itself."""

    destination: S3Destination | None = None

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        assert self.destination is not None
        file = io.BytesIO()
        yield file
        self.destination.sync(self._key(path), [file.getvalue()])


def in_roles(s3: S3StandIn, store: S3Store, stack: ExitStack) -> tuple[S3Store, dict[str, str]]:
    """From here to the end each service has its role of infra/aws and nothing else: the pipeline by its environment.
    Returns Airbyte's store, after its check of the destination, and the keys of Snowflake's role."""
    bucket = store.url.split("/")[2]
    keys = {name: role_keys(s3, name, policy(name, bucket)) for name in ("airbyte", "dagster", "snowflake")}
    of_pipeline = {name.upper(): value for name, value in keys["dagster"].items()}
    stack.enter_context(mock.patch.dict(os.environ, of_pipeline))
    stack.enter_context(enforced(s3))
    destination = S3Destination(s3.client(**keys["airbyte"]), bucket, "lake/bronze")
    destination.check()
    return LandingStore(store.url, store.s3, destination=destination), keys["snowflake"]


@contextmanager
def production(
    folder: Path, products: int = 3, source: AirbyteSource = KEEPA, *, roles: bool = False, **overrides: Any
) -> Iterator[Production]:
    """Production's settings on stand-ins that live as long as the block. `products`: how many are requested. `roles`:
    whether each service may do what its policy allows, and no more."""
    with ExitStack() as stack:
        s3 = stack.enter_context(s3_stand_in())
        store = landing = s3.new_lake()
        keys: dict[str, str] | None = None
        if roles:
            landing, keys = in_roles(s3, store, stack)
        snowflake = stack.enter_context(snowflake_stand_in(s3.url, keys))
        snowflake.deploy(store.url)
        made: list[Production] = []
        airbyte = stack.enter_context(airbyte_stand_in(store.url, lambda job_id: made[0].sync(job_id)))
        variables = {
            "VP_ENV": "production",
            "VP_LAKE_URL": store.url,
            "VP_S3_ENDPOINT_URL": s3.url,
            "VP_AIRBYTE_API_URL": f"{airbyte.url}/api/public/v1",
            "VP_AIRBYTE_CONFIGURATION_API_URL": f"{airbyte.url}/api/v1",
            "VP_AIRBYTE_CLIENT_ID": airbyte_api.CLIENT_ID,
            "VP_AIRBYTE_CLIENT_SECRET": airbyte_api.CLIENT_SECRET,
            "VP_AIRBYTE_WORKSPACE_ID": airbyte_api.WORKSPACE,
            variable_of(source, "airbyte_connection"): airbyte_api.CONNECTION,
            "VP_AIRBYTE_POLL_SECONDS": "0.1",
            "VP_SNOWFLAKE_ACCOUNT": "org-standin",
            "VP_SNOWFLAKE_USER": "PIPELINE",
            "VP_SNOWFLAKE_PASSWORD": PASSWORD,
            "VP_SNOWFLAKE_DATABASE": DATABASE,
            "VP_SNOWFLAKE_HOST": "127.0.0.1",
            "VP_SNOWFLAKE_PORT": str(snowflake.port),
            "VP_SNOWFLAKE_PROTOCOL": "http",
            "VP_SNOWFLAKE_TIMEOUT_SECONDS": "20",
            "VP_SNOWFLAKE_THREADS": "1",
        }
        settings = load_settings(variables, data_dir=folder, **overrides)
        instance = stack.enter_context(dg.DagsterInstance.ephemeral())
        api = build_api(source.name, None, settings.sandbox_seed)
        sandbox = stack.enter_context(Sandbox({source.name: api}))
        known = api.entities[:products]
        made.append(
            Production(
                *(settings, variables, instance, s3, snowflake, airbyte, sandbox),
                *(store, landing, source, known, EARLIEST),
            )
        )
        airbyte.serve(source, {**made[0].configuration(), "api_key": "**********"})
        yield made[0]
