"""The IAM policies of infra/aws, enforced by the stand-in: each service can do what it needs, and nothing else.

Conditions on listings are enforced (`stand_ins/iam.py`); those of trust policies (external IDs) are not played.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from dagster._core.storage.compute_log_manager import ComputeIOType
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.stand_ins.iam import enforced, listings_by_policy, policy, role_keys
from vp_pipeline_tests.stand_ins.s3 import KEYS, S3StandIn, s3_stand_in
from vp_pipeline_tests.stand_ins.s3_destination import S3Destination

LOGS = "compute-logs"
SERVICES = ("airbyte", "dagster", "snowflake")
LANDED = "bronze/keepa/product/2026_03_01_1772400000000_0.jsonl.gz"
MANIFEST = "bronze/keepa/product/_manifests/run_date=2026-03-01.json"
RUNNING = "bronze/keepa/product/_syncs/run_date=2026-03-01.running.json"
UNANSWERED = "bronze/keepa/product/_unanswered/run_date=2026-03-01.json"
DECODED, LOADED = "silver/keepa/_decoders/product.json", "silver/keepa/_loaded/product.json"
SILVER = "silver/keepa/price/run_date=2026-03-01/part-00000.parquet"
QUARANTINE = "quarantine/keepa/price/run_date=2026-03-01.jsonl"
SUPERSEDED = "bronze/keepa/product/_manifests/superseded/run_date=2026-03-01/1772400000.json"
CHANGES = "change_exports/mart_deals/changes/000001.parquet"
STATE = "change_exports/mart_deals/_state/000001.parquet"
OLD_CHANGES, OLD_STATE = (path.replace("change_exports", "gold") for path in (CHANGES, STATE))  # of v0.1.0
OUTBOX = "_outbox/slack.jsonl"
# What Airbyte's own check of the destination writes and deletes: since version 1.5, and before.
CHECKS = ("bronze/testing/test/_EXAMPLE", "bronze/_airbyte_connection_test_0123456789abcdef")
OURS = (
    MANIFEST,
    RUNNING,
    UNANSWERED,
    SUPERSEDED,
    SILVER,
    DECODED,
    LOADED,
    QUARANTINE,
    CHANGES,
    STATE,
    OLD_CHANGES,
    OLD_STATE,
    OUTBOX,
)
OBJECTS = (LANDED, *CHECKS, *OURS)
FOLDERS = ("bronze/keepa/product/", "silver/keepa/price/", "quarantine/", "change_exports/", "")
MAY = {
    "airbyte": {
        *(("put", path) for path in (LANDED, *CHECKS)),
        *(("delete", path) for path in CHECKS),
        ("list", "bronze/keepa/product/"),
    },
    "dagster": {
        *(("get", path) for path in OBJECTS),
        *(("put", path) for path in OURS if path not in (OLD_CHANGES, OLD_STATE)),
        *(("delete", path) for path in (RUNNING, UNANSWERED, QUARANTINE, DECODED, LOADED)),
        *(("delete", path) for path in (LANDED, SUPERSEDED, STATE, OLD_STATE)),  # retention; the bucket keeps versions
        *(("list", folder) for folder in FOLDERS),
    },
    "snowflake": {*(("get", path) for path in (SILVER, DECODED, LOADED)), ("list", "silver/keepa/price/")},
}
ATTEMPTS = [
    *((verb, path) for verb in ("get", "put", "delete") for path in OBJECTS),
    *(("list", folder) for folder in FOLDERS),
]


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[str, dict[str, Any]]]:
    """A bucket with an object of each kind, and a client of S3 in the role of each service, conditions included."""
    with s3_stand_in() as server:
        store = server.new_lake()
        bucket = store.url.split("/")[2]
        for path in OBJECTS:
            server.client().put_object(Bucket=bucket, Key=f"lake/{path}", Body=b"x")
        made = {service: server.client(**role_keys(server, service, policy(service, bucket))) for service in SERVICES}
        region = {"LocationConstraint": KEYS["AWS_REGION"]}
        server.client().create_bucket(Bucket=LOGS, CreateBucketConfiguration=region)
        made["logs"] = server.client(**role_keys(server, "logs", policy("compute_logs", LOGS)))
        made["airbyte with keys"] = _with_keys(server, policy("airbyte", bucket))
        with enforced(server):
            yield bucket, made


def _with_keys(server: S3StandIn, document: str) -> Any:
    """A client of a user that has this policy, as Terraform makes it for Airbyte."""
    iam = server.client("iam")
    iam.create_user(UserName="vp-lake-airbyte")
    iam.put_user_policy(UserName="vp-lake-airbyte", PolicyName="lake", PolicyDocument=document)
    made = iam.create_access_key(UserName="vp-lake-airbyte")["AccessKey"]
    server.faults.append(listings_by_policy(made["AccessKeyId"], json.loads(document)))
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    return server.client(**keys)


def allowed(client: Any, bucket: str, verb: str, path: str) -> bool:
    """Whether the stand-in lets a role do this."""
    place = {"Bucket": bucket, "Key": f"lake/{path}"}
    try:
        if verb == "get":
            client.get_object(**place)
        elif verb == "put":
            client.put_object(**place, Body=b"x")
        elif verb == "delete":
            client.delete_object(**place)
        else:
            client.list_objects_v2(Bucket=bucket, **({"Prefix": place["Key"]} if path else {}))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("AccessDenied", "NoSuchKey"):  # an earlier role may have deleted it: that is not a denial
            raise
        return bool(code == "NoSuchKey")
    return True


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_may_do_exactly_what_it_needs(clients: tuple[str, dict[str, Any]], service: str) -> None:
    bucket, made = clients
    assert {(verb, path) for verb, path in ATTEMPTS if allowed(made[service], bucket, verb, path)} == MAY[service]


@pytest.mark.parametrize("signed_in", ["airbyte", "airbyte with keys"])
@pytest.mark.parametrize(
    "request_of",
    [
        S3Destination.check,
        S3Destination.check_before_1_5,
        lambda destination: destination.sync(f"lake/{LANDED}", [b"x" * 5_300_000, b"y"]),
        lambda destination: destination.abort(f"lake/{LANDED}"),
    ],
    ids=["check", "check before 1.5", "sync", "abort"],
)
def test_airbytes_own_destination_works_in_its_role(
    clients: tuple[str, dict[str, Any]], request_of: Callable[[S3Destination], None], signed_in: str
) -> None:
    bucket, made = clients
    request_of(S3Destination(made[signed_in], bucket, "lake/bronze"))


def test_airbyte_lists_one_key_of_the_bucket_and_not_more(clients: tuple[str, dict[str, Any]]) -> None:
    bucket, made = clients
    with pytest.raises(ClientError, match="AccessDenied"):
        made["airbyte"].list_objects(Bucket=bucket, MaxKeys=2)
    with pytest.raises(ClientError, match="AccessDenied"):
        made["airbyte"].list_objects(Bucket=bucket, Prefix="lake/silver/", MaxKeys=1)


def test_what_steps_print_is_written_and_read_in_the_pipelines_role(
    clients: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    """By dagster-aws's own manager, as `infra/dagster/dagster.yaml` has it: written and read."""
    _, made = clients
    configured = yaml.safe_load((PROJECT_ROOT / "infra" / "dagster" / "dagster.yaml").read_text())
    prefix = configured["compute_logs"]["config"]["prefix"]
    manager = S3ComputeLogManager(LOGS, local_dir=str(tmp_path), prefix=prefix)
    manager._s3_session = made["logs"]
    key = ["run-1", "compute_logs", "step-1"]
    with manager.capture_logs(key):
        print("printed by a step")
    manager.local_manager.delete_logs(log_key=key)
    assert manager.cloud_storage_has_logs(key, ComputeIOType.STDOUT)
    assert "printed by a step" in str(manager.get_log_data(key).stdout)
    with pytest.raises(ClientError, match="AccessDenied"):
        made["logs"].put_object(Bucket=LOGS, Key="elsewhere", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        made["logs"].list_objects_v2(Bucket=LOGS)


def test_the_roles_of_two_deployments_have_two_names() -> None:
    """Each name that is of the whole account ends with the deployment."""
    text = (PROJECT_ROOT / "infra" / "aws" / "roles.tf").read_text()
    names = re.findall(r'^  name +=( "vp-[^\n]+")$', text, re.MULTILINE)
    assert len(names) == 3
    assert [name for name in names if not name.endswith('${local.ending}"')] == []
    assert 'ending = var.deployment == "production" ? "" : "-${var.deployment}"' in text


TRUST = {path.stem: path.read_text() for path in (PROJECT_ROOT / "infra" / "aws" / "trust").glob("*.json")}


@pytest.mark.parametrize(
    ("name", "places", "action", "principal", "condition"),
    [
        ("account", {"principal": "p", "external_id": "x"}, "sts:AssumeRole", {"AWS": "p"}, {"sts:ExternalId": "x"}),
        ("principal", {"principal": "p"}, "sts:AssumeRole", {"AWS": "p"}, {}),
        ("service", {"service": "ec2.amazonaws.com"}, "sts:AssumeRole", {"Service": "ec2.amazonaws.com"}, {}),
        (
            "oidc",
            {"provider": "arn:p", "issuer": "oidc.eks.eu-central-1.amazonaws.com/id/A", "subject": "s:n"},
            "sts:AssumeRoleWithWebIdentity",
            {"Federated": "arn:p"},
            {
                "oidc.eks.eu-central-1.amazonaws.com/id/A:aud": "sts.amazonaws.com",
                "oidc.eks.eu-central-1.amazonaws.com/id/A:sub": "s:n",
            },
        ),
    ],
)
def test_a_role_is_taken_on_by_whom_it_is_for(
    name: str, places: dict[str, str], action: str, principal: dict[str, str], condition: dict[str, str]
) -> None:
    (statement,) = json.loads(Template(TRUST[name]).substitute(places))["Statement"]
    assert (statement["Action"], statement["Principal"]) == (action, principal)
    assert statement.get("Condition", {"StringEquals": {}}) == {"StringEquals": condition}
    assert f"trust/{name}.json" in (PROJECT_ROOT / "infra" / "aws" / "roles.tf").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_no_policy_is_wider_than_the_lake(service: str) -> None:
    for statement in json.loads(policy(service, "b"))["Statement"]:
        if statement["Effect"] == "Allow":
            assert "*" not in str(statement["Action"])
            assert statement["Resource"] != "*"
