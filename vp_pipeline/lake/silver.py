"""Silver: decoded, typed, de-duplicated Parquet; one partition per day and table, under the same names on every re-run.

Here: how a decoded partition is written and read back. Not here: decoding (`sources`), and whether a partition may
be written at all (`assets/silver.py` evaluates the gates first).

The names are in `layout.py`: SILVER_ROWS; SILVER, the manifest; QUARANTINE, rows that broke the contract, with the
reason.
"""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from vp_pipeline.failures import PermanentError
from vp_pipeline.lake import layout, quarantine
from vp_pipeline.lake.manifests import ManifestObject, SilverManifest, read_document, verified
from vp_pipeline.lake.objects import Lake, checksum
from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.landed import Decoded


def manifest_path(table: Table, run_date: date) -> str:
    return layout.SILVER.path(source=table.source, table=table.name, day=run_date)


def object_path(table: Table, run_date: date) -> str:
    return layout.SILVER_ROWS.path(source=table.source, table=table.name, day=run_date)


def quarantine_path(table: Table, run_date: date) -> str:
    return layout.QUARANTINE.path(source=table.source, table=table.name, day=run_date)


def read_manifest(lake: Lake, table: Table, run_date: date) -> SilverManifest:
    """The partition of a table.

    Raises:
        PermanentError: it does not exist.
    """
    manifest = read_document(lake, manifest_path(table, run_date), SilverManifest)
    if manifest is None:
        raise PermanentError(
            f"silver/{table.source}/{table.name} has no partition {run_date}. Materialize it for {run_date} first."
        )
    return manifest


def days(lake: Lake, table: Table) -> list[date]:
    """The days that have a partition of the table, in order."""
    return [found.parts["day"] for found in layout.SILVER.objects(lake, source=table.source, table=table.name)]


def days_before(lake: Lake, table: Table, day: date) -> list[date]:
    """The days before `day` that have a partition of the table, newest first."""
    return [found for found in reversed(days(lake, table)) if found < day]


def distinct(lake: Lake, manifest: SilverManifest, columns: Sequence[str]) -> set[tuple[Any, ...]]:
    """The different values of some columns in a partition of a table.

    Raises:
        DamagedDataError: an object differs from its manifest.
    """
    import pyarrow.parquet as pq

    found: set[tuple[Any, ...]] = set()
    for _, content in verified(lake, manifest.objects, f"Run the day {manifest.run_date} again."):
        rows = pq.read_table(io.BytesIO(content), columns=list(columns))
        found |= set(zip(*(rows[name].to_pylist() for name in columns), strict=True))
    return found


def write(
    lake: Lake, decoded: Decoded, run_date: date, *, bronze: str, decoder: str, recent_rows: int = 0
) -> SilverManifest:
    """Replaces the partition of one table: quarantine first, then the rows, then the manifest.

    `bronze`: digest of the bronze manifest that it was decoded from. `decoder`: fingerprint of the code that did.
    `recent_rows`: those of entities of which the last days only were requested.
    """
    table = decoded.table
    rejected = write_quarantine(lake, decoded, run_date)
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(decoded.rows, buffer, compression="zstd", store_schema=False)
    content = buffer.getvalue()
    path = object_path(table, run_date)
    lake.write(path, content)
    manifest = SilverManifest(
        source=table.source,
        table=table.name,
        run_date=run_date,
        bronze=bronze,
        objects=(
            ManifestObject(path=path, size=len(content), sha256=checksum(content), records=decoded.rows.num_rows),
        ),
        records_in=decoded.records_in,
        duplicates=decoded.duplicates,
        quarantined=len(decoded.quarantined),
        quarantine=rejected,
        decoder=decoder,
        recent_rows=recent_rows,
    )
    lake.write(manifest_path(table, run_date), manifest.to_bytes())
    return manifest


def write_quarantine(lake: Lake, decoded: Decoded, run_date: date) -> ManifestObject | None:
    """Replaces the quarantine of a table and day by that of `decoded`; removes it where there is none."""
    path = quarantine_path(decoded.table, run_date)
    if not decoded.quarantined:
        lake.delete(path)
        return None
    lines = (quarantine.line_of(row, decoded.table.source, run_date) for row in decoded.quarantined)
    content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    lake.write(path, content)
    return ManifestObject(path=path, size=len(content), sha256=checksum(content), records=len(decoded.quarantined))
