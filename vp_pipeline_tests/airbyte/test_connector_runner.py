"""The connector runner: what it lands and how it fails. With a small connector (`pages.py`)."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.airbyte.pages import Pages, everything, lines, requesting
from vp_pipeline_tests.sandbox.client import KeepaSandbox

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]


def test_lands_what_the_s3_destination_lands(lake: Lake, connection: AirbyteConnection) -> None:
    job = ConnectorRunner(lake).sync(requesting(connection, "a", "b"))

    assert job.started_at == datetime.fromtimestamp(job.job_id / 1000, UTC)
    assert job.started_at <= job.ended_at <= datetime.now(UTC)
    assert (job.source, job.stream, job.status, job.messages) == ("library", "page", "succeeded", ())
    day = job.started_at.strftime("%Y_%m_%d")
    assert job.objects == (f"bronze/library/page/{day}_{job.job_id}_0.jsonl.gz",)
    content = lake.read(job.objects[0])
    assert job.bytes == len(content)
    assert content[3:8] == b"\0\0\0\0\0", "the gzip header names no file and no time"

    records = [json.loads(line) for line in lines(lake, job.objects[0])]
    assert job.records == len(records) == 2
    for record, page in zip(records, "ab", strict=True):
        assert list(record) == [
            "_airbyte_raw_id",
            "_airbyte_extracted_at",
            "_airbyte_generation_id",
            "_airbyte_meta",
            "_airbyte_data",
        ]
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record["_airbyte_raw_id"])
        assert job.job_id <= record["_airbyte_extracted_at"] <= job.ended_at.timestamp() * 1000
        assert record["_airbyte_generation_id"] == 0
        assert record["_airbyte_meta"] == {"sync_id": job.job_id, "changes": []}
        assert record["_airbyte_data"] == {"page": page}
    assert records[0]["_airbyte_raw_id"] != records[1]["_airbyte_raw_id"]


def test_a_record_is_passed_through_to_the_byte(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    body = (
        '{"z":1,"a":{"ints":[9007199254740993,18446744073709551615,-9223372036854775808,0,-1],"empty":{},"list":[]},'
        '"text":"日本 é 😀 \\u0000\\" </script>","float":4.5,"null":null,"flag":true,"0":"0012","text2":"1e5"}'
    ).encode()
    pages.responses["a"] = (200, body)
    job = ConnectorRunner(lake).sync(connection)
    (line,) = lines(lake, job.objects[0])
    assert line.endswith(b'"_airbyte_data":' + body + b"}")


def test_a_lone_surrogate_is_kept(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    pages.responses["a"] = (200, b'{"text":"\\ud83d","n":1}')
    job = ConnectorRunner(lake).sync(connection)
    (line,) = lines(lake, job.objects[0])
    assert json.loads(line)["_airbyte_data"] == {"text": "\ud83d", "n": 1}


def test_a_part_is_closed_when_it_is_full(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    pages.responses = {page: (200, json.dumps({"text": page * 500}).encode()) for page in "abcde"}
    # A line is 500 bytes and an envelope: two lines pass 1000 bytes.
    job = ConnectorRunner(lake, part_bytes=1000).sync(requesting(connection, *"abcde"))
    assert [path.rsplit("_", 1)[1] for path in job.objects] == ["0.jsonl.gz", "1.jsonl.gz", "2.jsonl.gz"]
    texts = [[json.loads(x)["_airbyte_data"]["text"][0] for x in lines(lake, path)] for path in job.objects]
    assert texts == [["a", "b"], ["c", "d"], ["e"]]
    assert job.records == 5
    assert job.bytes == sum(len(lake.read(path)) for path in job.objects)
    assert sorted(info.path for info in lake.list("bronze")) == list(job.objects)


def test_an_empty_stream_lands_no_object(lake: Lake, connection: AirbyteConnection) -> None:
    job = ConnectorRunner(lake).sync(requesting(connection))
    assert (job.status, job.records, job.bytes, job.objects) == ("succeeded", 0, 0, ())
    assert not lake.list("bronze")


def test_a_failure_half_way_leaves_finished_parts_and_reports_them(
    lake: Lake, connection: AirbyteConnection, pages: Pages
) -> None:
    pages.responses["c"] = (400, b"{}")
    with pytest.raises(PermanentError, match=r"2 finished parts stayed on the lake, from bronze/library/page/\S+_0"):
        ConnectorRunner(lake, part_bytes=1).sync(requesting(connection, *"abcd"))
    assert [p.name.rsplit("_", 1)[1] for p in sorted(everything(lake))] == ["0.jsonl.gz", "1.jsonl.gz"]
    assert pages.requested == ["a", "b", "c"], "nothing more is requested after a failure"


def test_a_failure_within_a_part_leaves_nothing(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    pages.responses["b"] = (400, b"{}")
    with pytest.raises(PermanentError) as caught:
        ConnectorRunner(lake).sync(requesting(connection, "a", "b"))
    assert "stayed" not in str(caught.value)
    assert everything(lake) == []


def test_an_unreachable_server_is_a_transient_failure(lake: Lake, connection: AirbyteConnection) -> None:
    with pytest.raises(TransientError, match=r"library/page failed: 127\.0\.0\.1:1 cannot be reached .*refused"):
        ConnectorRunner(lake).sync(requesting(connection, "a", base_url="http://127.0.0.1:1"))


def test_a_server_error_is_a_transient_failure(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    pages.responses["a"] = (502, b"bad gateway")
    with pytest.raises(TransientError, match="502"):
        ConnectorRunner(lake).sync(connection)


def test_a_sync_ends_at_its_deadline(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    with pytest.raises(TransientError, match="0 seconds"):
        ConnectorRunner(lake, deadline_seconds=0).sync(requesting(connection, "a", "b"))
    assert pages.requested == ["a"]
    assert everything(lake) == []


def test_an_unknown_stream_and_a_missing_or_broken_manifest_are_permanent(
    lake: Lake, connection: AirbyteConnection, tmp_path: Path
) -> None:
    airbyte = ConnectorRunner(lake)
    with pytest.raises(PermanentError, match="has no stream chapter; it has page"):
        airbyte.sync(replace(connection, stream="chapter"))
    with pytest.raises(PermanentError, match="No such file"):
        airbyte.sync(replace(connection, manifest=tmp_path / "nowhere.yaml"))
    (tmp_path / "broken.yaml").write_text("type: DeclarativeSource\nstreams: 7\n")
    with pytest.raises(PermanentError, match="library/page"):
        airbyte.sync(replace(connection, manifest=tmp_path / "broken.yaml"))


def test_check(lake: Lake, connection: AirbyteConnection, pages: Pages) -> None:
    airbyte = ConnectorRunner(lake)
    airbyte.check(connection)
    pages.responses["a"] = (401, b"{}")
    with pytest.raises(PermanentError, match=r"check of library/page failed: .*401.*LIBRARY_API_KEY"):
        airbyte.check(connection)
    with pytest.raises(PermanentError, match="Config validation error"):
        airbyte.check(requesting(connection, "a", api_key=7))
    with pytest.raises(PermanentError, match="cannot be reached"):
        airbyte.check(requesting(connection, "a", base_url="http://127.0.0.1:1"))


def test_syncs_run_again_and_again_and_side_by_side(lake: Lake, connection: AirbyteConnection) -> None:
    airbyte = ConnectorRunner(lake)
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda n: airbyte.sync(requesting(connection, f"page {n}")), range(8)))
    assert len({job.job_id for job in jobs}) == 8
    found = [json.loads(lines(lake, job.objects[0])[0])["_airbyte_data"]["page"] for job in jobs]
    assert found == [f"page {n}" for n in range(8)]
    assert airbyte.sync(connection).job_id > max(job.job_id for job in jobs)


def test_it_reads_from_the_sandbox(lake: Lake) -> None:
    manifest = Path(__file__).parents[2] / "vp_pipeline" / "sources" / "keepa" / "connector.yaml"
    with KeepaSandbox() as sandbox:
        asins: list[Any] = list(sandbox.api.entities)[:2]
        config = {
            "api_key": "local",
            "requests": [f"{asin}|" for asin in asins],
            "base_url": sandbox.url_as_of(datetime(2025, 3, 4, tzinfo=UTC).date()),
        }
        connection = AirbyteConnection("keepa", "product", manifest, config, ("local",))
        ConnectorRunner(lake).check(connection)
        job = ConnectorRunner(lake).sync(connection)
    envelopes = [json.loads(line)["_airbyte_data"] for line in lines(lake, job.objects[0])]
    end_of_day = int(datetime(2025, 3, 5, tzinfo=UTC).timestamp() * 1000) - 1
    assert [envelope["timestamp"] for envelope in envelopes] == [end_of_day] * 2
    assert [f"{p['domainId']}:{p['asin']}" for e in envelopes for p in e["products"]] == asins
