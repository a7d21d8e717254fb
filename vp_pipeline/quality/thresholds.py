"""Where odd becomes wrong: every number that a gate of ours decides by, with its reason.

Below the first number of a pair a warning shows; beyond the second the day is blocked, and a person may waive it
(`vp run --waive CHECK`). Not here: limits of single values (the contracts), and those of dbt tests
(`dbt_project.yml`).
"""

from dataclasses import dataclass

from vp_pipeline.sources.source import ReplayMode


@dataclass(frozen=True)
class Limits:
    """Shares, 0 to 1."""

    warn: float
    block: float


# Records that broke the contract. One is worth a look: each is a row that reports do not have. A fifth is no more a
# matter of single products: the vendor changed something, and marts made from the rest would look like a collapse of
# the market.
QUARANTINE = Limits(warn=0.0, block=0.2)

# Records in which Airbyte nulled fields because they were too large. The decoder takes nothing of such a record, so it
# is as bad as one in quarantine.
ALTERED = QUARANTINE

# A share says nothing of a handful: one of two products is no reason to stop the other.
FEW = 10

# Records equal to one that is there already. Airbyte delivers at least once, so a retried page is normal; more than a
# twentieth means that pages are asked for twice, which costs tokens. It never blocks: the rows are right all the same.
DUPLICATES_WARN = 0.05

# Rows of a day, as a share of the median of the days before it. A `snapshot` answer holds the whole history, which only
# grows: a tenth less is odd, and with two fifths less it is half of something that did not come. A `window` stream has
# one day's events: weekends and holidays halve them, so only next to nothing is wrong.
VOLUME: dict[ReplayMode, Limits] = {
    "snapshot": Limits(warn=0.9, block=0.6),
    "window": Limits(warn=0.5, block=0.1),
}
# Enough days that one odd one does not move the median, few enough that a list that was cut on purpose is usual in
# four.
VOLUME_DAYS = 7
VOLUME_DAYS_AT_LEAST = 3
# A table that has a few rows on most days (new sellers, say) has none on some of them.
VOLUME_ROWS_AT_LEAST = 20
