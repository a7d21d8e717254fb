"""The made-up answers that have an outcome of their own: `keepa_odd/*.json`, one condition a file.

Here: conditions. What comes of each is in `test_odd_answers.py`.
"""

from collections.abc import Mapping

from vp_pipeline_tests.recordings.figures import DAY, WINDOWS, stats_of
from vp_pipeline_tests.recordings.histories import Flat, pairs, since, triples
from vp_pipeline_tests.recordings.products import NOW, NOW_MS, YEAR, Json, csv_of, envelope, product, stats

OUTLIER, NINETY_DAYS, NO_HISTORY = "B0MADEUP11", "B0MADEUP12", "B0MADEUP13"
NEW_SERIES, SOUND, INVALID, INACCESSIBLE = "B0MADEUP14", "B0MADEUP15", "B0MADEUP16", "B0MADEUP17"
USED, USED_GOOD = 2, 21


def odd_answers() -> Mapping[str, Json]:
    """Every answer by file name, without `.json`."""
    return {
        "outlier_left_out": outlier_left_out(),
        "only_90_days": only_90_days(),
        "no_history": no_history(),
        "unknown_series": unknown_series(),
        "not_products": not_products(),
    }


def outlier_left_out() -> Json:
    """The whole history, and figures from which the vendor left out an absurd offer: `max` and the averages."""
    whole = csv_of(36, _1=pairs(101, NOW - YEAR, NOW - 900, 30, 2600, 3000), _2=used(199_900), _21=used_good(199_900))
    without = csv_of(36, _1=whole[1], _2=used(-1), _21=used_good(-1))
    figures = stats(whole)
    clean = stats_of(without, now=NOW, tracking_since=NOW - 2 * YEAR, interval=180)
    for name in ("max", "avg", *(f"avg{days}" for days in WINDOWS)):
        figures[name] = clean[name]
    return envelope(product(OUTLIER, 1, "Kettle Lid, Used Once", whole, stats=figures))


def used(odd: int) -> Flat:
    flat = pairs(102, NOW - YEAR, NOW - 4_000, 40, 2000, 2400)
    flat[2 * 27 + 1] = odd
    return flat


def used_good(odd: int) -> Flat:
    flat = triples(103, NOW - YEAR, NOW - 4_000, 30, 1900, 2300)
    flat[3 * 20 + 1 : 3 * 20 + 3] = [odd, 0 if odd >= 0 else -1]
    return flat


def old_history() -> Flat:
    """Cheapest and dearest long ago; the last point before 90 days is still in force at their beginning."""
    return [NOW - YEAR, 900, NOW - 300 * DAY, 5400, *pairs(111, NOW - 200 * DAY, NOW - 500, 30, 1900, 2500)]


def only_90_days() -> Json:
    """Asked with `days=90`, and nothing before it is known."""
    whole = csv_of(36, _1=old_history())
    cut = csv_of(36, _1=since(old_history(), 2, NOW - 90 * DAY))
    return envelope(product(NINETY_DAYS, 1, "Kettle Lid, Green", cut, stats=stats(whole)), at_ms=NOW_MS + 1)


def no_history() -> Json:
    """Asked with `history=0`: figures alone."""
    asked = product(NO_HISTORY, 1, "Kettle Lid, Red", None, salesRanks=None, stats=stats(csv_of(36, _1=old_history())))
    return envelope(asked, at_ms=NOW_MS + 2)


def unknown_series() -> Json:
    """A price type that nobody knows yet, with points and with figures; one more without any."""
    csv = csv_of(38, _1=pairs(121, NOW - YEAR, NOW - 60, 20, 1500, 1900), _36=[NOW - 9_000, 3, NOW - 4_000, 5])
    return envelope(product(NEW_SERIES, 1, "Kettle Lid, Yellow", csv, stats=stats(csv)), at_ms=NOW_MS + 3)


def not_products() -> Json:
    """An inaccessible and an invalid product beside a sound one, answered by more tokens than were left."""
    csv = csv_of(36, _1=pairs(131, NOW - YEAR, NOW - 60, 20, 1500, 1900))
    return envelope(
        product(SOUND, 1, "Kettle Lid, Plain", csv, stats=stats(csv)),
        {"asin": INACCESSIBLE, "domainId": 1, "productType": 3, "title": "Its fields mean nothing", "csv": [[1, 2]]},
        {"asin": INVALID, "domainId": 1, "productType": 4, "csv": None},
        at_ms=NOW_MS + 4,
        tokens_left=-2,
        consumed=3,
    )
