"""The manifest of orders as Airbyte itself runs it, in a process of its own: nothing of a person is in its output."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.sp_api.api import SpApi
from vp_pipeline.sources.sp_api.source import SP_API
from vp_pipeline_tests.sources.sp_api.orders import DAY, SECRETS, VERSIONS, connection
from vp_pipeline_tests.sources.sp_api.persons import MARK, Planting, everywhere

pytestmark = pytest.mark.integration

RUNTIME = Path(sys.executable).with_name("source-declarative-manifest")
SPEC = (
    "import json, logging, sys, yaml\n"
    "from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource\n"
    "source = ConcurrentDeclarativeSource(source_config=yaml.safe_load(open(sys.argv[1])), config={})\n"
    "spec = source.spec(logging.getLogger()).connectionSpecification\n"
    "print(json.dumps({'type': 'SPEC', 'spec': spec, 'warnings': len(source.deprecation_warnings())}))\n"
)


def test_the_runtimes_own_commands(tmp_path: Path) -> None:
    """`spec`, `check`, `discover`, and `read` of both API versions, of an Amazon that sends everything of a person."""
    catalog = tmp_path / "catalog.json"
    stream = {"name": "order", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    configured = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    catalog.write_text(json.dumps({"streams": [configured]}))
    api = Planting(SpApi(), everywhere)
    with Sandbox({"sp_api": api}) as sandbox:
        commands: dict[str, list[str | Path]] = {"spec": [sys.executable, "-c", SPEC, SP_API.manifest]}
        for version in VERSIONS:
            config = tmp_path / f"{version}.json"
            given = connection(sandbox.base_url("sp_api", DAY), api_version=version).config
            config.write_text(json.dumps(dict(given)))
            common: list[str | Path] = ["--config", config, "--manifest-path", SP_API.manifest]
            commands[f"read {version}"] = [RUNTIME, "read", *common, "--catalog", catalog]
            commands[f"check {version}"] = [RUNTIME, "check", *common]
            commands[f"discover {version}"] = [RUNTIME, "discover", *common]
        running = {
            name: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for name, command in commands.items()
        }
        output = {name: process.communicate(timeout=240) for name, process in running.items()}
    assert {name: process.returncode for name, process in running.items()} == dict.fromkeys(commands, 0), output
    text = json.dumps(output)
    assert MARK not in text
    assert not [secret for secret in SECRETS.values() if secret in text]
    assert api.planted > 0

    messages = {name: [json.loads(line) for line in out.splitlines()] for name, (out, _) in output.items()}
    (spec,) = messages["spec"]
    assert spec["warnings"] == 0
    secret = [name for name, field in spec["spec"]["properties"].items() if field.get("airbyte_secret")]
    assert secret == list(SECRETS)
    read = {}
    for version in VERSIONS:
        (status,) = [m["connectionStatus"] for m in messages[f"check {version}"] if m["type"] == "CONNECTION_STATUS"]
        assert status["status"] == "SUCCEEDED"
        (found,) = [m["catalog"]["streams"] for m in messages[f"discover {version}"] if m["type"] == "CATALOG"]
        assert [each["name"] for each in found] == ["order"]
        read[version] = [m["record"]["data"] for m in messages[f"read {version}"] if m["type"] == "RECORD"]
    numbers: dict[str, Any] = {
        "2026-01-01": {each["order"]["orderId"] for each in read["2026-01-01"]},
        "v0": {each["order"]["AmazonOrderId"] for each in read["v0"]},
    }
    assert numbers["2026-01-01"] == numbers["v0"]
    assert len(numbers["v0"]) > 10
