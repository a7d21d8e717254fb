"""The daily tables, incrementally: whatever is loaded, lost or restated, they end as a recomputation from all points.

The recomputation is plain Python: each day of each history from its points, by the rules of step_function_by_day.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from vp_pipeline_tests.dbt_project.loads import MANY, Window, flags, play_examples

FIRST = date(2026, 11, 16)
START = datetime(2026, 11, 12)
PRODUCTS = ("A000000000", "A000000001", "A000000002")
SERIES = ("NEW", "USED")
SELLERS = ("SELLERONE", "SELLERTWO", "-1", "-2", "unreadable")
MODELS = (
    *("core_keepa_price_change", "core_keepa_price_daily", "core_keepa_product"),
    *("core_keepa_buy_box_change", "core_buy_box_daily", "core_buy_box_seller_daily"),
    *("core_keepa_rank_change", "core_keepa_rank_daily"),
    *("core_keepa_review_change", "core_keepa_review_daily"),
    *("core_keepa_offer_count_change", "core_keepa_offer_daily"),
)
# The same histories are loaded as ranks, reviews and offer counts: RAW table → its value, its daily table, that table's
# columns (open, high, low, close, value × minutes, minutes with a value), and what the price series are called there.
ALIKE: dict[str, tuple[str, str, tuple[str, ...], dict[str, dict[str, Any]]]] = {
    "rank": (
        "sales_rank",
        "core_keepa_rank_daily",
        ("open_rank", "high_rank", "low_rank", "close_rank", "rank_minutes", "ranked_minutes"),
        {"NEW": {"series": "SALES", "category_id": 0}, "USED": {"series": "CATEGORY", "category_id": 7}},
    ),
    **{
        table: (
            "value",
            model,
            ("open_value", "high_value", "low_value", "close_value", "value_minutes", "known_minutes"),
            {"NEW": {"series": new}, "USED": {"series": used}},
        )
        for table, model, new, used in (
            ("review", "core_keepa_review_daily", "RATING", "COUNT_REVIEWS"),
            ("offer_count", "core_keepa_offer_daily", "COUNT_NEW", "COUNT_USED"),
        )
    },
}
SELECTED = ("--select", *MODELS)
# A point whose value is in quarantine: null in RAW.
UNREADABLE = "unreadable"
# A run that ended between the change tables and the daily tables.
CHANGES_FIRST = "changes first"

# What one run_date's answers hold: product → (snapshot, {(series, minute): price}, {minute: seller}).
Answers = dict[str, tuple[datetime, dict[tuple[str, datetime], int | str], dict[datetime, str]]]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def random_answers(seed: int, number: int) -> Answers:
    """A run_date's answers: products absent, histories cut, points at 00:00 sharp, some after their snapshot, some
    unreadable in one answer and sound in another."""
    random = Random(seed)
    answers: Answers = {}
    for asin in PRODUCTS:
        if random.random() < 0.3:
            continue
        # Snapshots need not follow the order of run_dates.
        hours = 24 * (number + 1 + random.choice((0, 0, 0, -2, 2))) + random.choice((0, 0, 7))
        snapshot = datetime(2026, 11, 16) + timedelta(hours=hours, seconds=random.choice((0, 59)))
        # Mostly the same world in every answer, of which each shows a part; now and then something else.
        world = Random(f"{asin}{random.choice((1, 1, 1, seed))}")
        prices, sellers = {}, {}
        for series in SERIES:
            for _ in range(world.choice((0, 1, 3, 12))):
                minute = START + timedelta(
                    minutes=world.choice((world.randrange(10 * 1440), 1440 * world.randrange(10)))
                )
                value = world.choice((-1, world.randrange(1, 5_000)))
                prices[series, minute] = random.choice((value, value, value, UNREADABLE))
                sellers[minute] = world.choice(SELLERS)
        cut = random.choice((START, START, START + timedelta(days=4)))
        late = snapshot + timedelta(days=random.choice((0, 0, 0, 0, 1)))
        prices = {k: v for k, v in prices.items() if cut <= k[1] <= late and random.random() < 0.95}
        sellers = {k: v for k, v in sellers.items() if cut <= k <= late}
        answers[asin] = (snapshot, prices, sellers)
    return answers


def newest(raw: dict[int, Answers]) -> tuple[dict[str, datetime], dict[Any, dict[datetime, Any]]]:
    """The rule of the change tables: each product's newest snapshot, and each history's points."""
    ends: dict[str, tuple[datetime, int]] = {}
    points: dict[Any, tuple[datetime, int, Any]] = {}
    for number, answers in raw.items():
        for asin, (snapshot, prices, sellers) in answers.items():
            version = (snapshot, number)
            ends[asin] = max(ends.get(asin, version), version)
            found = {(asin, series, minute): price for (series, minute), price in prices.items()}
            found |= {(asin, "BUY_BOX", minute): seller for minute, seller in sellers.items()}
            for key, value in found.items():
                points[key] = max(points.get(key, (*version, value)), (*version, value), key=lambda point: point[:2])
    histories: dict[Any, dict[datetime, Any]] = defaultdict(dict)
    for (asin, series, minute), (_, _, value) in sorted(points.items()):
        histories[asin, series][minute] = None if value in (-1, "-1", "-2") else value
    return {asin: snapshot for asin, (snapshot, _) in ends.items()}, histories


def steps(points: dict[datetime, Any], snapshot: datetime) -> Iterable[tuple[date, Any, Any, int, int]]:
    """(day, value as the day begins, values of the day with their minutes) of a history, a day at a time."""
    times = sorted(points)
    until = max(times[-1], snapshot.replace(second=0))
    current, moment = points[times[0]], datetime.combine(times[0].date(), datetime.min.time())
    while moment < until or moment == times[-1]:
        following = moment + timedelta(days=1)
        inside = [t for t in times if moment <= t < following]
        bounds = [max(moment, times[0]), *inside, min(following, until)]
        values = [current, *(points[t] for t in inside)]
        minutes = [int((b - a).total_seconds()) // 60 for a, b in pairwise(bounds)]
        # Where the value is unreadable there is none, and nothing is observed.
        held = [
            (None, 0) if value == UNREADABLE else (value, lasted) for value, lasted in zip(values, minutes, strict=True)
        ]
        yield moment.date(), held[0][0], held, held[-1][0], len(inside)
        current, moment = values[-1], following


def expected_prices(raw: dict[int, Answers]) -> set[tuple[Any, ...]]:
    snapshots, histories = newest(raw)
    rows = set()
    for (asin, series), points in histories.items():
        if series == "BUY_BOX":
            continue
        for at, opening, held, closing, changes in steps(points, snapshots[asin]):
            known = [(v, m) for v, m in held if v is not None]
            low, high = min((v for v, _ in known), default=None), max((v for v, _ in known), default=None)
            sums = (sum(v * m for v, m in known), sum(m for _, m in known), sum(m for _, m in held))
            rows.add((asin, series, at, opening, high, low, closing, *sums, changes))
    return rows


def expected_buy_boxes(raw: dict[int, Answers]) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    snapshots, histories = newest(raw)
    rows, by_seller = set(), set()
    for (asin, series), points in histories.items():
        if series != "BUY_BOX":
            continue
        for at, opening, held, closing, changes in steps(points, snapshots[asin]):
            minutes: dict[str, int] = defaultdict(int)
            for seller, lasted in held:
                if seller is not None and lasted:
                    minutes[seller] += lasted
            winner = min(minutes, key=lambda s: (-minutes[s], s), default=None)
            by_seller |= {(asin, at, seller, lasted) for seller, lasted in minutes.items()}
            sums = (len(minutes), sum(minutes.values()), sum(m for _, m in held))
            rows.add((asin, at, opening, closing, winner, minutes[winner] if winner else 0, *sums, changes))
    return rows, by_seller


def assert_right(warehouse: Any, raw: dict[int, Answers]) -> None:
    prices = warehouse.rows(
        "select asin, series, observed_date, open_price_minor, high_price_minor, low_price_minor, close_price_minor,"
        " price_minor_minutes, in_stock_minutes, observed_minutes, changes from core.core_keepa_price_daily"
    )
    boxes = warehouse.rows(
        "select asin, observed_date, open_seller_id, close_seller_id, winner_seller_id, winner_minutes, sellers,"
        " won_minutes, observed_minutes, changes from core.core_buy_box_daily"
    )
    sellers = warehouse.rows("select asin, observed_date, seller_id, won_minutes from core.core_buy_box_seller_daily")
    wanted_prices, (wanted_boxes, wanted_sellers) = expected_prices(raw), expected_buy_boxes(raw)
    others = []
    for _, model, columns, names in ALIKE.values():
        series = " ".join(f"when '{name['series']}' then '{price}'" for price, name in names.items())
        query = f"select asin, case series {series} end, observed_date, {', '.join(columns)}, observed_minutes, changes"
        others.append((warehouse.rows(f"{query} from core.{model}"), wanted_prices))
    boxed = ((boxes, wanted_boxes), (sellers, wanted_sellers))
    for found, wanted in ((prices, wanted_prices), *boxed, *others):
        assert len(found) == len(set(found))
        assert set(found) == wanted


def load(warehouse: Any, number: int, answers: Answers) -> None:
    products, points, boxes = [], [], []
    for asin, (snapshot, prices, sellers) in answers.items():
        product = {"asin": asin, "domain_id": 1, "snapshot_at": snapshot}
        products.append({**product, "product_type": 0})
        boxes += [
            {**product, "observed_at": minute, "seller_id": None if seller == UNREADABLE else seller}
            for minute, seller in sellers.items()
        ]
        points += [
            {**product, "series": series, "observed_at": at, "price": p, "landed_price": p, "currency": "USD"}
            for (series, at), price in prices.items()
            for p in [None if price == UNREADABLE else price]
        ]
    warehouse.load("product", day(number), products)
    warehouse.load("price", day(number), points)
    warehouse.load("buy_box", day(number), boxes)
    for table, (value, _, _, names) in ALIKE.items():
        alike = [
            {
                **{k: p[k] for k in ("asin", "domain_id", "snapshot_at", "observed_at")},
                **names[p["series"]],
                value: p["price"],
            }
            for p in points
        ]
        warehouse.load(table, day(number), alike)


@pytest.fixture(scope="module")
def staged(module_warehouse: Any) -> Any:
    module_warehouse.must("run", "--select", "staging")
    return module_warehouse


class Dailies:
    """Every daily table and the change tables before it, and the answers that each day has in RAW."""

    def __init__(self, warehouse: Any, window: Any) -> None:
        self.warehouse = warehouse
        self.window = window
        self.raw: dict[int, Answers] = {}

    def clear(self) -> None:
        self.raw.clear()
        self.warehouse.execute(*(f"drop table if exists core.{model}" for model in MODELS))
        self.warehouse.execute(*(f"delete from raw.keepa_{name}" for name in ("product", "price", "buy_box", *ALIKE)))

    def load(self, number: int, seed: int) -> None:
        self.raw[number] = random_answers(seed, number)
        load(self.warehouse, number, self.raw[number])

    def restate(self, window: Window, changed: set[int]) -> None:
        if window == CHANGES_FIRST:
            for number in sorted(changed):
                changes = [model for model in MODELS if not model.endswith("daily")]
                self.warehouse.must("run", "--select", *changes, *self.window(day(number), day(number + 1)))
        else:
            of_days = flags(window, lambda first, end: self.window(day(first), day(end)))
            self.warehouse.must("run", *SELECTED, *of_days)

    def check(self) -> None:
        assert_right(self.warehouse, self.raw)


@pytest.mark.parametrize("examples", [2, MANY])
def test_any_order_grouping_repetition_and_reload(staged: Any, window: Any, examples: int) -> None:
    play_examples(Dailies(staged, window), examples, (1, 3), CHANGES_FIRST)


def restate_day(warehouse: Any, window: Any, raw: dict[int, Answers], number: int) -> None:
    load(warehouse, number, raw[number])
    warehouse.must("run", *SELECTED, *window(day(number), day(number + 1)))


def test_a_point_younger_than_its_snapshot_is_followed_by_another(warehouse: Any, window: Any) -> None:
    """The first ended the history itself; now it holds until the second, though the snapshot is the same."""
    noon = datetime(2026, 11, 16, 12)
    raw: dict[int, Answers] = {0: {PRODUCTS[0]: (noon, {("NEW", noon + timedelta(days=1)): 100}, {})}}
    warehouse.must("run", "--select", "staging")
    restate_day(warehouse, window, raw, 0)
    assert_right(warehouse, raw)
    raw[1] = {PRODUCTS[0]: (noon, {("NEW", noon + timedelta(days=3)): 200}, {})}
    restate_day(warehouse, window, raw, 1)
    assert_right(warehouse, raw)


def test_only_the_days_that_are_touched_are_written_again(warehouse: Any, window: Any) -> None:
    """A late point restates its history from its day on, a newer snapshot from the one before on, repeats nothing."""
    one, two = PRODUCTS[0], PRODUCTS[1]
    old = {("NEW", START): 100, ("USED", START): 50}
    raw: dict[int, Answers] = {
        0: {one: (datetime(2026, 11, 17), old, {}), two: (datetime(2026, 11, 17), old, {})},
    }
    warehouse.must("run", "--select", "staging")
    restate_day(warehouse, window, raw, 0)
    warehouse.execute("update core.core_keepa_price_daily set changes = changes + 1000")
    late = {**old, ("NEW", datetime(2026, 11, 14, 6)): 90}
    raw[1] = {one: (datetime(2026, 11, 18), late, {})}
    restate_day(warehouse, window, raw, 1)
    written = warehouse.rows(
        "select asin, series, min(observed_date), max(observed_date) from core.core_keepa_price_daily"
        " where changes < 1000 group by all order by all"
    )
    assert written == [
        (one, "NEW", date(2026, 11, 14), date(2026, 11, 17)),
        (one, "USED", date(2026, 11, 17), date(2026, 11, 17)),
    ]
    warehouse.execute("update core.core_keepa_price_daily set changes = changes % 1000")
    assert_right(warehouse, raw)
    raw[1] = {}  # synced again, without the product: as before
    restate_day(warehouse, window, raw, 1)
    assert_right(warehouse, raw)
