"""Secrets by reference: looked up when they are used, rotated without a restart, and in no message."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from werkzeug.wrappers import Request, Response

from vp_pipeline import secret_references
from vp_pipeline.delivery.slack import Busy, build_slack
from vp_pipeline.environments.production import ProductionEnvironment
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.redaction import Redaction
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.settings import SettingsError, all_settings, load_settings
from vp_pipeline_tests.stand_ins.airbyte import CLIENT_SECRET, CONNECTION, airbyte_stand_in
from vp_pipeline_tests.stand_ins.s3 import S3StandIn, s3_stand_in
from vp_pipeline_tests.test_service_settings import COMPLETE

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:vp/slack-AbCdEf"
CHANNEL = {"VP_SLACK_CHANNEL": "C1"}


def slack_token(**variables: str) -> SecretStr:
    token = load_settings({**CHANNEL, **variables}).slack_token
    assert token is not None
    return token


def test_every_secret_can_be_a_file(tmp_path: Path) -> None:
    secrets = [setting for setting in all_settings() if setting.is_secret]
    assert len(secrets) >= 10
    for setting in secrets:
        (tmp_path / setting.variable).write_text(f"value of {setting.variable}\n")
    files = {secret_references.file_variable(setting.variable): str(tmp_path / setting.variable) for setting in secrets}
    beside = {f"VP_POWER_BI_{name}_ID": "x" for name in ("TENANT", "CLIENT", "WORKSPACE", "DATASET")}
    urls = {f"VP_{service}_URL": "https://service.example" for service in ("EXPORT", "OPENLINEAGE")}
    settings = load_settings({**files, **CHANNEL, **beside, **urls})
    found = {s.variable: getattr(settings.of(s.source) if s.source else settings, s.field) for s in secrets}
    assert {name: value.get_secret_value() for name, value in found.items()} == {
        setting.variable: f"value of {setting.variable}" for setting in secrets
    }
    assert set(settings.secrets) == {f"value of {setting.variable}" for setting in secrets}
    assert "value of" not in repr(settings)


def test_a_file_is_read_when_the_secret_is_used(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = slack_token(VP_SLACK_TOKEN_FILE=str(file))
    with pytest.raises(PermanentError, match=rf"VP_SLACK_TOKEN_FILE names the file {file}, which cannot be read: No "):
        token.get_secret_value()
    file.write_text("\n")
    with pytest.raises(PermanentError, match="which is empty"):
        token.get_secret_value()
    for value in ("first", "second"):
        file.write_text(f"{value}\r\n")
        assert token.get_secret_value() == value


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="VP_SLACK_TOKEN cannot be used: VP_SLACK_TOKEN_FILE is set too") as refused:
        slack_token(VP_SLACK_TOKEN="xoxb-hidden", VP_SLACK_TOKEN_FILE=str(tmp_path))
    assert "xoxb-hidden" not in str(refused.value)
    assert load_settings({"VP_SLACK_TOKEN": "", "VP_SLACK_TOKEN_FILE": ""}).slack_token is None


def test_a_reference_that_cannot_be_read_is_refused_at_once() -> None:
    with pytest.raises(
        SettingsError, match="VP_SLACK_TOKEN cannot be used: it is no reference: write arn:aws:secretsm"
    ):
        slack_token(VP_SLACK_TOKEN="arn:aws:secretsmanager:here:secret:x")
    with pytest.raises(SettingsError, match="KEEPA_API_KEY_FIL is not a setting"):
        load_settings({"KEEPA_API_KEY_FIL": "x"})


def test_redaction_knows_what_was_looked_up_also_after_a_rotation(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("xoxb-before")
    settings = load_settings({**CHANNEL, "VP_SLACK_TOKEN_FILE": str(file)})
    assert settings.secrets == ("xoxb-before",)
    file.write_text("xoxb-after")
    assert Redaction(settings.secrets)("xoxb-before and xoxb-after") == "*** and ***"
    file.unlink()
    assert Redaction(settings.secrets)("xoxb-before and xoxb-after") == "*** and ***"


def test_slack_signs_in_with_a_rotated_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("xoxb-withdrawn")
    with Services() as services:
        given = {name: value for name, value in services.variables().items() if name != "VP_SLACK_TOKEN"}
        slack = build_slack(load_settings({**given, "VP_SLACK_TOKEN_FILE": str(file)}))
        with pytest.raises(Busy, match="invalid_auth"):
            slack.post("a", {"text": "x"})
        file.write_text(services.slack.token)
        slack.post("a", {"text": "x"})
        assert [message["text"] for message in services.slack.messages] == ["x"]


@pytest.mark.integration
def test_airbyte_signs_in_with_a_rotated_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("withdrawn")
    complete = {name: value for name, value in COMPLETE.items() if name != "VP_AIRBYTE_CLIENT_SECRET"}
    with airbyte_stand_in("s3://a-bucket/lake", lambda job: pytest.fail("no job is started")) as server:
        urls = {
            "VP_AIRBYTE_API_URL": f"{server.url}/api/public/v1",
            "VP_AIRBYTE_CONFIGURATION_API_URL": f"{server.url}/api/v1",
        }
        settings = load_settings({**complete, **urls, "VP_AIRBYTE_CLIENT_SECRET_FILE": str(file)})
        client = ProductionEnvironment(settings).build_airbyte_client()
        with pytest.raises(PermanentError, match="401"):
            client.running_job(CONNECTION)
        file.write_text(CLIENT_SECRET)
        assert client.running_job(CONNECTION) is None


@pytest.fixture(scope="module")
def server() -> Iterator[S3StandIn]:
    with s3_stand_in() as server:
        yield server


@pytest.fixture
def aws(server: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3StandIn]:
    """Secrets Manager, without what an earlier test has looked up."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.url)
    for name in ("_current", "_known", "_failed_at"):
        monkeypatch.setattr(secret_references, name, {})
    server.requests.clear()
    yield server
    server.faults.clear()


