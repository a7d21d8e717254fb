"""Airbyte's connector, source, destination and connection of a source, by name: created, or updated.

The documents in `infra/airbyte/` are the same for every source; what differs is the source's own (its manifest, streams
and configuration). The destination is one for all.

Here: what is sent to Airbyte's API. Not here: what a connection must look like to be used
(`airbyte/drift.py`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vp_pipeline.airbyte.api import AirbyteApi, AlreadyRunning
from vp_pipeline.airbyte.drift import PATH_FORMAT, bucket_path
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import PROJECT_ROOT, Settings, secret_variables
from vp_pipeline.sources.source import AirbyteSource, Origin

FOLDER = PROJECT_ROOT / "infra" / "airbyte"


@dataclass(frozen=True)
class Applied:
    """One object that was created or updated: its kind, name and ID, and whether it is new."""

    kind: str
    name: str
    object_id: str
    new: bool


def values(settings: Settings, source: AirbyteSource, aws_role_arn: str | None, region: str) -> dict[str, object]:
    """The values of the documents' `${…}`; a field whose value is None is left out. Without a role the destination
    signs in with access keys.

    Raises:
        PermanentError: a setting that Airbyte needs is not set.
    """
    own = settings.of(source)
    if settings.lake_url is None:
        raise PermanentError("Airbyte's destination needs VP_LAKE_URL, the lake's bucket.")
    if not own.uses_vendor:
        raise PermanentError(f"Airbyte's source of {source.name} needs {', '.join(secret_variables(source))}.")
    configuration = source.connector_config(own, Origin.of_vendor(own))
    bucket, path = bucket_path(settings.lake_url)
    return {
        "workspace": settings.airbyte_workspace_id,
        "connector_name": f"VeracityPro {source.name}",
        "source_name": f"vp-{source.name}",
        "configuration": configuration,
        "connection_name": f"vp-{source.name}-to-bronze",
        "namespace": source.name,
        "streams": [{"name": stream.name, "syncMode": "full_refresh_append"} for stream in source.streams],
        **_sign_in(settings, aws_role_arn),
        "bucket": bucket,
        "path": path,
        "path_format": PATH_FORMAT,
        "region": region,
    }


def expected_configuration(settings: Settings, source: AirbyteSource) -> Mapping[str, object]:
    """What the settings have of a source's configuration, without credentials and addresses; nothing where they do not
    have it all."""
    own = settings.of(source).without_secrets()  # the code location looks nothing up while it loads
    if not own.uses_vendor:
        return {}
    try:
        configuration = source.connector_config(own, Origin.of_vendor(own))
    except PermanentError:  # `vp run` and `vp deploy airbyte` report it
        return {}
    return {name: value for name, value in configuration.items() if name not in source.incidental}


def _sign_in(settings: Settings, aws_role_arn: str | None) -> dict[str, object]:
    key, secret = settings.airbyte_s3_access_key_id, settings.airbyte_s3_secret_access_key
    keys = {name: value.get_secret_value() for name, value in (("id", key), ("secret", secret)) if value is not None}
    if aws_role_arn is not None and keys:
        raise PermanentError("Airbyte's destination has a role and access keys: pass --aws-role-arn, or set the keys.")
    if aws_role_arn is None and len(keys) < 2:
        raise PermanentError(
            "Airbyte's destination needs a way to sign in: pass --aws-role-arn (Airbyte Cloud has to enable roles for "
            "the workspace first), or set VP_AIRBYTE_S3_ACCESS_KEY_ID and VP_AIRBYTE_S3_SECRET_ACCESS_KEY."
        )
    return {
        "aws_role_arn": aws_role_arn,
        "access_key_id": keys.get("id"),
        "secret_access_key": keys.get("secret"),
    }


def document(name: str, filled: Mapping[str, object], folder: Path = FOLDER) -> dict[str, Any]:
    """A document with each `"${name}"` replaced by its value, whatever its type; without the fields that have none."""

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            filled_in = {key: fill(value) for key, value in part.items()}
            return {key: value for key, value in filled_in.items() if value is not None}
        if isinstance(part, list):
            return [fill(value) for value in part]
        if isinstance(part, str) and part.startswith("${") and part.endswith("}"):
            return filled[part[2:-1]]
        return part

    found: dict[str, Any] = fill(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    return found


def apply(api: AirbyteApi, workspace: str, source: AirbyteSource, filled: Mapping[str, object]) -> Iterator[Applied]:
    """Creates or updates the four objects, in the order in which they need each other.

    Raises:
        PermanentError, TransientError: Airbyte rejects one, or does not respond. What was created before stays.
    """
    manifest = yaml.safe_load(source.manifest.read_text(encoding="utf-8"))
    connector = _put(
        api,
        f"workspaces/{workspace}/definitions/declarative_sources",
        {"name": filled["connector_name"], "manifest": manifest},
        identity="id",
        update="PUT",
        query={},
    )
    yield connector
    configured = document("source", filled) | {"definitionId": connector.object_id}
    created = _put(api, "sources", configured, identity="sourceId", update="PATCH", query={"workspaceIds": workspace})
    yield created
    target = document("destination", filled)
    lake = _put(
        api, "destinations", target, identity="destinationId", update="PATCH", query={"workspaceIds": workspace}
    )
    yield lake
    connection = document("connection", {**filled, "source": created.object_id, "destination": lake.object_id})
    yield _put(
        api, "connections", connection, identity="connectionId", update="PATCH", query={"workspaceIds": workspace}
    )


def _put(
    api: AirbyteApi, path: str, body: dict[str, Any], *, identity: str, update: str, query: Mapping[str, str]
) -> Applied:
    url = f"{api.rest_api_base_url}/{path}"
    there = api._paginated_request("GET", url, params=dict(query))
    same = [item for item in there if item["name"] == body["name"]]
    if len(same) > 1:
        raise PermanentError(f"Airbyte has {len(same)} {path} named {body['name']}: delete or rename all but one.")
    try:
        if same:
            response = api._single_request(update, f"{url}/{same[0][identity]}", data=_changeable(body))
        else:
            response = api._single_request("POST", url, data=body)
    except AlreadyRunning:
        raise TransientError(
            f"Airbyte takes no change of {body['name']} now (409): a sync or another change of it is running. Run "
            "`vp deploy airbyte --apply` again when that has ended; what was applied before stays."
        ) from None
    return Applied(path.rpartition("/")[2], str(body["name"]), str(response[identity]), new=not same)


def _changeable(body: dict[str, Any]) -> dict[str, Any]:
    """What may be changed of an existing object: of a connector the manifest alone, of others not where they belong."""
    if "manifest" in body:
        return {"manifest": body["manifest"]}
    return {k: v for k, v in body.items() if k not in ("workspaceId", "sourceId", "destinationId", "definitionId")}
