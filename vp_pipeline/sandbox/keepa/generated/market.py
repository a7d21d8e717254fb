"""The offers for one product: who sells, for how much, and who wins the buy box.

Here: every money history and the counts of offers, derived from one set of offers so that they agree with
one another. Not here: ranks, reviews and the like (`ranks_and_reviews.py`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from vp_pipeline.sandbox.keepa.generated.catalogue import CatalogueEntry
from vp_pipeline.sandbox.keepa.generated.draws import Draws, Minutes, event_minutes, random_walk
from vp_pipeline.sandbox.keepa.generated.price_series import (
    asking_price,
    deals,
    during,
    intervals,
    list_price,
    with_shipping,
)
from vp_pipeline.sandbox.keepa.generated.step_functions import (
    Points,
    Texts,
    Values,
    all_minutes,
    in_force,
    landed,
    lowest,
    points,
    without_repeats,
)
from vp_pipeline.sources.keepa.series import keepa_minute

# From here on Keepa's NEW contains shipping, and it counts the offers by who ships.
SHIPPING_IN_NEW = keepa_minute(datetime(2026, 2, 16, tzinfo=UTC).timestamp())
COUNTS_BY_SHIPPER = keepa_minute(datetime(2026, 2, 10, tzinfo=UTC).timestamp())

NOBODY_QUALIFIES, OUT_OF_STOCK = "-1", "-2"
_AMAZON_SELLER = {1: "ATVPDKIKX0DER", 2: "A3P5ROKL5A1OLE", 3: "A3JWKAKR8XB7XF", 5: "AN1VRQENFRJN5"}
_USED = (
    ("USED_NEW_SHIPPING", 0.86),
    ("USED_VERY_GOOD_SHIPPING", 0.78),
    ("USED_GOOD_SHIPPING", 0.7),
    ("USED_ACCEPTABLE_SHIPPING", 0.62),
)
_NOBODY = Texts(np.zeros(0, dtype=np.int64), ())


@dataclass(frozen=True)
class Market:
    """Histories by Keepa's name, and who won the buy box. `amazon_seller`: Amazon's own id; `fba_sellers`: whose offers
    Amazon sends, itself among them; `used_holders`: who held the buy box for used products (seller, condition, FBA)."""

    series: dict[str, Points]
    buy_box_sellers: Texts
    amazon_seller: str
    fba_sellers: frozenset[str]
    used_holders: Texts


def open_market(draws: Draws, entry: CatalogueEntry, digits: int, start: int, end: int) -> Market:
    """All offers for one product in [start, end), Keepa minutes; `digits` are the currency's minor digits."""
    price = float(entry.price)
    if entry.sparse:
        return _sparse_market(draws, entry.domain, price, digits, start, end)

    def price_of(name: str, factor: float, gap_days: float, out: float) -> Points:
        return asking_price(draws.named(name), start, end, price * factor, digits, gap_days, out)

    amazon = price_of("amazon", 1.0, 3.0, 0.12) if entry.amazon else points(np.array([start]), np.array([-1]))
    fba = price_of("fba", 1.02, 2.2, 0.06)
    fbm = with_shipping(draws.named("ships"), price_of("fbm", 0.97, 4.5, 0.15), digits)
    series = {
        "AMAZON": amazon,
        "NEW": _new(amazon, fba, fbm),
        "NEW_FBA": fba,
        "NEW_FBM_SHIPPING": fbm,
        "LISTPRICE": list_price(draws.named("list"), start, end, price * 1.3, digits),
        "LIGHTNING_DEAL": deals(draws.named("deal"), start, end, price * 0.8, digits, 45.0, (180, 360)),
        "PRIME_EXCL": deals(draws.named("prime"), start, end, price * 0.88, digits, 80.0, (1440, 2880)),
        "COUNT_REFURBISHED": points(np.array([start]), np.array([-1])),
        **_counts(draws.named("counts"), amazon, fba, fbm, entry.slots, end),
        **(_used(draws.named("used"), price, digits, start, end) if entry.used else _nothing_used(start)),
    }
    names = _sellers(draws.named("box"), entry.domain)
    series["BUY_BOX_SHIPPING"], winners = _buy_box(draws.named("box"), names, amazon, fba, fbm, end)
    holders = _used_holders(draws.named("used"), series) if entry.used else _NOBODY
    return Market(series, winners, names[0], frozenset(names[:4]), holders)


