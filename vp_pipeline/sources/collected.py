"""The collected rows of a table become the table: checked against the contract, sorted, unique.

Here: validity, duplicates and conflicts, for a decoder that reads one record at a time. Not here: how a record becomes
rows (the decoders).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import enforce
from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import Decoded, LandedLine, Rejected, as_record, shorten

CONFLICT = "conflicts with a newer record of the same key"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that was read, with the piece that it is of, its place: (extracted, object, line, position), and what it
    is about, as the source names it."""

    row: dict[str, Any]
    piece: Any
    place: tuple[Any, ...]
    entity: str | None


@dataclass
class Collected:
    """What was read for one table. `records_in` is counted while the input is read, before any row is built."""

    table: Table
    records_in: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(
        self,
        line: LandedLine,
        extracted_at: datetime,
        row: dict[str, Any],
        piece: Any,
        problems: list[str],
        *,
        entity: str | None,
        position: int = 0,
    ) -> None:
        """One record: a row, unless there are problems. `position`: of its piece within the line."""
        self.records_in += 1
        candidate = Candidate(row, piece, (extracted_at, line.object, line.line, position), entity)
        if problems:
            self._reject("; ".join(problems), candidate)
        else:
            self.candidates.append(candidate)

    def add_line(self, unreadable: Unreadable, line: LandedLine) -> None:
        """One record: a line that has none."""
        self.records_in += 1
        piece = unreadable.piece
        text = shorten(piece) if isinstance(piece, bytes) else as_record(piece)
        found = Rejected(self.table.name, unreadable.reason, text, line.object, line.line, unreadable.entity)
        self.rejected.append(found)

    def assemble(self) -> Decoded:
        """The table of everything that was read.

        Rows that break the contract are removed before keys are compared: a valid row never yields to an invalid one.
        """
        self.candidates.sort(key=lambda c: c.place)
        schema = pa.schema([column.with_nullable(True) for column in self.table.schema])
        rows = pa.Table.from_pylist([c.row for c in self.candidates], schema=schema)
        _, breaches = enforce(self.table, rows)
        for index, reason in breaches:
            self._reject(reason, self.candidates[index])
        broken = {index for index, _ in breaches}
        valid = [c for index, c in enumerate(self.candidates) if index not in broken]
        kept, duplicates = self._unique(valid)
        final = pa.Table.from_pylist([kept[key].row for key in sorted(kept)], schema=self.table.schema)
        rejected = sorted(self.rejected, key=lambda r: (r.source_object, r.source_line, r.reason, r.record))
        return Decoded(self.table, self.records_in, final, duplicates, tuple(rejected))

    def _unique(self, candidates: list[Candidate]) -> tuple[dict[tuple[Any, ...], Candidate], int]:
        """The newest record of each key, and how many others are equal to it; those that differ are rejected."""
        kept = {tuple(c.row[name] for name in self.table.natural_key): c for c in candidates}
        duplicates = 0
        for candidate in candidates:
            stays = kept[tuple(candidate.row[name] for name in self.table.natural_key)]
            if candidate is stays:
                continue
            if candidate.row == stays.row:
                duplicates += 1
            else:
                self._reject(CONFLICT, candidate)
        return kept, duplicates

    def _reject(self, reason: str, candidate: Candidate) -> None:
        _, source_object, line, _ = candidate.place
        text = as_record(candidate.piece)
        self.rejected.append(Rejected(self.table.name, reason, text, source_object, line, candidate.entity))
