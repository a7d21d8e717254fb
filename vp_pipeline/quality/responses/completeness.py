"""Whether everything that was requested has been received, by name.

Here: conservation from the request on: requested = received + refused by the vendor + missing. Not here: reading the
responses (`sources/<source>/`), and what was without data on the day before (`lake/unanswered.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from vp_pipeline.failures import remedies
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import COMPLETENESS, FEW
from vp_pipeline.sources.landed import Received
from vp_pipeline.sources.source import SyncRequest

CHECK = "completeness"
_NAMED = 10


@dataclass(frozen=True)
class Coverage:
    """What became of each entity that was requested. `refused`: with the vendor's reason. `others`: entities that
    responses have and that were not requested. `left_out`: see `SyncRequest`."""

    requested: tuple[str, ...]
    received: tuple[str, ...]
    refused: Mapping[str, str]
    missing: tuple[str, ...]
    others: tuple[str, ...]
    left_out: tuple[str, ...]

    def since(self, day: date, before: Mapping[str, date]) -> dict[str, date]:
        """Since which day each entity without data has had none; `before`: that of the day before."""
        return {entity: before.get(entity, day) for entity in (*self.missing, *self.refused)}


def coverage(request: SyncRequest, received: Sequence[Received], refused: Mapping[str, str]) -> Coverage:
    """`refused`: what the sync knows beside the responses (`SyncRecord.refused`)."""
    has_data = {each.subject for each in received if each.refusal is None and each.is_of_request}
    responded = {str(each.subject): each.refusal for each in received if each.refusal is not None}
    reasons = {**refused, **responded}
    known = dict.fromkeys(request.entities)
    return Coverage(
        requested=request.entities,
        received=tuple(entity for entity in known if entity in has_data),
        refused={entity: reasons[entity] for entity in known if entity in reasons and entity not in has_data},
        missing=tuple(entity for entity in known if entity not in has_data and entity not in reasons),
        others=_others(received, request.entities),
        left_out=request.left_out,
    )


def completeness(what: str, day: date, found: Coverage, before: Mapping[str, date]) -> Outcome:
    """Warns of what has no data and had some the day before (`before`: what had none), blocks where much is missing.

    Entities that the vendor refuses, day after day, are no reason to block: the list of products has to be corrected.
    """
    if not found.requested:
        everything = f"{what}: everything that there is of the day was requested, so nothing can be missing by name."
        text = " ".join([everything, *found.left_out])
        return Outcome(CHECK, not found.left_out, text, warning=True, metadata={"requested": 0})
    counts = {"received": len(found.received), "refused": len(found.refused), "missing": len(found.missing)}
    equation = " + ".join(f"{count:,} {name}" for name, count in counts.items() if count or name == "received")
    known = [entity for entity in before if entity in {*found.missing, *found.refused}]
    missing = [entity for entity in found.missing if entity not in before]
    refused = [f"{entity} ({reason})" for entity, reason in found.refused.items() if entity not in before]
    blocks = _remedy(day, found)
    sentences = [
        f"{what}: {len(found.requested):,} requested = {equation}.",
        *_sentence("Missing", missing),
        *_sentence("Refused by the vendor", refused),
        *_sentence("Received although not requested", found.others),
        *_sentence("Reported before", [f"{entity} (since {before[entity]})" for entity in known]),
        *found.left_out,
        *blocks,
    ]
    passed = not (blocks or missing or refused or found.others or found.left_out)
    metadata = {"requested": len(found.requested), **counts}
    return Outcome(CHECK, passed, " ".join(sentences), warning=not blocks, metadata=metadata)


def not_known(what: str, received: Sequence[Received]) -> Outcome:
    """The outcome where the sync does not record what was requested: a warning, never a pass."""
    count = len({each.subject for each in received if each.refusal is None})
    description = f"{what}: {count:,} received; what was requested is not known, so nobody can tell what is missing."
    return Outcome(CHECK, False, description, warning=True, metadata={"received": count})


def _others(received: Iterable[Received], requested: Sequence[str]) -> tuple[str, ...]:
    known = set(requested)
    found = (each for each in received if each.refusal is None and each.entity is not None)
    return tuple(sorted({e.entity or "" for e in found if e.entity not in known or not e.is_of_request}))


def _remedy(day: date, found: Coverage) -> list[str]:
    """What to do where too little was received for a day; empty: it is enough."""
    share = len(found.missing) / len(found.requested)
    if not found.received:
        why = "Nothing was received."
    elif len(found.requested) >= FEW and share > COMPLETENESS.block:
        why = f"With more than {COMPLETENESS.block:.0%} missing, the rest does not represent the market."
    else:
        return []
    again = f"{why} Request the day again: {remedies.resync(day)}."
    # Of nothing no day can be built, so there is no waiver to offer.
    return [f"{again} If that is all there is: {remedies.waive(day, CHECK)}." if found.received else again]


def _sentence(name: str, entities: Sequence[str]) -> list[str]:
    if not entities:
        return []
    more = f" and {len(entities) - _NAMED:,} more" if len(entities) > _NAMED else ""
    return [f"{name}: {', '.join(entities[:_NAMED])}{more}."]
