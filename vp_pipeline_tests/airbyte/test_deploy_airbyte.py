"""What `vp deploy airbyte` creates: once, by name, and such that a sync finds no difference."""

from collections.abc import Iterator

import pytest
from werkzeug.wrappers import Request, Response

from vp_pipeline.airbyte.deploy import apply, document, values
from vp_pipeline.airbyte.drift import drift
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.stand_ins.airbyte import WORKSPACE, AirbyteStandIn, airbyte_stand_in
from vp_pipeline_tests.test_service_settings import COMPLETE

SETTINGS = load_settings(
    {
        **COMPLETE,
        "KEEPA_API_KEY": "k",
        "VP_KEEPA_ASINS": "B0D8W1YVBX,5:B0D4M48BM2,1:B0D8W1YVBX",
        "VP_AIRBYTE_WORKSPACE_ID": WORKSPACE,
    }
)
FILLED = values(SETTINGS, KEEPA, "arn:aws:iam::1:role/airbyte", "eu-central-1")


@pytest.fixture
def server() -> Iterator[AirbyteStandIn]:
    with airbyte_stand_in(SETTINGS.lake_url or "", lambda job_id: None) as stand_in:  # type: ignore[arg-type, return-value]
        yield stand_in


def test_everything_is_created_once_and_then_updated(server: AirbyteStandIn) -> None:
    first = list(apply(server.client(), WORKSPACE, KEEPA, FILLED))
    assert [applied.kind for applied in first] == ["declarative_sources", "sources", "destinations", "connections"]
    assert all(applied.new for applied in first)
    again = list(apply(server.client(), WORKSPACE, KEEPA, FILLED))
    assert [applied.object_id for applied in again] == [applied.object_id for applied in first]
    assert not any(applied.new for applied in again)
    assert all(len(there) == 1 for there in server.made.values())
    (source,) = server.made["sources"]
    assert source["definitionId"] == first[0].object_id
    assert source["configuration"]["requests"] == ["1:B0D8W1YVBX|", "5:B0D4M48BM2|"]


def test_an_update_of_the_connector_sends_its_manifest_alone(server: AirbyteStandIn) -> None:
    """Airbyte's API takes no other field there; the stand-in refuses as the API does."""
    list(apply(server.client(), WORKSPACE, KEEPA, FILLED))
    server.made["declarative_sources"][0]["manifest"] = {}
    list(apply(server.client(), WORKSPACE, KEEPA, FILLED))
    assert server.made["declarative_sources"][0]["manifest"]["type"] == "DeclarativeSource"


def test_a_conflict_is_reported_with_what_to_do(server: AirbyteStandIn) -> None:
    def conflict(request: Request) -> Response | None:
        return Response(status=409) if request.path.endswith("/connections") and request.method == "POST" else None

    server.faults.append(conflict)
    with pytest.raises(TransientError, match=r"no change of vp-keepa-to-bronze now \(409\).*--apply` again"):
        list(apply(server.client(), WORKSPACE, KEEPA, FILLED))
    server.faults.clear()
    assert [applied.new for applied in apply(server.client(), WORKSPACE, KEEPA, FILLED)] == [False, False, False, True]


def test_what_is_created_is_what_a_sync_expects() -> None:
    """The configuration API returns the same connection in another form."""
    made = document("connection", {**FILLED, "source": "s", "destination": "d"})
    (stream,) = made["configurations"]["streams"]
    read, written = stream["syncMode"].rsplit("_", 1)
    returned = {
        "status": made["status"],
        "namespaceDefinition": made["namespaceDefinition"].replace("_", ""),
        "namespaceFormat": made["namespaceFormat"],
        "prefix": made["prefix"],
        "scheduleType": made["schedule"]["scheduleType"],
        "syncCatalog": {
            "streams": [
                {
                    "stream": {"name": stream["name"]},
                    "config": {"selected": True, "syncMode": read, "destinationSyncMode": written},
                }
            ]
        },
    }
    assert list(drift(returned, document("destination", FILLED), PRODUCT, SETTINGS.lake_url or "")) == []


def test_two_of_a_name_are_not_chosen_from(server: AirbyteStandIn) -> None:
    server.made["sources"] = [{"sourceId": "1", "name": "vp-keepa"}, {"sourceId": "2", "name": "vp-keepa"}]
    with pytest.raises(PermanentError, match="has 2 sources named vp-keepa"):
        list(apply(server.client(), WORKSPACE, KEEPA, FILLED))


KEYS = {"VP_AIRBYTE_S3_ACCESS_KEY_ID": "AKIAEXAMPLE", "VP_AIRBYTE_S3_SECRET_ACCESS_KEY": "the-secret-key"}
PRODUCTS = {"KEEPA_API_KEY": "k", "VP_KEEPA_ASINS": "B0D8W1YVBX"}


def test_the_destination_signs_in_with_a_role_or_with_access_keys() -> None:
    by_role = document("destination", FILLED)["configuration"]
    assert by_role["role_arn"] == "arn:aws:iam::1:role/airbyte"
    assert not {"access_key_id", "secret_access_key"} & set(by_role)
    settings = load_settings({**COMPLETE, **PRODUCTS, **KEYS})
    by_keys = document("destination", values(settings, KEEPA, None, "eu-central-1"))["configuration"]
    assert (by_keys["access_key_id"], by_keys["secret_access_key"]) == ("AKIAEXAMPLE", "the-secret-key")
    assert "role_arn" not in by_keys
    assert "the-secret-key" in settings.secrets  # masked wherever a document is shown


@pytest.mark.parametrize(
    ("keys", "role", "message"),
    [
        ({}, None, "pass --aws-role-arn .*or set VP_AIRBYTE_S3_ACCESS_KEY_ID and VP_AIRBYTE_S3_SECRET_ACCESS_KEY"),
        (dict(list(KEYS.items())[:1]), None, "or set VP_AIRBYTE_S3_ACCESS_KEY_ID and"),
        (KEYS, "arn:aws:iam::1:role/airbyte", "a role and access keys"),
    ],
)
def test_one_way_to_sign_in_is_needed(keys: dict[str, str], role: str | None, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        values(load_settings({**COMPLETE, **PRODUCTS, **keys}), KEEPA, role, "eu-central-1")


@pytest.mark.parametrize(
    ("variables", "named"),
    [({}, "needs KEEPA_API_KEY"), ({"KEEPA_API_KEY": "k"}, "VP_KEEPA_ASINS names no product")],
)
def test_what_airbyte_needs_is_named(variables: dict[str, str], named: str) -> None:
    with pytest.raises(PermanentError, match=named):
        values(load_settings({**COMPLETE, **variables}), KEEPA, "arn", "region")
