"""Whether an Airbyte connection still is what the code expects.

Here: the comparison of its streams, of where its destination writes and of what its source requests, and the
fingerprint of that. Not here: how it is created (`infra/airbyte/`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vp_pipeline.sources.source import Stream

# The names of landed objects below the bucket path; `lake/bronze.py` shows one.
PATH_FORMAT = "${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_"


def bucket_path(lake_url: str) -> tuple[str, str]:
    """The bucket and the folder in it below which the destination must write."""
    bucket, _, folder = lake_url.removeprefix("s3://").partition("/")
    return bucket, f"{folder}/bronze" if folder else "bronze"


def drift(
    connection: Mapping[str, Any], destination: Mapping[str, Any], stream: Stream, lake_url: str
) -> Iterator[str]:
    """Each difference, as a sentence with what is expected.

    `connection`: as the configuration API returns it; `destination`: as the API returns it.
    """
    yield from _of_stream(connection, stream)
    expected = {"status": "active", "namespaceDefinition": "customformat", "namespaceFormat": stream.source}
    for name, value in expected.items():
        if connection.get(name) != value:
            yield f"its {name} is {connection.get(name)!r}, not {value!r}"
    if connection.get("prefix"):
        yield f"its stream names get the prefix {connection['prefix']!r}; they must have none"
    if connection.get("scheduleType", "manual") != "manual":
        yield f"Airbyte runs it on a {connection['scheduleType']} schedule; only the pipeline may start it (manual)"
    yield from _of_destination(destination.get("configuration") or {}, lake_url)


def source_drift(deployed: Mapping[str, Any], expected: Mapping[str, object]) -> Iterator[str]:
    """Each difference of a source's configuration from that of the settings; what Airbyte has beside it may stay."""
    for name, value in expected.items():
        if _as_text(deployed.get(name)) != _as_text(value):
            yield f"the {name} of its source is {deployed.get(name)!r}, and the settings have {value!r}"


def fingerprints(connection_id: str, stream: Stream, expected: Mapping[str, object] | None) -> list[str]:
    """Of what a sync requests; then as earlier versions wrote it, without the source's configuration."""
    plain = f"{connection_id}/{stream.name}"
    texts = [f"{plain}/{json.dumps(expected, sort_keys=True)}", plain] if expected else [plain]
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def _as_text(value: object) -> str:
    """The order of a list says nothing of what is requested."""
    return json.dumps(sorted(map(_as_text, value)) if isinstance(value, list | tuple) else value, sort_keys=True)


def _of_stream(connection: Mapping[str, Any], stream: Stream) -> Iterator[str]:
    configured = {item["stream"]["name"]: item["config"] for item in connection["syncCatalog"]["streams"]}
    found = configured.get(stream.name)
    if found is None or not found.get("selected", True):
        there = ", ".join(name for name, config in configured.items() if config.get("selected", True)) or "none"
        yield f"it does not sync the stream {stream.name} (it syncs {there})"
        return
    for name, value in {"syncMode": "full_refresh", "destinationSyncMode": "append"}.items():
        if found.get(name) != value:
            yield f"the {name} of {stream.name} is {found.get(name)!r}, not {value!r}"


def _of_destination(configuration: Mapping[str, Any], lake_url: str) -> Iterator[str]:
    bucket, folder = bucket_path(lake_url)
    written = configuration.get("format") or {}
    found = {
        "s3_bucket_name": (configuration.get("s3_bucket_name"), bucket),
        "s3_bucket_path": (str(configuration.get("s3_bucket_path", "")).strip("/"), folder),
        "s3_path_format": (configuration.get("s3_path_format"), PATH_FORMAT),
        "format_type": (written.get("format_type"), "JSONL"),
        "compression": ((written.get("compression") or {}).get("compression_type"), "GZIP"),
        "flattening": (written.get("flattening", "No flattening"), "No flattening"),
    }
    for name, (value, expected) in found.items():
        if value != expected:
            yield f"the {name} of its destination is {value!r}, not {expected!r}"
