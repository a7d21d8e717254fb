"""The collected rows of a table become the table: checked against the contract, sorted, unique.

Here: validity, duplicates and conflicts. Not here: how an answer becomes rows (`newest.py`, `v0.py`).
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from vp_pipeline.sources.contract import Table
from vp_pipeline.sources.enforce import enforce
from vp_pipeline.sources.landed import Decoded, Rejected, as_record, shorten
from vp_pipeline.sources.sp_api.decoding.lines import Answer, Unreadable

CONFLICT = "conflicts with a newer record of the same key"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that was read, with the piece that it is of and its place: (extracted, object, line, position)."""

    row: dict[str, Any]
    piece: Any
    place: tuple[Any, ...]


@dataclass
class Collected:
    """What was read for one table. `records_in` is counted while the input is read, before any row is built."""

    table: Table
    records_in: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, answer: Answer, position: int, row: dict[str, Any], piece: Any, problems: list[str]) -> None:
        """One record: a row, unless there are problems."""
        self.records_in += 1
        place = (answer.extracted_at, answer.line.object, answer.line.line, position)
        candidate = Candidate(row, piece, place)
        if problems:
            self._reject("; ".join(problems), candidate)
        else:
            self.candidates.append(candidate)

    def add_line(self, unreadable: Unreadable, source_object: str, line: int) -> None:
        """One record: a line that is no order."""
        self.records_in += 1
        piece = unreadable.piece
        text = shorten(piece) if isinstance(piece, bytes) else as_record(piece)
        self.rejected.append(Rejected(self.table.name, unreadable.reason, text, source_object, line))

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
        entity = candidate.row.get("order_id")
        self.rejected.append(Rejected(self.table.name, reason, as_record(candidate.piece), source_object, line, entity))
