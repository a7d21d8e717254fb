"""What Dagster's UI shows of the resources, by the query that its page sends."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_webserver.webserver import DagsterWebserver
from starlette.testclient import TestClient

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.test_service_settings import COMPLETE

pytestmark = pytest.mark.integration

SECRETS = {
    "VP_SLACK_TOKEN": "xoxb-secret-of-the-test",
    "VP_AIRBYTE_CLIENT_SECRET": "secret-of-the-test-airbyte",
    "VP_SNOWFLAKE_PASSWORD": "secret-of-the-test-snowflake",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-test-aws",
    "VP_EXPORT_TOKEN": "secret-of-the-test-export",
}
QUERY = """
query($repository: RepositorySelector!) {
  allTopLevelResourceDetailsOrError(repositorySelector: $repository) {
    __typename
    ... on ResourceDetailsList { results {
      name description resourceType configuredValues { key value type }
      configFields { name description isRequired defaultValueAsJson }
    } }
  }
}
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Mapping[str, Any]]:
    """The response as text, and the resources of production by name."""
    folder = tmp_path_factory.mktemp("data")
    variables = {
        **COMPLETE,
        **SECRETS,
        "VP_SLACK_CHANNEL": "C0123456789",
        "VP_EXPORT_URL": "https://export.example",
        "VP_S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "VP_DATA_DIR": str(folder),
    }
    target = ModuleTarget("vp_pipeline.definitions", None, str(PROJECT_ROOT), "vp_pipeline")
    with pytest.MonkeyPatch.context() as patch, dg.instance_for_test() as instance:
        for name, value in variables.items():
            patch.setenv(name, value)
        with WorkspaceProcessContext(instance, target) as context:
            client = TestClient(DagsterWebserver(context).create_asgi_app())
            repository = {"repositoryName": "__repository__", "repositoryLocationName": "vp_pipeline"}
            response = client.post("/graphql", json={"query": QUERY, "variables": {"repository": repository}})
    found = response.json()["data"]["allTopLevelResourceDetailsOrError"]
    assert found["__typename"] == "ResourceDetailsList", found
    return response.text, {resource["name"]: resource for resource in found["results"]}


def values(resource: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["key"]: (each["value"], each["type"]) for each in resource["configuredValues"]}


def test_no_value_of_a_secret_is_shown(shown: tuple[str, Mapping[str, Any]]) -> None:
    text, _ = shown
    assert [name for name, secret in SECRETS.items() if secret in text] == []


def test_every_resource_is_described(shown: tuple[str, Mapping[str, Any]]) -> None:
    _, resources = shown
    assert {name for name, each in resources.items() if not each["description"]} == set()
    assert {"lake", "s3", "slack", "airbyte", "warehouse", "dbt"} <= set(resources)


def test_slack_is_shown_with_its_token_masked(shown: tuple[str, Mapping[str, Any]]) -> None:
    slack = shown[1]["slack"]
    assert slack["resourceType"].endswith("SlackChannel")
    assert values(slack)["channel"] == ('"C0123456789"', "VALUE")
    assert values(slack)["token"] == ("********", "SECRET")


def test_s3_is_shown_with_its_address_and_without_keys(shown: tuple[str, Mapping[str, Any]]) -> None:
    s3 = shown[1]["s3"]
    assert s3["resourceType"].endswith("LakeS3")
    assert values(s3)["endpoint_url"] == ('"http://127.0.0.1:9"', "VALUE")
    assert {value for name, (value, _) in values(s3).items() if name.startswith("aws_")} == {"null"}
