"""Change exports: what changed in a mart between two publications, as files for others.

Here: the layout, and up to which publication a mart was exported. Not here: what changed (`publishing/feed.py`); which
mart, and when (`assets/delivery.py`); posting rows (`export_endpoint.py`).

The names are in `lake/layout.py`: EXPORT_ROWS, the changed rows, sorted by key, with `_operation`, as Parquet and CSV;
EXPORT, the manifest, written last, with the publication that it leads to; EXPORTED, that no row has changed since. A
state (EXPORT_STATE) was written by earlier versions.

Exports of v0.1.0 are in `gold/<mart>/`, laid out alike. They stay where their consumers find them, and are read there:
the numbers continue.

A row that is new or differs is an `upsert`; one that is gone from the mart is a `delete`: its key, and null in every
other column. Without it a consumer that only adds rows would keep a deal that has ended; a full copy every day would
hide what changed. Where the changes do not lead from the last export to the current publication, every row is exported,
and what is not among them is gone. The same publications give the same bytes; no change gives no export.
"""

import io
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import layout
from vp_pipeline.lake.manifests import (
    ExportedUntil,
    ExportManifest,
    ManifestObject,
    read_document,
    read_required,
    verified,
)
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.publishing.feed import Changed, FeedGapError, changed_since
from vp_pipeline.publishing.publication import Moment
from vp_pipeline.publishing.reader import OpenPublication, PublishedMarts

if TYPE_CHECKING:
    import pyarrow as pa

OPERATION = "_operation"


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


def export(lake: Lake, mart: str, key: Sequence[str], marts: PublishedMarts) -> ExportManifest | None:
    """Writes what changed in a mart, as it is published, since the last export; None: nothing did. `key`: the columns
    of its grain. An export that was killed before its manifest was written is written again.

    Raises:
        PermanentError: nothing was published, the mart lacks a column of its key, or a key occurs twice.
        TransientError: another build was published meanwhile.
    """
    last = newest(lake, mart)
    with marts.open() as found:
        moment = found.publication.moment
        changed, why_full = _changed(lake, marts, found, mart, key, last)
    if last is not None and why_full is None and not changed.rows.num_rows and not changed.gone.num_rows:
        _note_unchanged(lake, last, moment)
        return None
    _require_unique(mart, key, changed.rows)
    changes = _with_operations(key, changed)
    sequence = last.sequence + 1 if last else 1
    at = partial(layout.EXPORT_ROWS.path, root=layout.EXPORT_ROOTS[-1], mart=mart, number=sequence)
    manifest = ExportManifest(
        mart=mart,
        sequence=sequence,
        previous=last.digest if last else None,
        build=moment.build_id,
        key=tuple(key),
        is_full=why_full is not None,
        upserts=changed.rows.num_rows,
        deletes=changed.gone.num_rows,
        objects=(
            _write(lake, at(kind="parquet"), _parquet(changes), changes.num_rows),
            _write(lake, at(kind="csv"), _csv(changes), changes.num_rows),
        ),
        published_at=moment.at,
        why_full=why_full,
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


def _changed(
    lake: Lake,
    marts: PublishedMarts,
    found: OpenPublication,
    mart: str,
    key: Sequence[str],
    last: ExportManifest | None,
) -> tuple[Changed, str | None]:
    """What is to be exported; and where that is every row, why."""
    relation = marts.relation(found.publication, mart)
    columns = found.query(f"select * from {relation} limit 0").column_names
    missing = [name for name in key if name not in columns]
    if missing:
        raise PermanentError(f"{mart} has no column {', '.join(missing)}, which its grain is made of.")
    try:
        return changed_since(marts, found, mart, key, _until(lake, mart, key, last)), None
    except FeedGapError as gap:
        rows = found.query(f"select * from {relation}")
        return Changed(rows, rows.select(list(key)).slice(0, 0)), str(gap)


def _until(lake: Lake, mart: str, key: Sequence[str], last: ExportManifest | None) -> Moment:
    """Up to which publication the mart was exported."""
    if last is None:
        raise FeedGapError("it is the first export")
    if last.published_at is None:
        raise FeedGapError("the last export, of an earlier version, did not record of which publication it was")
    if last.key != tuple(key):
        raise FeedGapError(f"the key of a row was {', '.join(last.key)}")
    unchanged = read_document(lake, _exported_path(mart), ExportedUntil)
    if unchanged is not None and unchanged.sequence == last.sequence:
        return Moment(unchanged.published_at, unchanged.build)
    return Moment(last.published_at, last.build)


def _note_unchanged(lake: Lake, last: ExportManifest, moment: Moment) -> None:
    """Otherwise a mart that does not change for longer than changes are kept would be exported as a whole. Of the
    publication that the last export leads to there is nothing to note: exporting it again writes nothing."""
    if (moment.at, moment.build_id) == (last.published_at, last.build):
        return
    noted = ExportedUntil(
        mart=last.mart, sequence=last.sequence, build=moment.build_id, published_at=moment.at
    ).to_bytes()
    if lake.find(_exported_path(last.mart)) != noted:
        lake.write(_exported_path(last.mart), noted)


def _exported_path(mart: str) -> str:
    return layout.EXPORTED.path(root=layout.EXPORT_ROOTS[-1], mart=mart)


def _with_operations(key: Sequence[str], changed: Changed) -> "pa.Table":
    import pyarrow as pa

    rows, gone = changed.rows, changed.gone
    columns = [gone[field.name] if field.name in key else pa.nulls(gone.num_rows, field.type) for field in rows.schema]
    deletes = pa.table(columns, schema=rows.schema)
    parts = [
        part.append_column(OPERATION, pa.array([operation] * part.num_rows, pa.string()))
        for part, operation in ((rows, "upsert"), (deletes, "delete"))
    ]
    return pa.concat_tables(parts).sort_by([(name, "ascending") for name in key])


def _require_unique(mart: str, key: Sequence[str], rows: "pa.Table") -> None:
    twice = rows.num_rows - rows.group_by(list(key)).aggregate([]).num_rows
    if twice:
        raise PermanentError(f"{mart} has {twice} rows whose key ({', '.join(key)}) is not unique.")


def encoded(value: object) -> bytes:
    """A value as JSON, one text for one value: decimals as they are written, times in ISO 8601."""
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS)


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
