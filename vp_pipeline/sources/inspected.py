"""The inspection of a stream of which each line is one response about one entity.

Here: the counts. Not here: what a line is about, and which of its names nobody knows (`inspection.py` of each source).
"""

from collections import Counter
from collections.abc import Callable, Iterable

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import ALTERED, Inspection, LandedLine, Received

# What a line has of an entity, and the names in it that the decoder does not know.
Read = Callable[[LandedLine], tuple[Received, Iterable[str]] | Unreadable]


def inspected(lines: Iterable[LandedLine], read: Read) -> Inspection:
    """How many records there are, and changed ones; the unknown names; and what was received.

    A line that cannot be read counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = 0
    unknown: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        found = read(line)
        if isinstance(found, Unreadable):
            altered += found.reason.startswith(ALTERED)
            continue
        received.append(found[0])
        unknown.update(set(found[1]))
    return Inspection(records, altered, dict(unknown), {}, tuple(received))
