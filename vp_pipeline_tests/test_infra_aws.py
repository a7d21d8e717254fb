"""The IAM policies of infra/aws, enforced by the stand-in: each service can do what it needs, and nothing else.

The stand-in does not look at a policy's conditions (prefixes of listings, external IDs); those are only read here.
"""

import json
from collections.abc import Iterator
from string import Template
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.stand_ins.s3 import KEYS, S3StandIn, s3_stand_in

POLICIES = PROJECT_ROOT / "infra" / "aws" / "policies"
SERVICES = ("airbyte", "dagster", "snowflake")
LANDED = "bronze/keepa/product/2026_03_01_1772400000000_0.jsonl.gz"
MANIFEST = "bronze/keepa/product/_manifests/run_date=2026-03-01.json"
RUNNING = "bronze/keepa/product/_syncs/run_date=2026-03-01.running.json"
SILVER = "silver/keepa/price/run_date=2026-03-01/part-00000.parquet"
QUARANTINE = "quarantine/keepa/price/run_date=2026-03-01.jsonl"
SUPERSEDED = "bronze/keepa/product/_manifests/superseded/run_date=2026-03-01/1772400000.json"
CHANGES = "change_exports/mart_deals/changes/000001.parquet"
STATE = "change_exports/mart_deals/_state/000001.parquet"
OLD_CHANGES, OLD_STATE = (path.replace("change_exports", "gold") for path in (CHANGES, STATE))  # of v0.1.0
OBJECTS = (LANDED, MANIFEST, RUNNING, SUPERSEDED, SILVER, QUARANTINE, CHANGES, STATE, OLD_CHANGES, OLD_STATE)
MAY = {
    "airbyte": {("put", LANDED), ("list", "")},
    "dagster": {
        *(("get", path) for path in OBJECTS),
        *(("put", path) for path in OBJECTS if path not in (LANDED, OLD_CHANGES, OLD_STATE)),
        *(("delete", path) for path in (RUNNING, QUARANTINE)),
        *(("delete", path) for path in (LANDED, SUPERSEDED, STATE, OLD_STATE)),  # retention; the bucket keeps versions
        ("list", ""),
    },
    "snowflake": {("get", SILVER), ("list", "")},
}
ATTEMPTS = [(verb, path) for verb in ("get", "put", "delete") for path in OBJECTS] + [("list", "")]


def policy(service: str, bucket: str) -> str:
    text = Template((POLICIES / f"{service}.json").read_text())
    return text.substitute(bucket=bucket, folder="lake/", key="arn:aws:kms:eu-central-1:123456789012:key/k")


@pytest.fixture(scope="module")
def clients() -> Iterator[tuple[str, dict[str, Any]]]:
    """A bucket with an object of each kind, and a client of S3 in the role of each service."""
    with s3_stand_in() as server:
        store = server.new_lake()
        bucket = store.url.split("/")[2]
        for path in OBJECTS:
            server.client().put_object(Bucket=bucket, Key=f"lake/{path}", Body=b"x")
        made = {service: _in_role(server, service, policy(service, bucket)) for service in SERVICES}
        requests.post(f"{server.url}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
        yield bucket, made
        requests.post(f"{server.url}/moto-api/reset-auth", data="inf", timeout=10)


def _in_role(server: S3StandIn, service: str, document: str) -> Any:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    iam = server.client("iam")
    role = iam.create_role(RoleName=service, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=service, PolicyName="lake", PolicyDocument=document)
    keys = server.client("sts").assume_role(RoleArn=role, RoleSessionName=service)["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name=KEYS["AWS_REGION"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


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
            client.list_objects_v2(Bucket=bucket)
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


@pytest.mark.parametrize(("service", "folder"), [("airbyte", "bronze"), ("snowflake", "silver")])
def test_listings_are_limited_to_the_services_folder(service: str, folder: str) -> None:
    for statement in json.loads(policy(service, "b"))["Statement"]:
        if "s3:ListBucket" in statement["Action"]:
            assert statement["Condition"] == {"StringLike": {"s3:prefix": [f"lake/{folder}/*"]}}


@pytest.mark.parametrize("service", SERVICES)
def test_no_policy_is_wider_than_the_lake(service: str) -> None:
    for statement in json.loads(policy(service, "b"))["Statement"]:
        if statement["Effect"] == "Allow":
            assert "*" not in str(statement["Action"])
            assert statement["Resource"] != "*"
