"""The thresholds of our gates: every number, with its reason.

Beyond the first number of a pair the check warns; beyond the second the day is blocked, and a person may waive it
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


# Records that violate the contract. One is worth a look: each is a row that is missing from reports. A fifth is no
# longer about single products: the vendor changed something, and marts built from the rest would look like a collapse
# of the market.
QUARANTINE = Limits(warn=0.0, block=0.2)

# Records in which Airbyte nulled fields because they were too large. The decoder rejects such a record, so it is as bad
# as one in quarantine.
ALTERED = QUARANTINE

# A share means nothing among a handful: one bad product of two is no reason to block the other.
FEW = 10

# Products that were requested and of which nothing came. Each is missing from reports, so it is named. Of more than two
# fifths (as below, for rows) about half did not arrive: that is a vendor or a connection that fails, not products.
COMPLETENESS = Limits(warn=0.0, block=0.4)

# Products of a day whose answers are excluded, because a test failed for them. One is worth a look: its new figures are
# missing from reports. A fifth, or all of them, is no longer about single products: the day is excluded as a whole, and
# red.
EXCLUDED = Limits(warn=0.0, block=0.2)

# Records equal to another one. Airbyte delivers at least once, so a retried page is normal; more than a twentieth means
# that pages are requested twice, which costs tokens. It never blocks: the rows are correct all the same.
DUPLICATES_WARN = 0.05

# Rows of a day, as a share of the median of the days before it. A `snapshot` response has the whole history, which only
# grows: a tenth less is odd, and two fifths less means that about half did not arrive. Others have one day's events:
# weekends and holidays halve them, so only next to nothing is wrong.
VOLUME: dict[ReplayMode, Limits] = {
    "snapshot": Limits(warn=0.9, block=0.6),
    "window": Limits(warn=0.5, block=0.1),
    "updated": Limits(warn=0.5, block=0.1),
    "appended": Limits(warn=0.5, block=0.1),
}
# Enough days that one odd one does not move the median, few enough that a list that was shortened on purpose is the
# usual one after four.
VOLUME_DAYS = 7
VOLUME_DAYS_AT_LEAST = 3
# A table with a few rows on most days (new sellers, for example) has none on some of them. Of records, of which there
# is one per product and day, half of ten is as much a loss as half of ten thousand.
VOLUME_AT_LEAST = {"rows": 20, "records": FEW}
