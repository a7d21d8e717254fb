"""Production's settings over real protocols: sync, bronze, silver, COPY and RAW, equal to the local warehouse."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.lake import bronze
from vp_pipeline.partitions import ONE_DAY
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline_tests.conftest import Pipeline, pipeline_settings
from vp_pipeline_tests.stand_ins import s3, snowflake
from vp_pipeline_tests.stand_ins.airbyte import json_response
from vp_pipeline_tests.stand_ins.production import SECRETS, Production, production

pytestmark = pytest.mark.integration

DAYS = tuple(date(2026, 2, n) for n in (9, 10, 11))
UP_TO_RAW = "key:airbyte/* or key:bronze/* or key:silver/* or key:raw/*"
RAW = [f"keepa_{table.name}" for table in PRODUCT.tables]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Three days, one after the other, as the schedule would run them, each service in its role."""
    with production(tmp_path_factory.mktemp("production"), roles=True) as made:
        for day in DAYS:
            result = made.materialize(UP_TO_RAW, day)
            assert result.success, reasons(result)
        yield made


def reasons(result: dg.ExecuteInProcessResult) -> list[str]:
    return [str(event.event_specific_data.error) for event in result.all_node_events if event.is_step_failure]  # type: ignore[union-attr]


def rows_of(query: Any, table: str) -> list[tuple[Any, ...]]:
    """A RAW table's rows without the moment of loading."""
    columns = [column.name for t in PRODUCT.tables if f"keepa_{t.name}" == table for column in t.columns]
    listed = ", ".join([*columns, "_run_date", "_snapshot_at", "_source_object"])
    return sorted((tuple(row) for row in query(f"select {listed} from raw.{table}")), key=repr)


def test_raw_is_row_for_row_that_of_the_local_warehouse(played: Production, tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        local = Pipeline(pipeline_settings(tmp_path / "data", keepa_asins=tuple(played.products)), instance)
        assert local.materialize(UP_TO_RAW, *DAYS).success
        for table in RAW:
            expected = rows_of(local.query, table)
            assert rows_of(played.snowflake.query, table) == expected, table
        assert len(rows_of(local.query, "keepa_price")) > 1000


def test_each_day_is_of_its_own_sync(played: Production) -> None:
    syncs = [bronze.read_sync(played.lake, PRODUCT, day) for day in DAYS]
    assert [sync.job_id for sync in syncs if sync] == [job.job_id for job in played.airbyte.jobs]
    manifests = [bronze.read_manifest(played.lake, PRODUCT, day) for day in DAYS]
    requests: Any = played.configuration()["requests"]
    assert all(manifest and manifest.records == len(requests) for manifest in manifests)


def test_a_day_again_requests_nothing_and_writes_nothing(played: Production) -> None:
    before = {info.path: info.modified for info in played.lake.list("silver")}
    sent = len(played.snowflake.statements)
    result = played.materialize("key:airbyte/* or key:bronze/* or key:raw/*", DAYS[-1])
    assert result.success, reasons(result)
    assert len(played.airbyte.jobs) == len(DAYS)
    assert not [s for s in played.snowflake.statements[sent:] if s.startswith(("copy", "delete", "insert", "update"))]
    assert {info.path: info.modified for info in played.lake.list("silver")} == before


def test_every_object_is_encrypted_by_the_key_of_the_bucket(played: Production) -> None:
    client, bucket = played.s3.client(), played.store.url.split("/")[2]
    for item in played.lake.list(""):
        head = client.head_object(Bucket=bucket, Key=f"lake/{item.path}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/lake"), item.path


def test_a_session_of_raw_names_run_asset_and_partition(played: Production) -> None:
    tags = [login["QUERY_TAG"] for login in played.snowflake.logins if "QUERY_TAG" in login]
    runs = {run.run_id for run in played.instance.get_runs()}
    assert any(f'"partition": "{DAYS[0]}"' in tag and any(run in tag for run in runs) for tag in tags)


def broken(played: Production, service: str) -> list[Any]:
    """Makes a service refuse; the list of faults to clear."""
    if service == "airbyte":
        played.airbyte.faults.append(
            lambda request: json_response({"detail": "not allowed"}, 403) if "jobs" in request.path else None
        )
        return played.airbyte.faults
    if service == "s3":
        played.s3.faults.append(lambda _: s3.refusal(403, "AccessDenied"))
        return played.s3.faults
    played.snowflake.faults.append(lambda _: snowflake.refusal(3001, "Insufficient privileges"))
    return played.snowflake.faults


@pytest.mark.parametrize("service", ["airbyte", "s3", "snowflake"])
def test_no_secret_shows_when_a_service_refuses(
    played: Production, service: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    faults = broken(played, service)
    try:
        result = played.materialize(UP_TO_RAW, DAYS[-1] + ONE_DAY)
    finally:
        faults.clear()
    assert not result.success
    (first, *_) = reasons(result)
    assert {"airbyte": "HTTP 403", "s3": "AccessDenied", "snowflake": "Insufficient privileges"}[service] in first
    printed = capfd.readouterr()
    for secret in SECRETS:
        assert secret not in "".join(reasons(result)) + caplog.text + printed.out + printed.err


def test_no_secret_shows_anywhere(played: Production) -> None:
    """Events, errors, run config and everything on the lake and in the folder of artefacts, of all runs above."""
    runs = played.instance.get_runs()
    assert len(runs) >= len(DAYS)
    stored = "".join(str(record) for run in runs for record in played.instance.all_logs(run.run_id))
    stored += "".join(str(run.run_config) + str(run.tags) for run in runs)
    kept = b"".join(played.lake.read(info.path) for info in played.lake.list(""))
    kept += b"".join(path.read_bytes() for path in played.settings.data_dir.rglob("*") if path.is_file())
    for secret in SECRETS:
        assert secret not in stored
        assert secret.encode() not in kept
    assert not [line for line in played.airbyte.requests + played.s3.requests if any(s in line for s in SECRETS)]
