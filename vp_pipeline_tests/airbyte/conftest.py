"""An Airbyte of each kind: a connector of a small API, and an API of Airbyte's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vp_pipeline.airbyte.connector_runner import AirbyteConnection
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.airbyte.pages import KEY, MANIFEST, Pages
from vp_pipeline_tests.airbyte.remote_syncs import LAKE_URL, Bucket, landing
from vp_pipeline_tests.scripted_api import serving
from vp_pipeline_tests.stand_ins.airbyte import CONNECTION, AirbyteStandIn, airbyte_stand_in


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving(Pages()) as server:
        yield server


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def connection(pages: Pages, tmp_path: Path) -> AirbyteConnection:
    manifest = tmp_path / "connector.yaml"
    manifest.write_text(MANIFEST)
    config = {"api_key": KEY, "pages": ["a"], "base_url": f"http://127.0.0.1:{pages.server_port}"}
    return AirbyteConnection("library", "page", manifest, config, (KEY,), ("LIBRARY_API_KEY",))


@pytest.fixture
def bucket(tmp_path: Path) -> Lake:
    return Lake(Bucket(tmp_path / "lake"))


@pytest.fixture
def server(bucket: Lake) -> Iterator[AirbyteStandIn]:
    with airbyte_stand_in(LAKE_URL, landing(bucket)) as stand_in:
        yield stand_in


@pytest.fixture
def airbyte(bucket: Lake, server: AirbyteStandIn) -> RemoteAirbyte:
    return RemoteAirbyte(bucket, {"keepa": CONNECTION}, server.client, poll_seconds=0.02, deadline_seconds=20)