def _new(amazon: Points, fba: Points, fbm: Points) -> Points:
    """The lowest new price; what a seller charges for shipping counts only since 2026-02-16."""
    minutes = np.union1d(all_minutes(amazon, fba, fbm), [SHIPPING_IN_NEW])
    minutes = minutes[minutes >= amazon[0, 0]]
    without = in_force(fbm, minutes)
    including = landed(without, in_force(fbm, minutes, 2))
    merchant = np.where(minutes < SHIPPING_IN_NEW, without, including)
    cheapest = lowest([in_force(amazon, minutes), in_force(fba, minutes), merchant])
    return without_repeats(points(minutes, cheapest))


def _counts(draws: Draws, amazon: Points, fba: Points, fbm: Points, slots: int, end: int) -> dict[str, Points]:
    start = int(amazon[0, 0])
    minutes = np.union1d(all_minutes(amazon, fba, fbm), event_minutes(draws, start, end, 1.5))
    by_amazon = np.where(
        in_force(fba, minutes) < 0, 0, 1 + np.abs(1.6 * random_walk(draws.named("fba"), minutes, 6, 0.8))
    ).astype(np.int64) + (in_force(amazon, minutes) >= 0)
    by_merchant = np.where(
        in_force(fbm, minutes) < 0, 0, 1 + np.abs(1.9 * random_walk(draws.named("fbm"), minutes, 6, 0.8))
    ).astype(np.int64)
    counts = {"COUNT_NEW": _count(minutes, by_amazon + by_merchant)}
    if slots > 34:
        begun = minutes >= COUNTS_BY_SHIPPER
        counts["COUNT_NEW_FBA"] = _count(minutes[begun], by_amazon[begun])
        counts["COUNT_NEW_FBM"] = _count(minutes[begun], by_merchant[begun])
    return counts


def _count(minutes: Minutes, offers: Values) -> Points:
    return without_repeats(points(minutes, np.where(offers == 0, -1, offers)))


def _used(draws: Draws, price: float, digits: int, start: int, end: int) -> dict[str, Points]:
    conditions = {
        name: with_shipping(
            draws.named(name, "ships"),
            asking_price(draws.named(name), start, end, price * factor, digits, 7.0, 0.4),
            digits,
        )
        for name, factor in _USED
    }
    warehouse = asking_price(draws.named("warehouse"), start, end, price * 0.75, digits, 9.0, 0.6)
    minutes = all_minutes(warehouse, *conditions.values())
    offers = [in_force(warehouse, minutes), *(in_force(c, minutes) for c in conditions.values())]
    totals = [offers[0], *(landed(in_force(c, minutes), in_force(c, minutes, 2)) for c in conditions.values())]
    best = lowest(totals)
    # The buy box for used shows the cheapest with shipping apart: find what was added to which price.
    winner = np.argmax(np.stack(totals) == best, axis=0)
    box_price = np.where(best < 0, -1, np.choose(winner, offers))
    box_shipping = np.where(best < 0, -1, best - box_price)
    return {
        **conditions,
        "WAREHOUSE": warehouse,
        "USED": without_repeats(points(minutes, lowest(offers))),
        "COUNT_USED": _count(minutes, (np.stack(offers) >= 0).sum(axis=0)),
        "BUY_BOX_USED_SHIPPING": without_repeats(points(minutes, box_price, box_shipping)),
    }


