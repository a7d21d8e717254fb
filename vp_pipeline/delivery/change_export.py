"""Change exports: what changed in a mart between two publications, as files for others.

Here: the comparison and the layout. Not here: which mart, and when (`assets/delivery.py`); posting rows
(`export_endpoint.py`).

The names are in `lake/layout.py`: EXPORT_ROWS, the changed rows, sorted by key, with `_operation`, as Parquet and CSV;
EXPORT_STATE, key and checksum of every row; EXPORT, the manifest, written last.

Exports of v0.1.0 are in `gold/<mart>/`, laid out alike. They stay where their consumers find them, and are read there:
the numbers continue.

A row that is new or differs is an `upsert`; one that is gone from the mart is a `delete`: its key, and null in every
other column. Without it a consumer that only adds rows would keep a deal that has ended; a full copy every day would
hide what changed. The same two publications give the same bytes; no change gives no export.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import ExportManifest, ManifestObject, read_required, verified
from vp_pipeline.lake.objects import Lake, checksum

if TYPE_CHECKING:
    import pyarrow as pa

OPERATION = "_operation"
_CHECKSUM = "_checksum"


def folder(mart: str) -> str:
    """Where new exports of a mart are written."""
    return f"{layout.EXPORT_ROOTS[-1]}/{mart}"


def manifest_path(mart: str, sequence: int) -> str:
    return layout.EXPORT.path(root=layout.EXPORT_ROOTS[-1], mart=mart, number=sequence)


def manifests(lake: Lake, mart: str, after: int = 0) -> list[ExportManifest]:
    """The exports of a mart from number `after` + 1 on, in order."""
    found = []
    for each in _exports(lake, mart):
        if each.parts["number"] > after:
            found.append(read_required(lake, each.path, ExportManifest))
    return found


def newest(lake: Lake, mart: str) -> ExportManifest | None:
    """The last export of a mart, if there is one."""
    found = _exports(lake, mart)
    return read_required(lake, found[-1].path, ExportManifest) if found else None


def export(lake: Lake, mart: str, key: Sequence[str], rows: "pa.Table", build: str) -> ExportManifest | None:
    """Writes what changed in `rows` (the mart as published) since the last export; None: nothing did.

    Raises:
        PermanentError: the mart lacks a column of its key, or a key occurs twice.
        DamagedDataError: the last export's state is not what its manifest lists.
    """
    missing = [name for name in key if name not in rows.column_names]
    if missing:
        raise PermanentError(f"{mart} has no column {', '.join(missing)}, which its grain is made of.")
    last = newest(lake, mart)
    is_full = last is None or last.key != tuple(key)
    before = None if last is None or is_full else _read_state(lake, last)
    rows = rows.sort_by([(name, "ascending") for name in key])
    now = _checksums(mart, key, rows)
    old = {} if before is None else dict(zip(_keys(before, key), before[_CHECKSUM].to_pylist(), strict=True))
    changed = [index for index, (name, digest) in enumerate(now.items()) if old.get(name) != digest]
    gone = [index for index, name in enumerate(old) if name not in now]
    if last is not None and not changed and not gone and not is_full:
        return None
    changes = _changes(key, rows, changed, before, gone)
    sequence = last.sequence + 1 if last else 1
    at = partial(layout.EXPORT_ROWS.path, root=layout.EXPORT_ROOTS[-1], mart=mart, number=sequence)
    manifest = ExportManifest(
        mart=mart,
        sequence=sequence,
        previous=last.digest if last else None,
        build=build,
        key=tuple(key),
        is_full=is_full,
        upserts=len(changed),
        deletes=len(gone),
        objects=(
            _write(lake, at(kind="parquet"), _parquet(changes), changes.num_rows),
            _write(lake, at(kind="csv"), _csv(changes), changes.num_rows),
        ),
        state=_write_state(lake, mart, sequence, key, rows, now),
    )
    lake.write(manifest_path(mart, sequence), manifest.to_bytes())
    return manifest


def changed_rows(lake: Lake, manifest: ExportManifest) -> "pa.Table":
    """The rows of an export.

    Raises:
        DamagedDataError: the file is not what the manifest lists.
    """
    return _read(lake, manifest.objects[0])


def _exports(lake: Lake, mart: str) -> list[layout.Found]:
    """The exports of a mart, the oldest first."""
    return [found for root in layout.EXPORT_ROOTS for found in layout.EXPORT.objects(lake, root=root, mart=mart)]


def _changes(
    key: Sequence[str], rows: "pa.Table", changed: list[int], before: "pa.Table | None", gone: list[int]
) -> "pa.Table":
    import pyarrow as pa

    upserts = rows.take(pa.array(changed, pa.int64()))
    parts = [upserts.append_column(OPERATION, pa.array(["upsert"] * len(changed), pa.string()))]
    if before is not None and gone:
        keys = before.take(pa.array(gone, pa.int64()))
        columns = [
            keys[field.name].cast(field.type) if field.name in key else pa.nulls(len(gone), field.type)
            for field in rows.schema
        ]
        columns.append(pa.array(["delete"] * len(gone), pa.string()))
        parts.append(pa.table(columns, names=[*rows.column_names, OPERATION]))
    return pa.concat_tables(parts).sort_by([(name, "ascending") for name in key])


def _checksums(mart: str, key: Sequence[str], rows: "pa.Table") -> Mapping[bytes, str]:
    """The checksum of each row by its key, in the order of `rows`."""
    digests = [hashlib.sha256(encoded(row)).hexdigest() for row in rows.to_pylist()]
    found = dict(zip(_keys(rows, key), digests, strict=True))
    if len(found) < rows.num_rows:
        raise PermanentError(
            f"{mart} has {rows.num_rows - len(found)} rows whose key ({', '.join(key)}) is not unique."
        )
    return found


def _keys(rows: "pa.Table", key: Sequence[str]) -> list[bytes]:
    return [encoded(row) for row in rows.select(list(key)).to_pylist()]


def encoded(value: object) -> bytes:
    """A value as JSON, one text for one value: decimals as they are written, times in ISO 8601."""
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)


def _write_state(
    lake: Lake, mart: str, sequence: int, key: Sequence[str], rows: "pa.Table", now: Mapping[bytes, str]
) -> ManifestObject:
    import pyarrow as pa

    state = rows.select(list(key)).append_column(_CHECKSUM, pa.array(now.values(), pa.string()))
    path = layout.EXPORT_STATE.path(root=layout.EXPORT_ROOTS[-1], mart=mart, number=sequence)
    return _write(lake, path, _parquet(state), state.num_rows)


def _read_state(lake: Lake, manifest: ExportManifest) -> "pa.Table":
    return _read(lake, manifest.state)


def _read(lake: Lake, item: ManifestObject) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    roots = " and ".join(layout.EXPORT_ROOTS)
    remedy = f"Restore it, or remove the mart's folder in each of {roots} to start with a full export."
    ((_, content),) = verified(lake, (item,), remedy)
    return pq.read_table(pa.BufferReader(content))


def _write(lake: Lake, path: str, content: bytes, rows: int) -> ManifestObject:
    lake.write(path, content)
    return ManifestObject(path=path, size=len(content), sha256=checksum(content), records=rows)


def _parquet(rows: "pa.Table") -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", store_schema=False)
    return buffer.getvalue()


def _csv(rows: "pa.Table") -> bytes:
    import pyarrow.csv as csv

    buffer = io.BytesIO()
    csv.write_csv(rows, buffer)
    return buffer.getvalue()
