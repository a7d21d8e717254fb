"""Keepa's own figures over the histories.

Here: the contract of `stats`. Not here: the histories (`histories.py`).
"""

from vp_pipeline.sources.contract import INT, TEXT, TIMESTAMP, Column, Limit
from vp_pipeline.sources.keepa.ranges import (
    ASIN,
    CLIENT,
    DOMAIN_ID,
    INT_MAX,
    JAVA_INT,
    KEEPA_EPOCH,
    LATEST,
    SNAPSHOT_AT,
)
from vp_pipeline.sources.keepa.series import SERIES_NAMES
from vp_pipeline.sources.keepa.tables.shape import keepa_table

STATS = keepa_table(
    "stats",
    "Keepa's own figures, long form: the oracle that the marts are compared with.",
    "one row per product, statistic, series and response",
    ("asin", "domain_id", "stat", "series", "snapshot_at"),
    (
        ASIN,
        DOMAIN_ID,
        Column(
            "stat",
            TEXT,
            "Keepa's name of the figure (current, avg30, outOfStockPercentage90, min, …).",
            matches="[A-Za-z][A-Za-z0-9_]{0,99}",
            range_source=f"{CLIENT}, `Stats`: names of Java fields",
        ),
        Column(
            "series",
            TEXT,
            "The series that it is of; PRODUCT for a figure of the whole product.",
            one_of=(*SERIES_NAMES, "PRODUCT"),
            range_source=f"{CLIENT}, `Product.CsvType`",
        ),
        SNAPSHOT_AT,
        Column(
            "value",
            INT,
            "In the series' own unit; percentages as whole percent; -1: none.",
            at_least=-INT_MAX,
            at_most=INT_MAX,
            limits=(
                Limit("stat", "outOfStockPercentage.*", at_least=-1, at_most=100),
                Limit("series", "RATING", at_least=-1, at_most=50),
                Limit("stat", "avg[0-9]*|(min|max)(InInterval)?", at_least=-1),
            ),
            range_source=f"{JAVA_INT}; percentages to 100, ratings to 50; -1: none; figures of a product and of "
            "EXTRA_INFO_UPDATES are below it in real responses",
        ),
        Column(
            "value_at",
            TIMESTAMP,
            "When it occurred: extremes only (min, max and their intervals).",
            unit="UTC minute",
            nullable=True,
            at_least=KEEPA_EPOCH,
            at_most=LATEST,
            not_after="snapshot_at",
            range_source="as observed_at: it is the time of a point",
        ),
    ),
)
