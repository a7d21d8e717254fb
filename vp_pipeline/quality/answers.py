"""What the landed answers look like, before they are decoded: fields that nobody knows, and fields that Airbyte nulled.

Here: outcomes of an inspection. Not here: the inspection itself (`sources/<source>/`), which knows the vendor.
"""

from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.thresholds import ALTERED, FEW
from vp_pipeline.sources.landed import Inspection

_SHOWN = 10


def known_fields(what: str, found: Inspection) -> Outcome:
    """A warning where the answers hold something that the decoder does not know: the vendor changed its schema."""
    if not found.unexpected:
        return Outcome("known_fields", True, f"{what}: every field is known.")
    told = ", ".join(f"{name} ({count:,}×)" for name, count in sorted(found.unexpected.items())[:_SHOWN])
    more = f" and {len(found.unexpected) - _SHOWN} more" if len(found.unexpected) > _SHOWN else ""
    said = f"{what}: the answers hold what the decoder does not read: {told}{more}. Bronze keeps it."
    return Outcome("known_fields", False, said, warning=True, metadata={"unexpected": len(found.unexpected)})


def unaltered(what: str, found: Inspection) -> Outcome:
    """Whether Airbyte changed records on their way (it nulls fields of oversized ones): the decoder takes none of
    those."""
    metadata = {"altered": found.altered, "records": found.records}
    if not found.altered:
        return Outcome("unaltered", True, f"{what}: Airbyte changed no record.", metadata=metadata)
    share = found.altered / found.records
    said = f"{what}: Airbyte changed {found.altered:,} of {found.records:,} records; they go to the quarantine."
    blocks = found.altered >= FEW and share > ALTERED.block
    return Outcome("unaltered", False, said, warning=not blocks, metadata=metadata)
