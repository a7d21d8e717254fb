"""Airbyte's API: what is retried, what is not, and how each failure is reported."""

from dataclasses import replace

import pytest
from werkzeug.wrappers import Response

from vp_pipeline.airbyte.remote import RemoteAirbyte
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline_tests.airbyte.remote_syncs import sync
from vp_pipeline_tests.stand_ins.airbyte import AirbyteStandIn, json_response
from vp_pipeline_tests.stand_ins.s3 import times


def test_an_api_that_fails_for_a_while_is_retried(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(times(3, lambda request: Response("down", status=502)))
    assert sync(airbyte).record.records == 3


def test_an_api_that_stays_down_is_a_transient_failure(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(lambda request: Response("down", status=503))
    with pytest.raises(TransientError, match=r"Airbyte fails at http://.*\(HTTP 503\), 4 times"):
        sync(airbyte)


def test_no_response_at_all_is_a_transient_failure(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    gone = server.client(url="http://127.0.0.1:9")
    with pytest.raises(TransientError, match=r"does not respond at .*VP_AIRBYTE_API_URL"):
        sync(replace(airbyte, client=lambda: gone))


@pytest.mark.parametrize(
    ("status", "message"), [(403, "VP_AIRBYTE_WORKSPACE_ID"), (404, "VP_AIRBYTE_…"), (422, "same")]
)
def test_a_rejected_request_is_not_retried(
    airbyte: RemoteAirbyte, server: AirbyteStandIn, status: int, message: str
) -> None:
    server.faults.append(
        lambda request: json_response({"detail": "not allowed"}, status) if "connections" in request.path else None
    )
    with pytest.raises(PermanentError, match=rf"\(HTTP {status}\): not allowed\. .*{message}"):
        sync(airbyte)
    assert server.requests.count("POST /api/v1/connections/get") == 1


def test_an_expired_token_is_replaced(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    server.faults.append(
        times(1, lambda request: json_response({"message": "expired"}, 401) if "jobs" in request.path else None)
    )
    assert sync(airbyte).record.records == 3
    assert len(server.tokens) == 2


def test_a_wrong_secret_is_named_and_not_shown(airbyte: RemoteAirbyte, server: AirbyteStandIn) -> None:
    api = server.client(secret="another/secret")
    with pytest.raises(PermanentError, match=r"VP_AIRBYTE_CLIENT_SECRET") as refused:
        sync(replace(airbyte, client=lambda: api))
    assert "another/secret" not in str(refused.value)
