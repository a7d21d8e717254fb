"""A production sync of batches on the stand-in of Airbyte: each job gets its list, and nothing is asked twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner, SyncJob
from vp_pipeline.airbyte.deploy import expected_configuration
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.airbyte.remote_jobs import running_path
from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.airbyte.remote_syncs import DAY, started, sync
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn
from vp_pipeline_tests.stand_ins.strict_keepa import StrictKeepa, strict_keepa
from vp_pipeline_tests.test_service_settings import COMPLETE

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]

PRODUCTS = [f"{(1, 3, 5)[number % 3]}:B0TEST{number:04}" for number in range(24)]
TOKENS = 4


@pytest.fixture
def keepa() -> Iterator[StrictKeepa]:
    with strict_keepa({}) as server:
        yield server


@pytest.fixture
def batched(airbyte: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake, keepa: StrictKeepa) -> RemoteAirbyte:
    """With the settings of 24 products; a job runs the connector once, with the configuration that the source has."""
    settings = load_settings({**COMPLETE, "KEEPA_API_KEY": "k3y", "VP_KEEPA_ASINS": ",".join(PRODUCTS)})

    def work(job_id: int) -> SyncJob:
        config = {**server.source["configuration"], "api_key": "k3y", "base_url": keepa.url}
        connection = AirbyteConnection("keepa", "product", KEEPA.manifest, config, ("k3y",))
        return ConnectorRunner(bucket, part_bytes=0).sync(connection, job_id)

    server.work = work
    expected = expected_configuration(settings, KEEPA)
    server.source["configuration"] = {"api_key": "**********", **expected, "requests": ["1:B0SBXUSA01|"]}
    return replace(airbyte, expected={"keepa": expected})


def test_a_refused_product_costs_itself_alone_and_is_named(
    batched: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake, keepa: StrictKeepa
) -> None:
    keepa.bad = {"B0TEST0003": 400, "B0TEST0010": 200}
    assert batched.estimate(KEEPA, PRODUCT, DAY) == "24 in 6 requests, up to 96 tokens"
    logged: list[str] = []
    done = sync(batched, log=logged.append)
    assert set(done.record.refused) == {"1:B0TEST0003"}, "a record has the reason of the other one"
    reason = done.record.refused["1:B0TEST0003"]
    assert any(reason.endswith(f"in the log of Airbyte's job {job.job_id}") for job in server.jobs)
    assert sorted(keepa.served) == sorted({*PRODUCTS} - {"1:B0TEST0003", "3:B0TEST0010"})
    assert done.figures["tokens"] == keepa.consumed == TOKENS * 22
    assert len(keepa.refused) == len(set(keepa.refused))
    assert 1 < started(server) == len(server.jobs) < 6
    assert done.record.request is not None
    assert sorted(done.record.request.entities) == sorted(PRODUCTS)
    manifest = bronze.land(bucket, PRODUCT, DAY)
    assert manifest.records == len(done.record.objects)
    assert not bucket.exists(running_path(PRODUCT, DAY))
    assert any("of 24 done; " in line for line in logged)
    assert server.source["configuration"]["api_key"] == "**********"
    assert sync(batched).reused
    assert batched.estimate(KEEPA, PRODUCT, DAY).startswith("nothing: sync ")


def test_a_failed_job_is_continued_by_another_one(
    batched: RemoteAirbyte, server: AirbyteStandIn, bucket: Lake, keepa: StrictKeepa
) -> None:
    keepa.bad = {"B0TEST0005": 402}
    with pytest.raises(PermanentError, match=r"ended as failed .*payment.* What it landed is used, and the rest req"):
        sync(batched)
    before = list(keepa.served)
    assert 0 < len(before) < 24
    keepa.bad = {"B0TEST0004": 400}
    with pytest.raises(PermanentError):
        sync(replace(batched, deadline_seconds=0))
    done = sync(batched)
    assert sorted(keepa.served) == sorted(PRODUCTS if "3:B0TEST0004" in before else {*PRODUCTS} - {"3:B0TEST0004"})
    assert keepa.consumed == TOKENS * len(keepa.served)
    assert bronze.land(bucket, PRODUCT, DAY).records == len(done.record.objects)


def test_another_list_begins_anew(batched: RemoteAirbyte, server: AirbyteStandIn, keepa: StrictKeepa) -> None:
    keepa.bad = {"B0TEST0005": 402}
    with pytest.raises(PermanentError):
        sync(batched)
    keepa.bad.clear()
    keepa.served.clear()
    expected = {**batched.expected["keepa"], "requests": ["1:B0TEST0000,B0TEST0003|"]}
    done = sync(replace(batched, expected={"keepa": expected}))
    assert keepa.served == ["1:B0TEST0000", "1:B0TEST0003"]
    assert server.source["configuration"]["requests"] == expected["requests"]
    assert len(done.record.objects) == 1


def test_a_job_that_someone_else_started_counts_with_what_it_lands(
    batched: RemoteAirbyte, server: AirbyteStandIn, keepa: StrictKeepa, bucket: Lake
) -> None:
    expected: list[str] = list(batched.expected["keepa"]["requests"])  # type: ignore[call-overload]
    server.source["configuration"]["requests"] = expected[:2]
    server.released.clear()
    server.start()
    keepa.before = lambda number: None
    # Its configuration is read when it works, so it gets its list back once ours was set.
    server.faults.append(lambda request: _restored(server, expected[:2]) if request.path.endswith("/jobs") else None)
    done = sync(batched)
    assert started(server) == 2, "refused with 409, then one for the rest"
    assert sorted(keepa.served) == sorted(PRODUCTS)
    assert bronze.land(bucket, PRODUCT, DAY).records == len(done.record.objects)


def _restored(server: AirbyteStandIn, requests: list[str]) -> None:
    if not server.released.is_set():
        server.source["configuration"]["requests"] = requests
        server.released.set()
        server.faults.clear()


def test_the_list_of_products_is_no_difference(batched: RemoteAirbyte, server: AirbyteStandIn, tmp_path: Path) -> None:
    server.source["configuration"]["stats"] = 7
    with pytest.raises(PermanentError, match="the stats of its source is 7, and the settings have 90"):
        sync(batched)
    assert started(server) == 0
