"""Manifests: what a partition of bronze or silver is.

A partition exists when its manifest does. The manifest is written last, in one step, and lists every object with its
size, checksum and record count; what no manifest lists is never read.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vp_pipeline.failures import DamagedDataError
from vp_pipeline.lake.layout import parts_of
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline.stored_formats import StoredFormat, with_default, within


class Document(BaseModel):
    """A document on the lake. `FORMAT`: of the kinds that are stored by themselves. `REMEDY`: what to do about one that
    cannot be read; DAY in it stands for the day in its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    FORMAT: ClassVar[StoredFormat]
    REMEDY: ClassVar[str] = "Restore it from a backup, or move it away and run the same days again."

    @property
    def parts(self) -> Mapping[str, object]:
        """The parts of its name in the lake (`layout.py`) that are in it as well; empty: none is."""
        return {}

    def to_bytes(self) -> bytes:
        """The document as JSON; the same values give the same bytes."""
        stored = self.FORMAT.mark(self.model_dump(mode="json"))
        return (json.dumps(stored, indent=2, ensure_ascii=False) + "\n").encode()

    @property
    def digest(self) -> str:
        """A checksum of everything in the document."""
        return checksum(self.to_bytes())


class ManifestObject(Document):
    """One object: lake path, size in bytes, SHA-256, and how many records it holds."""

    path: str
    size: int
    sha256: str
    records: int