def stored(aws: S3StandIn, name: str, value: str) -> str:
    """The ARN of a new secret."""
    return str(aws.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"])


@pytest.mark.integration
def test_a_secret_of_secrets_manager_is_used_for_minutes(aws: S3StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = stored(aws, "whole", "xoxb-before")
    token = slack_token(VP_SLACK_TOKEN=arn)
    aws.requests.clear()
    assert [token.get_secret_value() for _ in range(3)] == ["xoxb-before"] * 3
    assert len(aws.requests) == 1
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="xoxb-after")
    assert token.get_secret_value() == "xoxb-before"
    monkeypatch.setattr(secret_references, "KEPT_SECONDS", 0)
    assert token.get_secret_value() == "xoxb-after"
    assert set(secret_references.known_values([token])) == {"xoxb-before", "xoxb-after"}


@pytest.mark.integration
def test_a_key_of_a_secret_that_is_an_object(aws: S3StandIn) -> None:
    arn = stored(aws, "object", json.dumps({"token": "xoxb-1", "n": 5, "empty": ""}))
    assert slack_token(VP_SLACK_TOKEN=f"{arn}#token").get_secret_value() == "xoxb-1"
    for key in ("n", "empty", "missing"):
        with pytest.raises(
            PermanentError, match=rf"^VP_SLACK_TOKEN, {arn}#{key}, has no text under the key {key}"
        ) as e:
            slack_token(VP_SLACK_TOKEN=f"{arn}#{key}").get_secret_value()
        assert "xoxb-1" not in str(e.value)


def answer(status: int, code: str) -> Any:
    def respond(request: Request) -> Response:
        return Response(json.dumps({"__type": code}), status=status, content_type="application/x-amz-json-1.1")

    return respond


@pytest.mark.integration
@pytest.mark.parametrize(
    ("status", "code", "kind", "message"),
    [
        (400, "ResourceNotFoundException", PermanentError, "Create the secret, or correct VP_SLACK_TOKEN"),
        (400, "AccessDeniedException", PermanentError, "Allow the pipeline's role secretsmanager:GetSecretValue"),
        (400, "ThrottlingException", TransientError, "Run it again later"),
    ],
)
def test_a_refusal_names_the_variable_and_the_reference(
    aws: S3StandIn, status: int, code: str, kind: type[Exception], message: str
) -> None:
    aws.faults.append(answer(status, code))
    with pytest.raises(kind, match=rf"^VP_SLACK_TOKEN, {ARN}, cannot be looked up: .* {code} \({status}\). {message}"):
        slack_token(VP_SLACK_TOKEN=ARN).get_secret_value()


@pytest.mark.integration
def test_redaction_does_not_wait_for_a_service_that_has_just_failed(aws: S3StandIn) -> None:
    settings = load_settings({**CHANNEL, "VP_SLACK_TOKEN": ARN})
    aws.faults.append(answer(400, "AccessDeniedException"))
    assert settings.secrets == ()
    asked = len(aws.requests)
    assert asked > 0
    assert settings.secrets == ()
    assert len(aws.requests) == asked
