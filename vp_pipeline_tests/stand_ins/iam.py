"""The conditions of IAM policies on listings, which moto does not look at.

Here: the operators that the policies of infra/aws have; any other is an error. Not here: actions and resources (moto).
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Request, Response

from vp_pipeline_tests.stand_ins.s3 import Fault, refusal

# The keys of a condition, by the parameter of the request that has their value.
_PARAMETERS = {"s3:prefix": "prefix", "s3:max-keys": "max-keys"}


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