def _used_holders(draws: Draws, series: dict[str, Points]) -> Texts:
    """Who holds the buy box for used products: the cheapest offer with shipping, as its price has it. The warehouse's
    are sent by Amazon and in good condition."""
    minutes = series["BUY_BOX_USED_SHIPPING"][:, 0]
    box = landed(
        in_force(series["BUY_BOX_USED_SHIPPING"], minutes), in_force(series["BUY_BOX_USED_SHIPPING"], minutes, 2)
    )
    offers = [in_force(series["WAREHOUSE"], minutes)]
    offers += [landed(in_force(series[name], minutes), in_force(series[name], minutes, 2)) for name, _ in _USED]
    winner = np.where(box < 0, len(offers), np.argmax(np.stack(offers) == box, axis=0))
    history = without_repeats(points(minutes, winner))
    sellers = [_seller_id(draws.named("seller", k)) for k in range(len(offers))]
    # Conditions: 4 is good, and 2 to 5 are those of _USED.
    holders = ((sellers[0], "4", "1"), *((sellers[k], str(k + 1), "0") for k in range(1, len(offers))), ("", "", ""))
    return Texts(history[:, 0], tuple(holders[k] for k in history[:, 1]))


def _nothing_used(start: int) -> dict[str, Points]:
    return {"USED": points(np.array([start]), np.array([-1]))}


def _sellers(draws: Draws, domain: int) -> tuple[str, ...]:
    """Amazon, three sellers that Amazon sends for, and a merchant."""
    return (_AMAZON_SELLER[domain], *(_seller_id(draws.named(k)) for k in range(4)))


def _buy_box(
    draws: Draws, sellers: tuple[str, ...], amazon: Points, fba: Points, fbm: Points, end: int
) -> tuple[Points, Texts]:
    """The cheapest offer wins, with a handicap for merchants that ship themselves; at times nobody qualifies."""
    start = int(amazon[0, 0])
    disqualified = during(*intervals(draws.named("refused"), start, end, 60.0, (30, 400)), 1)
    rota = event_minutes(draws.named("rota"), start, end, 9.0)
    seller = points(rota, draws.choice((1, 1, 2, 3), len(rota)))
    minutes = all_minutes(amazon, fba, fbm, disqualified, seller)
    merchant, shipping = in_force(fbm, minutes), in_force(fbm, minutes, 2)
    handicapped = np.where(merchant < 0, -1, landed(merchant, shipping) * 105 // 100)
    offers = [in_force(amazon, minutes), in_force(fba, minutes), handicapped]
    best = lowest(offers)
    winner = np.argmax(np.stack(offers) == best, axis=0)
    nobody = (best < 0) | (in_force(disqualified, minutes) > 0)
    price = np.where(nobody, -1, np.choose(winner, [offers[0], offers[1], merchant]))
    box = without_repeats(
        points(minutes, price, np.where(nobody, -1, np.where(winner == 2, np.maximum(shipping, 0), 0))), draws
    )
    # Of `sellers`; 5 nobody qualifies, 6 out of stock.
    who = np.where(winner == 0, 0, np.where(winner == 1, in_force(seller, minutes), 4))
    who = np.where(best < 0, 6, np.where(nobody, 5, who))
    history = without_repeats(points(minutes, who))
    names = (*sellers, NOBODY_QUALIFIES, OUT_OF_STOCK)
    return box, Texts(history[:, 0], tuple((names[k],) for k in history[:, 1]))


def _seller_id(draws: Draws) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "A" + "".join(letters[draws.between(0, 35)] for _ in range(13))


def _sparse_market(draws: Draws, domain: int, price: float, digits: int, start: int, end: int) -> Market:
    """Hardly any history: one seller, few changes, no buy box."""
    new = asking_price(draws.named("new"), start, end, price, digits, 60.0, 0.1)
    none = points(np.array([start]), np.array([-1]))
    series = {
        "AMAZON": none,
        "NEW": new,
        "USED": none,
        "LISTPRICE": points(np.array([start + 388]), np.array([int(price * 1.4)])),
        "COUNT_NEW": _count(new[:, 0], (new[:, 1] >= 0).astype(np.int64)),
    }
    return Market(series, _NOBODY, _AMAZON_SELLER[domain], frozenset(), _NOBODY)
