"""The columns that Keepa's tables share, with the range of each and what that range comes from.

Here: ranges. Not here: which table has which column (`tables/`), and how a range is checked (`sources/enforce.py`).

A point whose time is sound and whose value is not is in quarantine, and a row with null in the place of its value:
unknown from then on, until the next point.
"""

from datetime import datetime

from vp_pipeline.sources.contract import INT, TEXT, TIMESTAMP, Column, Limit
from vp_pipeline.sources.keepa.series import DOMAINS

# What ranges come from.
CLIENT = "Keepa's published client"
JAVA_INT = f"{CLIENT} reads it as a Java int"
TEXT_SOURCE = "Power BI cuts a text at 32,766 characters; an empty one is read as null"
_BY_SNAPSHOT = (
    "Keepa counts minutes from 2011; no point is younger than the response that carries it. No tolerance: points are "
    "whole minutes, and in real responses none is younger than `lastUpdate`, 1 to 44 minutes before the response"
)
INT_MAX = 2**31 - 1
LONGEST_TEXT = 32_766
LARGEST_ID = 2**53
KEEPA_EPOCH = datetime(2011, 1, 1)
AMAZON_FOUNDED = datetime(1994, 7, 5)
LATEST = datetime(2099, 12, 31, 23, 59, 59, 999_999)
# About a million US dollars in minor units, and no more than a Java int. The dearest offer in real responses is 1,999
# dollars.
PRICE_LIMITS = {
    "USD": 100_000_000, "GBP": 100_000_000, "EUR": 100_000_000, "CAD": 150_000_000, "JPY": 150_000_000,
    "BRL": 600_000_000, "MXN": 2_000_000_000, "INR": INT_MAX,
}  # fmt: skip
_PRICE_SOURCE = f"about a million US dollars in each currency, a limit of ours; {JAVA_INT}; -1: no offer"

ASIN = Column(
    "asin", TEXT, "Amazon's product number.", matches="[A-Z0-9]{10}", range_source="Amazon: ten letters and digits"
)
DOMAIN_ID = Column(
    "domain_id",
    INT,
    "Keepa's number of the marketplace.",
    at_least=min(DOMAINS),
    at_most=max(DOMAINS),
    never=tuple(number for number in range(min(DOMAINS), max(DOMAINS)) if number not in DOMAINS),
    range_source=f"{CLIENT}, `AmazonLocale`",
)
SNAPSHOT_AT = Column(
    "snapshot_at",
    TIMESTAMP,
    "The moment of Keepa's response.",
    unit="UTC",
    at_least=KEEPA_EPOCH,
    at_most=LATEST,
    range_source="Keepa counts minutes from 2011; a response is no younger than its sync, 15 minutes apart at most "
    "(decoding/lines.py refuses the line), so the range here ends where every consumer's calendar does",
)
OBSERVED_AT = Column(
    "observed_at",
    TIMESTAMP,
    "When the value became true; it holds until the next row.",
    unit="UTC minute",
    at_least=KEEPA_EPOCH,
    at_most=LATEST,
    not_after="snapshot_at",
    range_source=_BY_SNAPSHOT,
)
CURRENCY = Column(
    "currency",
    TEXT,
    "ISO 4217 code.",
    one_of=tuple(sorted({d.currency for d in DOMAINS.values()})),
    range_source="Amazon's marketplaces",
)


def series(kind_names: tuple[str, ...]) -> Column:
    return Column(
        "series", TEXT, "Keepa's name of the history.", one_of=kind_names, range_source=f"{CLIENT}, `Product.CsvType`"
    )


def text(name: str, description: str) -> Column:
    return Column(name, TEXT, description, nullable=True, at_least=1, at_most=LONGEST_TEXT, range_source=TEXT_SOURCE)


def category(name: str, description: str) -> Column:
    return Column(
        name,
        INT,
        description,
        nullable=True,
        at_least=1,
        at_most=LARGEST_ID,
        range_source="0, -1 and the largest Java long mean none; integers beyond 2^53 are not exact in JSON",
    )


def moment(name: str, description: str) -> Column:
    return Column(
        name,
        TIMESTAMP,
        description,
        unit="UTC minute",
        nullable=True,
        at_least=AMAZON_FOUNDED,
        at_most=LATEST,
        not_after="snapshot_at",
        range_source="nothing was listed before Amazon was founded; in real responses it is never after the response",
    )


def size(name: str, description: str, unit: str) -> Column:
    return Column(
        name,
        INT,
        description,
        unit=unit,
        nullable=True,
        at_least=1,
        at_most=INT_MAX,
        range_source=f"0 and -1 mean unknown; {JAVA_INT}",
    )


def price(name: str, description: str, with_it: tuple[int, str] | None = None) -> Column:
    limits = tuple(Limit("currency", currency, at_most=limit) for currency, limit in PRICE_LIMITS.items())
    return Column(
        name,
        INT,
        description,
        unit="minor units",
        nullable=True,
        at_least=-1,
        at_most=INT_MAX,
        limits=limits,
        with_it=with_it,
        range_source=_PRICE_SOURCE,
    )


def amount(name: str, description: str, at_least: int = 0) -> Column:
    """An amount of a row that has its currency; nothing stands for "none" in it."""
    limits = tuple(Limit("currency", currency, at_most=limit) for currency, limit in PRICE_LIMITS.items())
    return Column(
        name,
        INT,
        description,
        unit="minor units",
        nullable=True,
        at_least=at_least,
        at_most=INT_MAX,
        limits=limits,
        range_source=f"about a million US dollars in each currency, a limit of ours; {JAVA_INT}",
    )


def count(name: str, description: str, unit: str) -> Column:
    return Column(name, INT, description, unit=unit, nullable=True, at_least=0, at_most=INT_MAX, range_source=JAVA_INT)


def value(
    name: str, description: str, *limits: Limit, at_least: int = -1, never: tuple[int, ...] = (), source: str = ""
) -> Column:
    """The value of a point: an integer."""
    return Column(
        name,
        INT,
        description,
        nullable=True,
        at_least=at_least,
        at_most=INT_MAX,
        never=never,
        limits=limits,
        range_source=source or f"{JAVA_INT}; -1: none",
    )
