"""How landed responses differ from the expected schema: unknown fields, and fields that Airbyte set to null.

Here: outcomes of an inspection, before decoding. Not here: the inspection itself (`sources/<source>/`), which knows the
vendor.
"""

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import ALTERED, FEW
from vp_pipeline.sources.landed import Inspection

_NAMED = 10


def known_fields(what: str, found: Inspection) -> Outcome:
    """A warning where the responses have something that the decoder does not know: the vendor changed its schema."""
    if not found.unexpected:
        return Outcome("known_fields", True, f"{what}: every field is known.")
    named = ", ".join(f"{name} ({count:,}×)" for name, count in sorted(found.unexpected.items())[:_NAMED])
    more = f" and {len(found.unexpected) - _NAMED} more" if len(found.unexpected) > _NAMED else ""
    description = f"{what}: the responses have fields that the decoder does not read: {named}{more}. Bronze keeps them."
    return Outcome("known_fields", False, description, warning=True, metadata={"unexpected": len(found.unexpected)})


def unaltered(what: str, found: Inspection) -> Outcome:
    """Whether Airbyte changed records in transit (it nulls fields of oversized ones): the decoder rejects those."""
    metadata = {"altered": found.altered, "records": found.records}
    if not found.altered:
        return Outcome("unaltered", True, f"{what}: Airbyte changed no record.", metadata=metadata)
    share = found.altered / found.records
    description = f"{what}: Airbyte changed {found.altered:,} of {found.records:,} records; they go to the quarantine."
    blocks = found.altered >= FEW and share > ALTERED.block
    return Outcome("unaltered", False, description, warning=not blocks, metadata=metadata)
