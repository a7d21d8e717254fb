"""A connection that differs from the code is not synced."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from vp_pipeline.airbyte.deploy import expected_configuration
from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.source import KEEPA
from vp_pipeline_tests.airbyte.remote_syncs import started, sync
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn
from vp_pipeline_tests.test_service_settings import COMPLETE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.connection.update(status="inactive"), "its status is 'inactive', not 'active'"),
        (lambda s: s.connection.update(prefix="x_"), "get the prefix 'x_'"),
        (lambda s: s.connection.update(namespaceDefinition="source"), "namespaceDefinition is 'source'"),
        (lambda s: s.connection.update(scheduleType="cron"), "on a cron schedule"),
        (lambda s: s.connection["syncCatalog"].update(streams=[]), "does not sync the stream product .*none"),
        (
            lambda s: s.connection["syncCatalog"]["streams"][0]["config"].update(destinationSyncMode="overwrite"),
            "destinationSyncMode of product is 'overwrite', not 'append'",
        ),
        (lambda s: s.destination["configuration"].update(s3_bucket_path="other"), "is 'other', not 'lake/bronze'"),
        (lambda s: s.destination["configuration"].update(s3_bucket_name="other"), "is 'other', not 'a-bucket'"),
        (lambda s: s.destination["configuration"].update(s3_path_format="${EPOCH}"), "s3_path_format"),
        (lambda s: s.destination["configuration"]["format"].update(format_type="Parquet"), "'Parquet', not 'JSONL'"),
    ],
)
def test_a_connection_that_drifted_is_not_started(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, change: Callable[[AirbyteStandIn], object], message: str
) -> None:
    change(server)
    with pytest.raises(PermanentError, match=rf"is not what keepa/product expects: .*{message}.*infra/airbyte"):
        sync(airbyte)
    assert started(server) == 0


def expecting(airbyte: RemoteAirbyte, server: AirbyteStandIn, **variables: str) -> RemoteAirbyte:
    """With the settings of a source, which is deployed by them."""
    settings = load_settings({**COMPLETE, "KEEPA_API_KEY": "k", **variables})
    expected = expected_configuration(settings, KEEPA)
    return replace(airbyte, expected={"keepa": expected})


def deployed(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.source["configuration"] = {"api_key": "**********", **airbyte.expected["keepa"]}


def test_a_source_that_requests_something_else_is_not_started(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    airbyte = expecting(airbyte, server, VP_KEEPA_ASINS="B0D8W1YVBX,5:B0D4M48BM2", VP_KEEPA_DAYS="30")
    assert not {"api_key", "base_url"} & set(airbyte.expected["keepa"])
    deployed(airbyte, server)
    server.source["configuration"]["requests"] = ["1:B0OTHER001|"]  # each job gets its own
    server.source["configuration"]["stats"] = 180
    with pytest.raises(PermanentError, match="the stats of its source is 180, and the settings have 90"):
        sync(airbyte)
    assert started(server) == 0
    server.source["configuration"]["stats"] = 90
    sync(airbyte)
    assert started(server) == 1


def test_another_product_is_another_request(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    """A day that was synced before the settings were compared is not requested again for that."""
    sync(airbyte)
    one = expecting(airbyte, server, VP_KEEPA_ASINS="B0D8W1YVBX")
    deployed(one, server)
    assert sync(one).reused
    sync(one, resync=True)
    assert sync(one).reused
    two = expecting(airbyte, server, VP_KEEPA_ASINS="B0D8W1YVBX,5:B0D4M48BM2")
    deployed(two, server)
    assert not sync(two).reused
    assert started(server) == 3


def test_without_a_sources_settings_nothing_is_expected() -> None:
    assert expected_configuration(load_settings(COMPLETE), KEEPA) == {}
