"""ScraperAPI as a source: off until somebody configures it, and a key that shows nowhere."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.airbyte.deploy import document, values
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import SettingsError, load_settings
from vp_pipeline.sources.registry import NAMES
from vp_pipeline.sources.scraperapi.source import SCRAPERAPI
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.scripted_api import ScriptedApi, serving
from vp_pipeline_tests.sources.scraperapi.page_lines import page
from vp_pipeline_tests.test_service_settings import COMPLETE

KEY = "planted-key-0123456789abcdef"
FIRST, SECOND, THIRD = "US:B0D4M48BM2", "US:B0D4M48BM3", "US:B0D4M48BM4"


@pytest.mark.parametrize(
    ("variables", "is_on"),
    [
        ({}, False),
        ({"VP_SOURCES": "keepa,scraperapi"}, True),
        ({"SCRAPERAPI_API_KEY": KEY}, True),
        ({"VP_SCRAPERAPI_RECORDINGS": "recorded"}, True),
        ({"SCRAPERAPI_API_KEY": KEY, "VP_SOURCES": "keepa"}, False),
        (COMPLETE, False),
        ({**COMPLETE, "VP_AIRBYTE_CONNECTION_SCRAPERAPI": "a-connection"}, True),
    ],
)
def test_it_is_off_until_somebody_configures_it(variables: dict[str, str], is_on: bool) -> None:
    settings = load_settings(variables)
    assert (SCRAPERAPI in settings.enabled_sources) is is_on
    assert "scraperapi" in NAMES


def test_where_it_is_off_there_is_no_model_of_it(tmp_path: Path) -> None:
    manifest = json.loads(manifest_path(pipeline_settings(tmp_path)).read_bytes())
    # dbt keeps a test of a model that is off, and switches it off too.
    nodes = {name for name, node in manifest["nodes"].items() if node["config"]["enabled"]}
    there = {*nodes, *manifest["sources"], *manifest["unit_tests"]}
    assert any("keepa" in name for name in there)
    assert not [name for name in there if "scraperapi" in name or "product_page" in name]


@pytest.mark.parametrize("products", ["B0D4M48BM2", "us:B0D4M48BM2", "XX:B0D4M48BM2", "US:B0"])
def test_a_product_is_a_country_and_an_asin(products: str) -> None:
    with pytest.raises(SettingsError, match=r"VP_SCRAPERAPI_PRODUCTS cannot be used: .*write COUNTRY:ASIN"):
        load_settings({"VP_SCRAPERAPI_PRODUCTS": products})


def test_what_is_deployed_to_airbyte_is_what_is_requested_here() -> None:
    variables = {**COMPLETE, "SCRAPERAPI_API_KEY": KEY, "VP_SCRAPERAPI_PRODUCTS": f"{FIRST},{SECOND},{FIRST}"}
    filled = values(load_settings(variables), SCRAPERAPI, "arn:aws:iam::1:role/airbyte", "eu-central-1")
    made = document("connection", {**filled, "source": "s", "destination": "d"})
    assert made["namespaceFormat"] == "scraperapi"
    assert [stream["name"] for stream in made["configurations"]["streams"]] == ["product_page"]
    request = SCRAPERAPI.request_of(document("source", filled)["configuration"])
    assert request is not None
    assert request.entities == (FIRST, SECOND)
    with pytest.raises(PermanentError, match="VP_SCRAPERAPI_PRODUCTS names no product page"):
        values(load_settings({**COMPLETE, "SCRAPERAPI_API_KEY": KEY}), SCRAPERAPI, "arn", "region")


@pytest.fixture
def vendor() -> Iterator[ScriptedApi]:
    """The second product's page repeats the key, as an API may; the third product has none."""
    with serving(ScriptedApi(lambda query: page(f"US:{query['asin']}"))) as server:
        server.script = [(200, page(FIRST)), (200, page(SECOND, pricing_url=f"https://x/?api_key={KEY}")), (404, KEY)]
        yield server


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:This class is experimental")
def test_a_run_with_a_key_leaves_it_nowhere(
    vendor: ScriptedApi, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = pipeline_settings(
        tmp_path,
        chosen_sources=("scraperapi",),
        scraperapi_api_key=KEY,
        scraperapi_url=vendor.url,
        scraperapi_products=(FIRST, SECOND, THIRD),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        pipeline = Pipeline(settings, instance)
        result = pipeline.materialize(
            "key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*", newest_finished_day()
        )
        stored = "".join(str(record) for run in instance.get_runs() for record in instance.all_logs(run.run_id))
    assert [query["api_key"] for _, query in vendor.requests] == [KEY] * 3
    assert any(result.asset_materializations_for_node("airbyte_scraperapi_product_page"))
    assert "Amazon has no page of it (HTTP 404)" in stored
    assert "2 in = 1 rows + 0 duplicates + 1 quarantined" in stored  # what repeats the key is masked, and no row
    printed = capfd.readouterr()
    assert KEY not in stored + caplog.text + printed.out + printed.err
    kept = b"".join(map(plain, (file for file in tmp_path.rglob("*") if file.is_file())))
    assert b"api_key=***" in kept
    assert KEY.encode() not in kept


def plain(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.decompress(content) if file.suffix == ".gz" else content
