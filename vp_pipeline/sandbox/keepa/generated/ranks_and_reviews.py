"""Sales ranks, reviews, units sold, coupons, and when Keepa refreshed the offers.

Here: every history that is not an offer. Not here: prices and sellers (`market.py`).
"""

import numpy as np

from vp_pipeline.sandbox.keepa.generated.catalogue import CatalogueEntry
from vp_pipeline.sandbox.keepa.generated.draws import DAY, Draws, event_minutes, random_walk
from vp_pipeline.sandbox.keepa.generated.step_functions import Points, in_force, points, without_repeats

_SOLD_STEPS = np.array([50, 100, 200, 300, 400, 500, 600, 800, 1000, 2000, 3000, 5000, 10_000], dtype=np.int64)


def ranks(draws: Draws, entry: CatalogueEntry, start: int, end: int) -> dict[int, Points]:
    """Sales ranks by category: the root of the tree, and a leaf in which the numbers are small."""
    gap = 0.6 if entry.sparse else 0.11
    minutes = event_minutes(draws.named("when"), start, end, gap)
    days = minutes / DAY
    # Keepa's minute 0 was a Saturday.
    weekend = (minutes // DAY) % 7 < 2
    log_rank = (
        np.log(entry.rank)
        + 0.45 * random_walk(draws.named("months"), minutes, 21, 0.85)
        + 0.18 * random_walk(draws.named("days"), minutes, 1, 0.7)
        + np.where(weekend, -0.06, 0.02)
        + 0.22 * np.cos(2 * np.pi * (days - draws.between(0, 364)) / 365.25)
        - 0.05 * np.cos(2 * np.pi * (days - 0.8))
        + 0.05 * draws.normal(len(minutes))
    )
    rank = np.maximum(np.exp(log_rank), 1).astype(np.int64)
    rank = np.where(draws.uniform(len(minutes)) < 0.0008, -1, rank)
    root = without_repeats(points(minutes, rank), draws)
    some = draws.uniform(len(minutes)) < 0.5
    leaf_rank = np.maximum(np.exp(log_rank[some]) // (entry.rank / 12), 1).astype(np.int64)
    return {entry.root[0]: root, entry.leaf[0]: without_repeats(points(minutes[some], leaf_rank))}


def reviews(draws: Draws, entry: CatalogueEntry, start: int, end: int) -> tuple[Points, Points]:
    """RATING (tenths of a star, 41 to 47) and COUNT_REVIEWS, which only grows; both begin some days late."""
    begin = start + 2 * draws.between(2 * DAY, 10 * DAY)
    minutes = event_minutes(draws.named("rating"), begin, end, 12.0)
    rating = np.clip(44 + 1.6 * random_walk(draws.named("mood"), minutes, 45, 0.8), 41, 47).astype(np.int64)
    counted = event_minutes(draws.named("count"), begin, end, 0.8)
    busy = max(3.0 * (20_000 / (entry.rank + 400)) ** 0.5, 0.4)
    new = draws.waits(len(counted)) * np.diff(counted, prepend=counted[0] - DAY) / DAY * busy
    count = 1 + np.cumsum(new.astype(np.int64))
    return without_repeats(points(minutes, rating)), without_repeats(points(counted, count), draws)


def extra_info_updates(draws: Draws, offers: Points, end: int) -> Points:
    """When Keepa refreshed the offers: their number, and at times a negative one that it does not explain."""
    start = int(offers[0, 0]) + 2 * draws.between(10, 2 * DAY)
    minutes = event_minutes(draws.named("when"), start, end, 0.7)
    number = np.maximum(in_force(offers, minutes), 1)
    return points(minutes, np.where(draws.uniform(len(minutes)) < 0.15, -number, number))


def monthly_sold(draws: Draws, entry: CatalogueEntry, start: int, end: int) -> Points:
    """Amazon's 'bought in past month', in Amazon's steps; -1 where it shows none."""
    minutes = event_minutes(draws.named("when"), start + 20 * DAY, end, 9.0)
    sold = 400_000 / (entry.rank + 150) * np.exp(0.5 * random_walk(draws.named("level"), minutes, 30, 0.85))
    position = np.searchsorted(_SOLD_STEPS, sold, side="right") - 1
    displayed = np.where(position < 0, -1, _SOLD_STEPS[np.maximum(position, 0)])
    return without_repeats(points(minutes, displayed))


def coupons(draws: Draws, start: int, end: int) -> Points:
    """Triples `[t, one-time, subscribe-and-save]`: a positive amount, a negative percentage, or 0 for none."""
    minutes = event_minutes(draws.named("when"), start + 15 * DAY, end, 35.0)
    n = len(minutes)
    none = np.arange(n) % 2 == 1
    once = np.where(none, 0, draws.choice((-5, -10, -20, 0, 0, 200, 500), n))
    saving = np.where(none, 0, np.where(once == 0, -10, 0))
    return without_repeats(points(minutes, once, saving))
