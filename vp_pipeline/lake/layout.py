"""The names of everything that the project writes in the lake and reads again.

Here: one table of places, from the parts of a name to its path and back, and listing a place. Not here: what is in the
objects (`bronze.py`, `silver.py`, `delivery/change_export.py`).

What has no name of the table is foreign: it is never read, and passed over with a warning that names it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from vp_pipeline.documents import pass_over
from vp_pipeline.lake.objects import Lake, ObjectInfo

_NAME = r"[A-Za-z0-9_]+"
# The roots of exports: of v0.1.0, and of today.
EXPORT_ROOTS = ("gold", "change_exports")
# Each part of a name: how it is written, and what it is read as.
_PARTS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("source", "stream", "table", "mart", "box"), (_NAME, str)),
    "root": ("|".join(EXPORT_ROOTS), str),
    "day": (r"\d{4}-\d{2}-\d{2}", date.fromisoformat),
    "job": (r"\d+", int),
    "number": (r"\d{6,}", int),
    "kind": ("parquet|csv", str),
    "object": (r"[^/]+", str),
    "beside": ("delivering|set_aside", str),
    "topic": (r"[A-Za-z0-9._-]+", str),
    "partition": (r"\d+", int),
    **dict.fromkeys(("first", "end"), (r"\d{20}", int)),
}
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True)
class Found:
    """An object of a place: as listed, and the parts of its name."""

    info: ObjectInfo
    parts: Mapping[str, Any]

    @property
    def path(self) -> str:
        return self.info.path


@dataclass(frozen=True)
class Place:
    """One kind of object. `pattern`: its path, with the parts of its name in braces. `is_document`: it is JSON that the
    project reads again."""

    pattern: str
    is_document: bool = False

    def path(self, **parts: object) -> str:
        """The path of one object."""
        return self.pattern.format(**parts)

    def parts(self, path: str) -> dict[str, Any] | None:
        """The parts of a path; None: it is not of this place."""
        found = self._expression.fullmatch(path)
        try:
            return found and {name: _PARTS[name][1](text) for name, text in found.groupdict().items()}
        except ValueError:  # such as the 30th of February
            return None

    def objects(self, lake: Lake, **known: object) -> list[Found]:
        """Every object of the place, in order of path; `known`: parts that are given."""
        folder = _with(self.pattern, known).partition("{")[0].rpartition("/")[0]
        return [found for found in self.among(lake.list(folder), lake) if found.parts.items() >= known.items()]

    def among(self, listed: Iterable[ObjectInfo], lake: Lake) -> Iterator[Found]:
        """The objects of the place among those of a listing."""
        for info in listed:
            parts = self.parts(info.path)
            if parts is not None:
                yield Found(info, parts)
            elif not is_known(info.path):
                pass_over(lake.location(info.path), "is not a name of this project, so it is not read. Move it away.")

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        literal = _PART.split(self.pattern)  # text, part, text, part, ..., text
        return re.compile(
            "".join(f"(?P<{text}>{_PARTS[text][0]})" if n % 2 else re.escape(text) for n, text in enumerate(literal))
        )


LANDED = Place("bronze/{source}/{stream}/{object}.jsonl.gz")
ORIGIN = Place("bronze/{source}/_origin")
SYNC = Place("bronze/{source}/{stream}/_syncs/run_date={day}.json", is_document=True)
RUNNING_SYNC = Place("bronze/{source}/{stream}/_syncs/run_date={day}.running.json", is_document=True)
UNFINISHED_SYNC = Place("bronze/{source}/{stream}/_syncs/run_date={day}.unfinished.json", is_document=True)
BRONZE = Place("bronze/{source}/{stream}/_manifests/run_date={day}.json", is_document=True)
UNANSWERED = Place("bronze/{source}/{stream}/_unanswered/run_date={day}.json", is_document=True)
DOUBTS = Place("bronze/{source}/{stream}/_doubts.json", is_document=True)
SUPERSEDED = Place("bronze/{source}/{stream}/_manifests/superseded/run_date={day}_job={job}.json")
BATCH_ROWS = Place(
    "bronze/{source}/{stream}/_topic/run_date={day}/{topic}/{partition}_{first:020d}_{end:020d}.jsonl.gz"
)
BATCH = Place("bronze/{source}/{stream}/_batches/{topic}/{partition}/{first:020d}.json", is_document=True)
FILED = Place("bronze/{source}/{stream}/_batches/filed.json", is_document=True)
SILVER_ROWS = Place("silver/{source}/{table}/run_date={day}/part-00000.parquet")
SILVER = Place("silver/{source}/{table}/_manifests/run_date={day}.json", is_document=True)
DECODED = Place("silver/{source}/_decoders/{stream}.json", is_document=True)
LOADED = Place("silver/{source}/_loaded/{stream}.json", is_document=True)
QUARANTINE = Place("quarantine/{source}/{table}/run_date={day}.jsonl")
EXPORT_ROWS = Place("{root}/{mart}/changes/{number:06d}/part-00000.{kind}")
EXPORT_STATE = Place("{root}/{mart}/_state/{number:06d}.parquet")
EXPORT = Place("{root}/{mart}/_manifests/{number:06d}.json", is_document=True)
EXPORTED = Place("{root}/{mart}/_exported.json", is_document=True)
OUTBOX = Place("_outbox/{box}.jsonl")
OUTBOX_BESIDE = Place("_outbox/{box}.jsonl.{beside}")
POSTED = Place("{root}/{mart}/_posted.json", is_document=True)

PLACES: Mapping[str, Place] = {name: each for name, each in globals().items() if isinstance(each, Place)}


def parts_of(path: str) -> dict[str, Any] | None:
    """The parts of a path, whichever place it is of; None: of none."""
    return next((parts for place in PLACES.values() if (parts := place.parts(path)) is not None), None)


def is_known(path: str) -> bool:
    """Whether a path is of any place."""
    return parts_of(path) is not None


def _with(pattern: str, known: Mapping[str, object]) -> str:
    """A pattern with the parts that are known filled in, as far as it has them without a gap."""
    return _PART.sub(lambda part: f"{known[part[1]]}" if part[1] in known else part[0], pattern)
