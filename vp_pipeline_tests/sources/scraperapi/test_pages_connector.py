"""The ScraperAPI connector manifest, run by Airbyte's own runtime against a scripted API on a real socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.failures import PermanentError, PipelineError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES
from vp_pipeline.sources.scraperapi.source import SCRAPERAPI
from vp_pipeline_tests.scripted_api import ScriptedApi, records, serving

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

KEY = "k3y with/odd+signs&=%"
FIRST, SECOND = "US:B0D4M48BM2", "JP:B0D4M48BM3"


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with serving(ScriptedApi(lambda query: {"name": query.get("asin")})) as server:
        yield server


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def airbyte(tmp_path: Path, log: list[str]) -> ConnectorRunner:
    return ConnectorRunner(Lake(tmp_path), log=log.append)


def connection(url: str, *products: str, **config: object) -> AirbyteConnection:
    everything = {"api_key": KEY, "products": list(products or [FIRST]), "base_url": url, **config}
    return AirbyteConnection("scraperapi", "product_page", SCRAPERAPI.manifest, everything, (KEY,))


def sync(airbyte: ConnectorRunner, api: ScriptedApi, *products: str, **config: object) -> SyncJob:
    return airbyte.sync(connection(api.url, *products, **config))


def test_each_product_is_one_request_and_one_record(tmp_path: Path, airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    job = sync(airbyte, api, FIRST, SECOND)
    same = {"api_key": KEY, "output_format": "json"}
    assert api.requests == [
        ("/structured/amazon/product", {**same, "asin": "B0D4M48BM2", "tld": "com", "country_code": "us"}),
        ("/structured/amazon/product", {**same, "asin": "B0D4M48BM3", "tld": "co.jp", "country_code": "jp"}),
    ]
    assert records(tmp_path, job) == [
        {"name": "B0D4M48BM2", "requested": FIRST},
        {"name": "B0D4M48BM3", "requested": SECOND},
    ]
    assert (job.records, job.messages, job.refused) == (2, (), {})


def test_every_marketplace_is_requested_by_its_address() -> None:
    manifest = SCRAPERAPI.manifest.read_text(encoding="utf-8")
    products = yaml.safe_load(manifest)["spec"]["connection_specification"]["properties"]["products"]
    assert products["items"]["pattern"] == f"^({'|'.join(MARKETPLACES)}):[A-Z0-9]{{10}}$"
    assert all(f"'{country}': '{m.tld}'" in " ".join(manifest.split()) for country, m in MARKETPLACES.items())


@pytest.mark.parametrize("status", [404, 410])
def test_a_product_without_a_page_is_reported_and_the_others_are_requested(
    airbyte: ConnectorRunner, api: ScriptedApi, status: int
) -> None:
    api.script = [(status, b"Not found.")]
    job = sync(airbyte, api, FIRST, SECOND)
    assert (job.records, job.refused) == (1, {FIRST: f"Amazon has no page of it (HTTP {status})."})


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "rejected the request"),
        (401, "rejected the API key"),
        (403, "credits of the plan are used up"),
    ],
)
def test_a_rejected_request_is_not_retried(airbyte: ConnectorRunner, api: ScriptedApi, status: int, words: str) -> None:
    api.script = [(status, b"text")]
    with pytest.raises(PermanentError, match=words):
        sync(airbyte, api)
    assert len(api.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failing_server_is_tried_again(airbyte: ConnectorRunner, api: ScriptedApi, status: int) -> None:
    api.script = [(status, b"")]
    assert sync(airbyte, api).records == 1
    api.script = [(status, b"")]
    with pytest.raises(TransientError, match=f"HTTP {status}"):
        sync(airbyte, api, max_retries=0)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[]", b"{}", b"null", b'"page"'])
def test_a_body_without_a_page_is_a_failure_and_not_no_record(
    airbyte: ConnectorRunner, api: ScriptedApi, body: bytes
) -> None:
    api.script = [(200, body)]
    with pytest.raises(TransientError, match="without a page"):
        sync(airbyte, api, max_retries=0)


def test_check_requests_once(airbyte: ConnectorRunner, api: ScriptedApi) -> None:
    airbyte.check(connection(api.url, FIRST, SECOND))
    assert len(api.requests) == 1
    api.script = [(401, b"")]
    with pytest.raises(PermanentError, match=r"check of scraperapi/product_page failed: .*rejected the API key"):
        airbyte.check(connection(api.url))


@pytest.mark.parametrize("config", [{"products": []}, {"products": ["XX:B0D4M48BM2"]}, {"api_key": ""}])
def test_a_config_that_breaks_the_spec_requests_nothing(
    airbyte: ConnectorRunner, api: ScriptedApi, config: dict[str, Any]
) -> None:
    with pytest.raises(PermanentError, match="Config validation error"):
        airbyte.sync(connection(api.url, **config))
    assert api.requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 0])
def test_the_key_is_in_the_address_and_in_no_message(
    airbyte: ConnectorRunner, api: ScriptedApi, log: list[str], capfd: pytest.CaptureFixture[str], status: int
) -> None:
    """0: nothing is at the address, whose failure quotes it as a whole."""
    api.script = [(status, f"no: {KEY}".encode())]
    failed = ""
    try:
        airbyte.sync(connection(api.url if status else "http://127.0.0.1:9", FIRST, max_retries=0))
    except PipelineError as error:
        failed = f"{error!r} {error.__context__!r} {error.__cause__!r}"
    assert status in (0, 404) or api.requests[0][1]["api_key"] == KEY
    assert failed or status == 404
    printed = capfd.readouterr()
    for spelling in (KEY, "k3y+with", "k3y%20with", "odd%2Bsigns"):
        assert spelling not in failed + "".join(log) + printed.out + printed.err
