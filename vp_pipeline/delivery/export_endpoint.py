"""Exports over HTTP: the changed rows of a mart, posted in batches to an endpoint that knows idempotency keys.

Here: batches, their order, and which of them the endpoint has. Not here: what changed (`change_export.py`).

Exports are posted in order, batch after batch, and the first batch that is not taken stops the rest: the endpoint never
sees a newer change before an older one. A batch that was acknowledged is never posted again. One that is unconfirmed is
posted again with the same `Idempotency-Key`, the SHA-256 of its body: the body names mart, export and batch, so equal
rows of two exports are two batches. The record of posted exports (`layout.POSTED`) holds how far the endpoint is.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from vp_pipeline.delivery import change_export
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import Document, ExportManifest, read_document
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings
from vp_pipeline.stored_formats import StoredFormat


class _Posted(Document):
    """`sequence`: the last export that the endpoint has as a whole. `batch_rows`: of the next one, once it was begun:
    another size would cut other batches, and rows that were taken would be posted again."""

    FORMAT = StoredFormat("record of posted exports")
    REMEDY = "Restore it from a backup; without it, every export is posted again (the endpoint knows each batch's key)."

    sequence: int = 0
    batch_rows: int | None = None


@dataclass(frozen=True)
class Batch:
    """A request: `key` is the SHA-256 of `body`."""

    export: int
    number: int
    rows: int
    body: bytes

    @property
    def key(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class ExportEndpoint:
    """Where rows are posted. Without a URL it is off."""

    url: str | None
    token: SecretStr | None
    batch_rows: int
    timeout_seconds: float = 30.0

    @property
    def is_on(self) -> bool:
        return self.url is not None

    def post(self, batch: Batch) -> None:
        """Posts a batch. A 409 means that the endpoint has it already.

        Raises:
            TransientError: it is not known to have been taken: rate limit, 5xx, no response.
            PermanentError: the endpoint refuses it.
        """
        import requests  # deferred import: 0.1 s

        assert self.url is not None
        headers = {"Content-Type": "application/json", "Idempotency-Key": batch.key}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.get_secret_value()}"
        try:
            response = requests.post(
                self.url, data=batch.body, headers=headers, timeout=self.timeout_seconds, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TransientError(f"The export endpoint gave no response ({type(error).__name__}).") from None
        status = response.status_code
        if status == 429 or status >= 500:
            raise TransientError(f"The export endpoint responded with HTTP {status}.")
        if not 200 <= status < 300 and status != 409:
            raise PermanentError(
                f"The export endpoint refused batch {batch.number} of export {batch.export} with HTTP {status}. Look "
                "at VP_EXPORT_URL and VP_EXPORT_TOKEN; the batch is posted again when delivery/export is materialized."
            )


def build_endpoint(settings: Settings) -> ExportEndpoint:
    """The endpoint that the settings name."""
    url = str(settings.export_url) if settings.export_url else None
    return ExportEndpoint(url, settings.export_token, settings.export_batch_rows)


def post_exports(endpoint: ExportEndpoint, box: Box, lake: Lake, mart: str, log: Callable[[str], None]) -> int:
    """Posts every batch that the endpoint does not have; returns how many were posted.

    Raises:
        TransientError, PermanentError: a batch was not taken; it and those after it are posted next time.
    """
    if not endpoint.is_on:
        return 0
    posted = 0
    with box.delivering():
        there = _posted(lake, mart)
        for manifest in change_export.manifests(lake, mart, after=there.sequence):
            size = there.batch_rows or endpoint.batch_rows
            _remember(lake, mart, _Posted(sequence=manifest.sequence - 1, batch_rows=size))
            for batch in batches(lake, manifest, size):
                content = {"mart": mart, "export": batch.export, "batch": batch.number, "rows": batch.rows}
                if box.put(batch.key, content).state == "delivered":
                    continue
                _post(endpoint, box, batch)
                posted += 1
            there = _Posted(sequence=manifest.sequence)
            _remember(lake, mart, there)
            log(f"The endpoint has export {manifest.sequence} of {mart}.")
    return posted


def batches(lake: Lake, manifest: ExportManifest, size: int) -> Iterator[Batch]:
    """An export's rows in order, `size` at a time. A batch of a full export is marked as such: what is in none of them
    is not in the mart, also where there is no row at all. (Those of version 1 are as they were, also their keys.)"""
    rows = change_export.changed_rows(lake, manifest).to_pylist()
    is_full = manifest.is_full and manifest.published_at is not None
    count = max(-(-len(rows) // size), int(is_full))
    for number, begin in enumerate(range(0, count * size, size), start=1):
        part = rows[begin : begin + size]
        body = change_export.encoded(
            {
                "mart": manifest.mart,
                "export": manifest.sequence,
                "digest": manifest.digest,
                "batch": number,
                "batches": count,
                "key": manifest.key,
                **({"is_full": True} if is_full else {}),
                "rows": part,
            }
        )
        yield Batch(manifest.sequence, number, len(part), body)


def _post(endpoint: ExportEndpoint, box: Box, batch: Batch) -> None:
    box.note(batch.key, "sending")
    try:
        endpoint.post(batch)
    except (TransientError, PermanentError) as error:
        # A refused batch is posted again when a person materializes the export, or with the next publication.
        box.note(batch.key, "unconfirmed" if isinstance(error, TransientError) else "refused", reason=str(error))
        raise
    box.note(batch.key, "delivered")


def _posted(lake: Lake, mart: str) -> _Posted:
    for root in reversed(layout.EXPORT_ROOTS):
        if found := read_document(lake, layout.POSTED.path(root=root, mart=mart), _Posted):
            return found
    return _Posted()


def _remember(lake: Lake, mart: str, posted: _Posted) -> None:
    lake.write(layout.POSTED.path(root=layout.EXPORT_ROOTS[-1], mart=mart), posted.to_bytes())
