"""The Keepa connector manifest, run by Airbyte's own runtime against a scripted API on a real socket."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import validate

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.keepa.requests import MOST_ASINS, Question, requests
from vp_pipeline.sources.keepa.series import DOMAINS
from vp_pipeline.sources.keepa.source import request_of
from vp_pipeline_tests.scripted_api import ScriptedApi, records, serving

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

MANIFEST = Path(__file__).parents[3] / "vp_pipeline" / "sources" / "keepa" / "connector.yaml"
RUNTIME = Path(sys.executable).with_name("source-declarative-manifest")
KEY = "k3y with/odd+signs&=%"
ENVELOPE = {
    "timestamp": 1795250000000,
    "tokensLeft": 55,
    "refillIn": 30000,
    "refillRate": 20,
    "tokenFlowReduction": 0.0,
    "tokensConsumed": 4,
    "processingTimeInMs": 3,
    "products": [{"asin": "B0D4M48BM2", "csv": [None, [8342000, 1999]]}],
}


@pytest.fixture
def keepa() -> Iterator[ScriptedApi]:
    with serving(ScriptedApi(lambda _: ENVELOPE)) as server:
        yield server


@pytest.fixture
def airbyte(tmp_path: Path) -> ConnectorRunner:
    return ConnectorRunner(Lake(tmp_path))


def connection(keepa: ScriptedApi, *requests: str, **config: object) -> AirbyteConnection:
    listed = list(requests or ["1:B0D4M48BM2|"])
    everything = {"api_key": KEY, "requests": listed, "base_url": keepa.url, **config}
    return AirbyteConnection("keepa", "product", MANIFEST, everything, (KEY,), ("KEEPA_API_KEY",))


def sync(airbyte: ConnectorRunner, keepa: ScriptedApi, *requests: str, **config: object) -> SyncJob:
    return airbyte.sync(connection(keepa, *requests, **config))


def test_a_request_has_every_parameter(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    job = sync(airbyte, keepa, "3:B0D4M48BM2|30", stats=180, rating=False)
    query = {"key": KEY, "domain": "3", "asin": "B0D4M48BM2", "days": "30", "stats": "180"}
    assert keepa.requests == [("/product", {**query, "history": "1", "rating": "0", "buybox": "1"})]
    assert (job.status, job.records, job.messages) == ("succeeded", 1, ())


def test_defaults_and_a_base_url_with_a_slash(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    sync(airbyte, keepa, base_url=f"{keepa.url}/")
    (path, query), *_ = keepa.requests
    assert path == "/product"
    assert {k: query.get(k) for k in ("domain", "days", "stats", "rating", "buybox")} == {
        "domain": "1",
        "days": None,
        "stats": "90",
        "rating": "1",
        "buybox": "1",
    }


def test_each_request_is_sent_once_in_order_and_digits_stay_text(
    tmp_path: Path, airbyte: ConnectorRunner, keepa: ScriptedApi
) -> None:
    requests = ("1:B0D4M48BM2|", "5:0306406152,1234567890,1234567891|7", "12:1234567890|30", "1:B0D4M48BM2|")
    job = sync(airbyte, keepa, *requests)
    assert [(q["domain"], q["asin"], q.get("days")) for _, q in keepa.requests] == [
        ("1", "B0D4M48BM2", None),
        ("5", "0306406152,1234567890,1234567891", "7"),
        ("12", "1234567890", "30"),
        ("1", "B0D4M48BM2", None),
    ]
    assert [record["requested"] for record in records(tmp_path, job)] == list(requests)


def test_429_waits_out_refill_in_which_is_milliseconds(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    keepa.script = [(429, {"timestamp": 1, "tokensLeft": 0, "refillIn": 300, "refillRate": 20})]
    job = sync(airbyte, keepa)
    assert job.records == 1
    assert len(keepa.requests) == 2
    assert 0.3 <= keepa.times[1] - keepa.times[0] < 10
    assert "429" in job.messages[0]
    assert "Retrying in" in job.messages[0]


def test_a_balance_far_below_zero_waits_for_several_refills(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    # 45 tokens below zero at 20 a minute: positive after the third refill, 100 ms + 2 min from now.
    keepa.script = [(429, {"timestamp": 1, "tokensLeft": -45, "refillIn": 100, "refillRate": 20})]
    with pytest.raises(TransientError, match=r"120\.1"):
        sync(airbyte, keepa, max_wait=60)


def test_429_to_the_end_is_a_transient_failure(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    keepa.script = [(429, {"tokensLeft": -7, "refillIn": 10, "refillRate": 20})]
    with pytest.raises(TransientError, match=r"HTTP 429\), balance -7"):
        sync(airbyte, keepa, max_retries=0)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "rejected the API key"),
        (401, "rejected the API key"),
        (402, "requires payment"),
        (403, "rejected the API key"),
        (404, "no Keepa API at"),
        (405, "no Keepa API at"),
    ],
)
def test_a_rejected_request_is_not_retried_and_keepas_reason_is_reported(
    airbyte: ConnectorRunner, keepa: ScriptedApi, status: int, words: str
) -> None:
    keepa.script = [(status, {"timestamp": 1, "error": {"type": "x", "message": "That key, no", "details": ""}})]
    with pytest.raises(PermanentError) as caught:
        sync(airbyte, keepa, "1:B0D4M48BM2|", "1:B0D4M48BM3|")
    assert words in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)
    assert "keepa/product" in str(caught.value)
    assert "KEEPA_API_KEY" in str(caught.value)
    assert status in (401, 403) or "That key, no" in str(caught.value)
    assert len(keepa.requests) == 1


def test_a_refused_request_does_not_cost_the_others(
    tmp_path: Path, airbyte: ConnectorRunner, keepa: ScriptedApi
) -> None:
    """The runtime makes no record of a response with status 400, whatever the manifest says."""
    error = {"type": "invalidParameter", "message": f"no such asin, {KEY}", "details": ""}
    refused = {**ENVELOPE, "products": None, "error": error}
    keepa.script = [(200, ENVELOPE), (400, refused), (200, refused)]
    job = sync(airbyte, keepa, "3:B0D4M48BM2|", "5:B0D4M48BM3|", "3:B0D4M48BM4|", "3:B0D4M48BM5|")
    reason = "invalidParameter, no such asin, ***."
    assert job.refused == {"5:B0D4M48BM3|": reason, "3:B0D4M48BM4|": reason}
    landed = records(tmp_path, job)
    assert [record["requested"] for record in landed] == ["3:B0D4M48BM2|", "3:B0D4M48BM4|", "3:B0D4M48BM5|"]
    assert landed[0] == {**ENVELOPE, "requested": "3:B0D4M48BM2|"}
    assert landed[1]["error"]["type"] == "invalidParameter"


@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b"[1, 2]", b"null", b'{"error": {"message": "no"}}'])
def test_a_rejection_with_an_odd_body_is_still_clear(airbyte: ConnectorRunner, keepa: ScriptedApi, body: bytes) -> None:
    keepa.script = [(400, body)]
    with pytest.raises(PermanentError, match="HTTP 400"):
        sync(airbyte, keepa)


def test_500_twice_then_a_response(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    keepa.script = [(500, b""), (503, {"error": {"message": "busy"}})]
    assert sync(airbyte, keepa).records == 1
    first, second, third = keepa.times
    assert second - first < third - second


def test_500_to_the_end_is_a_transient_failure(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    keepa.script = [(500, {**ENVELOPE, "error": {"message": "oops"}})]
    with pytest.raises(TransientError, match=r"HTTP 500\): oops"):
        sync(airbyte, keepa, max_retries=0)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"timestamp": 1', b"[]", b"{}", b"null"])
def test_a_body_without_an_envelope_is_a_failure_and_not_no_record(
    airbyte: ConnectorRunner, keepa: ScriptedApi, body: bytes
) -> None:
    keepa.script = [(200, body)]
    with pytest.raises(TransientError, match="without an envelope"):
        sync(airbyte, keepa, max_retries=0)


def test_check_requests_the_tokens_only(airbyte: ConnectorRunner, keepa: ScriptedApi) -> None:
    airbyte.check(connection(keepa))
    assert keepa.requests == [("/token", {"key": KEY})]
    keepa.script = [(400, {"error": {"message": "unknown key"}})]
    with pytest.raises(PermanentError, match=r"check of keepa/product failed: .*HTTP 400\): unknown key"):
        airbyte.check(connection(keepa))
    assert len(keepa.requests) == 2


@pytest.mark.parametrize(
    "config",
    [
        {"requests": ["7:B0D4M48BM2|"]},
        {"requests": ["1:short|"]},
        {"requests": ["1:B0D4M48BM2|many"]},
        {"requests": ["B0D4M48BM2"]},
        {"requests": [f"1:{','.join(['B0D4M48BM2'] * 101)}|"]},
        {"requests": []},
    ],
)
def test_a_config_that_breaks_the_spec_requests_nothing(
    airbyte: ConnectorRunner, keepa: ScriptedApi, config: dict[str, Any]
) -> None:
    with pytest.raises(PermanentError, match="Config validation error"):
        sync(airbyte, keepa, **config)
    assert keepa.requests == []


def test_the_spec_offers_keepas_domains() -> None:
    spec = yaml.safe_load(MANIFEST.read_text())["spec"]["connection_specification"]
    assert spec["properties"]["api_key"]["airbyte_secret"] is True
    asins = [f"B{number:09}" for number in range(MOST_ASINS)]
    questions = [Question(f"{domain}:{asin}", days) for domain in DOMAINS for asin in asins for days in (1, None)]
    written = list(requests(questions))
    validate({"api_key": "k", "requests": written}, spec)
    assert request_of({"requests": written}) is not None


def test_the_runtimes_own_commands(keepa: ScriptedApi, tmp_path: Path) -> None:
    """`check`, `discover` and `read` exactly as Airbyte runs them; `spec` as it does once the manifest is deployed."""
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(json.dumps(dict(connection(keepa, "1:B0D4M48BM2|", "5:B0D4M48BM2|", "1:B0D4M48BM2|").config)))
    stream = {"name": "product", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    configured = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    catalog.write_text(json.dumps({"streams": [configured]}))
    given: list[str | Path] = ["--config", config, "--manifest-path", MANIFEST]
    spec = (
        "import json, sys, yaml, logging\n"
        "from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource\n"
        "source = ConcurrentDeclarativeSource(source_config=yaml.safe_load(open(sys.argv[1])), config={})\n"
        "spec = source.spec(logging.getLogger()).connectionSpecification\n"
        "print(json.dumps({'type': 'SPEC', 'spec': spec, 'warnings': len(source.deprecation_warnings())}))\n"
    )
    commands: dict[str, list[str | Path]] = {
        "spec": [sys.executable, "-c", spec, MANIFEST],
        "check": [RUNTIME, "check", *given],
        "discover": [RUNTIME, "discover", *given],
        "read": [RUNTIME, "read", *given, "--catalog", catalog],
    }
    running = {name: subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for name, command in commands.items()}
    messages = {
        name: [json.loads(line) for line in p.communicate(timeout=60)[0].splitlines()] for name, p in running.items()
    }
    assert {name: p.returncode for name, p in running.items()} == dict.fromkeys(commands, 0)

    assert messages["spec"][-1]["spec"]["required"] == ["api_key", "requests"]
    assert messages["spec"][-1]["warnings"] == 0
    statuses = [m["connectionStatus"]["status"] for m in messages["check"] if m["type"] == "CONNECTION_STATUS"]
    assert statuses == ["SUCCEEDED"]
    (discovered,) = [m["catalog"]["streams"] for m in messages["discover"] if m["type"] == "CATALOG"]
    assert [s["name"] for s in discovered] == ["product"]
    assert "timestamp" in discovered[0]["json_schema"]["properties"]
    assert [m["record"]["data"] for m in messages["read"] if m["type"] == "RECORD"] == [
        {**ENVELOPE, "requested": product} for product in ("1:B0D4M48BM2|", "5:B0D4M48BM2|", "1:B0D4M48BM2|")
    ]
    assert [path for path, _ in keepa.requests].count("/product") == 3
    assert KEY not in json.dumps(messages)