def _before_requests(stored: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not record what was requested. Recordings are known by the name of their origin."""
    recorded = str(stored.get("origin")).startswith("recordings in ")
    return {"request": None, "refused": {}, "recorded": recorded, **stored}


# An earlier version requested all entities alike.
requested_alike = within("request", with_default(recent={}, why_whole={}))


class SyncRecord(Document):
    """A finished Airbyte sync of one partition.

    `fingerprint`: a checksum of what was requested (connector and configuration). `request`: what was; None: not known.
    `refused`: why the vendor refused an entity of it, where the sync knows. `recorded`: the responses are recordings of
    earlier moments.
    """

    FORMAT = StoredFormat("record of a sync", (_before_requests, requested_alike))
    REMEDY = "Restore it from a backup, or request the day again: `vp run --date DAY --resync`."

    source: str
    stream: str
    run_date: date
    job_id: int
    origin: str
    fingerprint: str
    started_at: datetime
    ended_at: datetime
    records: int
    bytes: int
    objects: tuple[str, ...]
    request: SyncRequest | None
    refused: Mapping[str, str]
    recorded: bool

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "stream": self.stream, "day": self.run_date}


class BronzeManifest(Document):
    """A partition of bronze: the landed objects of one sync."""

    FORMAT = StoredFormat("bronze manifest", (within("sync", _before_requests), within("sync", requested_alike)))

    sync: SyncRecord
    objects: tuple[ManifestObject, ...]

    @property
    def parts(self) -> Mapping[str, object]:
        return self.sync.parts

    @property
    def records(self) -> int:
        return sum(o.records for o in self.objects)


class SilverManifest(Document):
    """A partition of one silver table, with its counts of records. `bronze`: digest of the decoded manifest. `decoder`:
    fingerprint of the code that decoded it (`Stream.code`); None: of version 1, which did not record it. `recent_rows`:
    those of entities of which the last days only were requested."""

    FORMAT = StoredFormat("silver manifest", (with_default(decoder=None), with_default(recent_rows=0)))

    source: str
    table: str
    run_date: date
    bronze: str
    objects: tuple[ManifestObject, ...]
    records_in: int
    duplicates: int
    quarantined: int
    quarantine: ManifestObject | None
    decoder: str | None
    recent_rows: int

    @property
    def parts(self) -> Mapping[str, object]:
        return {"source": self.source, "table": self.table, "day": self.run_date}

    @property
    def rows(self) -> int:
        return sum(o.records for o in self.objects)

    @property
    def content(self) -> str:
        """A checksum of the rows alone: the same however often, and from whichever sync, they were decoded."""
        return checksum("".join(o.sha256 for o in self.objects).encode())


class DecodedDays(Document):
    """That every day of a stream in silver was decoded by the code with the fingerprint `decoder`, except the days in
    `left`, which could not be decoded again."""

    FORMAT = StoredFormat("record of decoded days")

    decoder: str
    left: tuple[date, ...] = ()


class LoadedDays(Document):
    """What RAW held of a stream when it was last as silver is: a checksum of the contents of its days."""

    FORMAT = StoredFormat("record of loaded days")

    contents: str


class ExportManifest(Document):
    """One export of a mart: the rows that changed between two publications, as Parquet and as CSV.

    `sequence` counts exports from 1; `previous` is the digest of the one before. `key`: the columns of the grain.
    `is_full`: every row is here, and what is not here is not in the mart; `why_full`: the reason. `build`: what was
    exported is what consumers read of it from `published_at` on (UTC). None: of version 1, which did not record it, and
    has in `state` key and checksum of every row.
    """

    FORMAT = StoredFormat("manifest of an export", (with_default(published_at=None, why_full=None),))
    REMEDY = "Restore it from a backup, or move the mart's folder away: the next export is a full one then."

    mart: str
    sequence: int
    previous: str | None
    build: str
    key: tuple[str, ...]
    is_full: bool
    upserts: int
    deletes: int
    objects: tuple[ManifestObject, ...]
    state: ManifestObject | None = None
    published_at: datetime | None
    why_full: str | None

    @property
    def parts(self) -> Mapping[str, object]:
        return {"mart": self.mart, "number": self.sequence}

    @property
    def digest(self) -> str:
        """Of version 1: as it was, because the exports after it and the batches that are still to be posted name it."""
        if self.published_at is not None:
            return super().digest
        stored = self.model_dump(mode="json", exclude={"published_at", "why_full"})
        return checksum((json.dumps(stored, indent=2, ensure_ascii=False) + "\n").encode())


class ExportedUntil(Document):
    """That the last export of a mart, `sequence`, is also what consumers read of `build` from `published_at` on (UTC):
    no row of the mart has changed since."""

    FORMAT = StoredFormat("record of what was exported")
    REMEDY = "Move it away: the next export reads what has changed since the last one."

    mart: str
    sequence: int
    build: str
    published_at: datetime

    @property
    def parts(self) -> Mapping[str, object]:
        return {"mart": self.mart}


Kind = TypeVar("Kind", bound=Document)


def read_document(lake: Lake, path: str, kind: type[Kind]) -> Kind | None:
    """The document at `path`, whichever version of the project wrote it, or None where there is none.

    Raises:
        DamagedDataError: it exists but cannot be parsed, or is of another place (a copy of another day's, say).
        PermanentError: it cannot be read, or is of a newer version than this code.
    """
    content = lake.find(path)
    if content is None:
        return None
    parts = parts_of(path) or {}
    remedy = kind.REMEDY.replace("DAY", str(parts.get("day", "DAY")))
    try:
        document = kind.model_validate(kind.FORMAT.parse(content, path, remedy))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DamagedDataError(f"{path} is no {kind.FORMAT.name}: {field}: {first['msg']}. {remedy}") from None
    own = document.parts
    if own and not own.items() <= parts.items():
        whose = ", ".join(f"{part} {value}" for part, value in own.items())
        raise DamagedDataError(f"{path} is the {kind.FORMAT.name} of {whose}: copied or moved here. {remedy}")
    return document


def read_required(lake: Lake, path: str, kind: type[Kind]) -> Kind:
    """The document at `path`, as `read_document` reads it.

    Raises:
        DamagedDataError: also, where there is none.
    """
    found = read_document(lake, path, kind)
    if found is None:
        raise DamagedDataError(f"The {kind.FORMAT.name} {path} is not on the lake any more ({lake.location('')}).")
    return found


def verified(lake: Lake, objects: tuple[ManifestObject, ...], remedy: str) -> Iterator[tuple[ManifestObject, bytes]]:
    """Each object with its bytes, once they match the manifest.

    Raises:
        DamagedDataError: an object is missing or differs; `remedy`: what to do about it, for the message.
    """
    for expected in objects:
        content = lake.find(expected.path)
        if content is None:
            problem = "is missing"
        elif len(content) != expected.size:
            problem = f"has {len(content)} bytes where its manifest has {expected.size}"
        elif checksum(content) != expected.sha256:
            problem = "has other content than when its manifest was written"
        else:
            yield expected, content
            continue
        raise DamagedDataError(f"The object {expected.path} {problem}. {remedy}")
