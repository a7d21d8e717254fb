"""What buyers do and say: ranks, reviews, units sold, coupons, and when Keepa looked.

Here: every history that is not an offer. Not here: prices and sellers (`market.py`).
"""

import numpy as np

from vp_pipeline.sandbox.keepa.chance import DAY, Dice, event_minutes, wander
from vp_pipeline.sandbox.keepa.products import Card
from vp_pipeline.sandbox.keepa.steps import Points, in_force, points, without_repeats

_SOLD_STEPS = np.array([50, 100, 200, 300, 400, 500, 600, 800, 1000, 2000, 3000, 5000, 10_000], dtype=np.int64)


def ranks(dice: Dice, card: Card, start: int, end: int) -> dict[int, Points]:
    """Sales ranks by category: the root of the tree, and a leaf in which the numbers are small."""
    gap = 0.6 if card.sparse else 0.11
    minutes = event_minutes(dice.named("when"), start, end, gap)
    days = minutes / DAY
    # Keepa's minute 0 was a Saturday.
    weekend = (minutes // DAY) % 7 < 2
    log_rank = (
        np.log(card.rank)
        + 0.45 * wander(dice.named("months"), minutes, 21, 0.85)
        + 0.18 * wander(dice.named("days"), minutes, 1, 0.7)
        + np.where(weekend, -0.06, 0.02)
        + 0.22 * np.cos(2 * np.pi * (days - dice.between(0, 364)) / 365.25)
        - 0.05 * np.cos(2 * np.pi * (days - 0.8))
        + 0.05 * dice.normal(len(minutes))
    )
    rank = np.maximum(np.exp(log_rank), 1).astype(np.int64)
    rank = np.where(dice.uniform(len(minutes)) < 0.0008, -1, rank)
    root = without_repeats(points(minutes, rank), dice)
    some = dice.uniform(len(minutes)) < 0.5
    leaf_rank = np.maximum(np.exp(log_rank[some]) // (card.rank / 12), 1).astype(np.int64)
    return {card.root[0]: root, card.leaf[0]: without_repeats(points(minutes[some], leaf_rank))}


def reviews(dice: Dice, card: Card, start: int, end: int) -> tuple[Points, Points]:
    """RATING (tenths of a star, 41 to 47) and COUNT_REVIEWS, which only grows; both begin some days late."""
    begin = start + 2 * dice.between(2 * DAY, 10 * DAY)
    minutes = event_minutes(dice.named("rating"), begin, end, 12.0)
    rating = np.clip(44 + 1.6 * wander(dice.named("mood"), minutes, 45, 0.8), 41, 47).astype(np.int64)
    counted = event_minutes(dice.named("count"), begin, end, 0.8)
    busy = max(3.0 * (20_000 / (card.rank + 400)) ** 0.5, 0.4)
    new = dice.waits(len(counted)) * np.diff(counted, prepend=counted[0] - DAY) / DAY * busy
    count = 1 + np.cumsum(new.astype(np.int64))
    return without_repeats(points(minutes, rating)), without_repeats(points(counted, count), dice)


def extra_info_updates(dice: Dice, offers: Points, end: int) -> Points:
    """When Keepa refreshed the offers: their number, and at times a negative one that it does not explain."""
    start = int(offers[0, 0]) + 2 * dice.between(10, 2 * DAY)
    minutes = event_minutes(dice.named("when"), start, end, 0.7)
    number = np.maximum(in_force(offers, minutes), 1)
    return points(minutes, np.where(dice.uniform(len(minutes)) < 0.15, -number, number))


def monthly_sold(dice: Dice, card: Card, start: int, end: int) -> Points:
    """Amazon's 'bought in past month', in Amazon's steps; -1 where it says nothing."""
    minutes = event_minutes(dice.named("when"), start + 20 * DAY, end, 9.0)
    sold = 400_000 / (card.rank + 150) * np.exp(0.5 * wander(dice.named("level"), minutes, 30, 0.85))
    position = np.searchsorted(_SOLD_STEPS, sold, side="right") - 1
    shown = np.where(position < 0, -1, _SOLD_STEPS[np.maximum(position, 0)])
    return without_repeats(points(minutes, shown))


def coupons(dice: Dice, start: int, end: int) -> Points:
    """Triples `[t, one-time, subscribe-and-save]`: a positive amount, a negative percentage, or 0 for none."""
    minutes = event_minutes(dice.named("when"), start + 15 * DAY, end, 35.0)
    n = len(minutes)
    none = np.arange(n) % 2 == 1
    once = np.where(none, 0, dice.choice((-5, -10, -20, 0, 0, 200, 500), n))
    saving = np.where(none, 0, np.where(once == 0, -10, 0))
    return without_repeats(points(minutes, once, saving))
