"""Rows of all lines become a table: checked against the contract, sorted, unique.

Here: validity, duplicates and conflicts, for both tables alike. Not here: how rows are read (`hours.py`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import enforce
from vp_pipeline.sources.landed import Decoded, LandedLine, Rejected, shorten

CONFLICT = "conflicts with a newer record of the same key"
_Key = tuple[Any, ...]


@dataclass
class Pieces:
    """What was read for a table: `records_in` counted before any row was made, rows with their lines, rejections."""

    table: Table
    records_in: int = 0
    rows: list[tuple[LandedLine, Mapping[str, Any]]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, line: LandedLine, reason: str, piece: Any, place: str | None) -> None:
        """Puts a record into the quarantine."""
        self.rejected.append(_rejected(self.table, line, reason, piece, place))


def assemble(pieces: Pieces) -> Decoded:
    """The table of everything that was read. Of rows with the same key that differ the later line stays."""
    table = pieces.table
    ordered = sorted(pieces.rows, key=lambda row: (row[0].object, row[0].line))
    candidates = _as_table(table, [row for _, row in ordered])
    _, refused = enforce(table, candidates)
    rejected = list(pieces.rejected)
    for index, reason in refused:
        rejected.append(_of_row(table, *ordered[index], reason))
    invalid = {index for index, _ in refused}
    kept, duplicates, conflicts = _unique(table, [row for i, row in enumerate(ordered) if i not in invalid])
    rejected += [_of_row(table, line, row, CONFLICT) for line, row in conflicts]
    rows = _as_table(table, [kept[key] for key in sorted(kept)]).cast(table.schema)
    quarantined = sorted(rejected, key=lambda r: (r.source_object, r.source_line, r.reason, r.record))
    return Decoded(table, pieces.records_in, rows, duplicates, tuple(quarantined))


def _unique(
    table: Table, rows: Iterable[tuple[LandedLine, Mapping[str, Any]]]
) -> tuple[dict[_Key, Mapping[str, Any]], int, list[tuple[LandedLine, Mapping[str, Any]]]]:
    """The row of each key, how many others are equal to it, and those that are not."""
    by_key: dict[_Key, list[tuple[LandedLine, Mapping[str, Any]]]] = {}
    for line, row in rows:
        by_key.setdefault(tuple(row[name] for name in table.natural_key), []).append((line, row))
    kept = {key: same[-1][1] for key, same in by_key.items()}
    others = [(line, row, kept[key]) for key, same in by_key.items() for line, row in same[:-1]]
    conflicts = [(line, row) for line, row, winner in others if row != winner]
    return kept, len(others) - len(conflicts), conflicts


def _as_table(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    lenient = pa.schema([column.with_nullable(True) for column in table.schema])
    return pa.Table.from_pylist(list(rows), schema=lenient)


def _of_row(table: Table, line: LandedLine, row: Mapping[str, Any], reason: str) -> Rejected:
    return _rejected(table, line, reason, row, row["location_id"])


def _rejected(table: Table, line: LandedLine, reason: str, piece: Any, place: str | None) -> Rejected:
    text = piece if isinstance(piece, bytes) else _as_json(piece)
    return Rejected(table.name, reason, shorten(text), line.object, line.line, place)


def _as_json(piece: Any) -> bytes:
    """Compact JSON with decimals as texts: theirs are the digits of the response."""
    text = json.dumps(piece, default=_as_text, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace")


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
