"""The policies of infra/aws in force: roles that have them, and their conditions on listings, which moto does not
look at.

Here: the operators that the policies have; any other is an error. Not here: actions and resources (moto).
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from string import Template
from typing import Any

import requests
from werkzeug.wrappers import Request, Response

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.stand_ins.s3 import Fault, S3StandIn, refusal

POLICIES = PROJECT_ROOT / "infra" / "aws" / "policies"

# The keys of a condition, by the parameter of the request that has their value.
_PARAMETERS = {"s3:prefix": "prefix", "s3:max-keys": "max-keys"}


def policy(service: str, bucket: str) -> str:
    """The document of a service, for the lake in `lake/` of a bucket."""
    text = Template((POLICIES / f"{service}.json").read_text())
    return text.substitute(bucket=bucket, folder="lake/", key="arn:aws:kms:eu-central-1:123456789012:key/k")


def role_keys(server: S3StandIn, service: str, document: str) -> dict[str, str]:
    """Keys of a new role with this policy, by the names of boto3's arguments."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}
    iam, name = server.client("iam"), f"{service}-{uuid.uuid4().hex[:12]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="lake", PolicyDocument=document)
    made = server.client("sts").assume_role(RoleArn=role, RoleSessionName=service)["Credentials"]
    server.faults.append(listings_by_policy(made["AccessKeyId"], json.loads(document)))
    return {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
        "aws_session_token": made["SessionToken"],
    }


@contextmanager
def enforced(server: S3StandIn) -> Iterator[None]:
    """Within the block a request needs keys whose policy allows it."""
    requests.post(f"{server.url}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
    try:
        yield
    finally:
        requests.post(f"{server.url}/moto-api/reset-auth", data="inf", timeout=10)


def listings_by_policy(access_key: str, policy: Mapping[str, Any]) -> Fault:
    """Refuses a listing of whoever has this key, unless a statement of the policy allows it."""
    statements = [s for s in policy["Statement"] if s["Effect"] == "Allow" and "s3:ListBucket" in s["Action"]]

    def refuse(request: Request) -> Response | None:
        of_a_bucket = request.method == "GET" and "/" not in request.path.strip("/")
        if not of_a_bucket or {"location", "uploads"} & set(request.args):
            return None
        if f"Credential={access_key}/" not in request.headers.get("Authorization", ""):
            return None
        if any(holds(statement.get("Condition", {}), request.args) for statement in statements):
            return None
        return refusal(403, "AccessDenied")

    return refuse


def holds(condition: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str]) -> bool:
    """Whether every key of every operator matches: as IAM has it, one that is absent matches `Null` alone."""
    return all(
        _matches(operator, expected, parameters.get(_PARAMETERS[key]))
        for operator, keys in condition.items()
        for key, expected in keys.items()
    )


def _matches(operator: str, expected: Any, value: str | None) -> bool:
    any_of = [expected] if isinstance(expected, str) else expected
    if operator == "Null":
        return any_of == [str(value is None).lower()]
    if value is None:
        return False
    if operator == "StringLike":
        return any(fnmatchcase(value, pattern) for pattern in any_of)
    if operator == "NumericEquals":
        return any(int(value) == int(number) for number in any_of)
    raise NotImplementedError(operator)
