"""A connection that differs from the code is not synced."""

from collections.abc import Callable

import pytest

from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.failures import PermanentError
from vp_pipeline_tests.airbyte.remote_syncs import started, sync
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn


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
