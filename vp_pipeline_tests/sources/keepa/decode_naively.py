"""A second decoder, as plain as can be and as slow: what the real one is compared with.

It shares nothing with the real one but the lists of series and domains. Bad points are not reported.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from vp_pipeline.sources.keepa.series import DOMAINS, SERIES
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.landed import LandedLine

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
ARRAYS = {
    *("current", "avg", "avg30", "avg90", "avg180", "avg365", "atIntervalStart"),
    *(f"outOfStockPercentage{window}" for window in ("30", "90", "180", "365", "InInterval")),
}
TEXTS = ("title", "brand", "manufacturer", "model", "color", "size", "productGroup", "parentAsin")
EXTREMES = ("min", "max", "minInInterval", "maxInInterval")


def moment(minute: int) -> datetime:
    return datetime(2011, 1, 1) + timedelta(minutes=minute)


def naive(lines: Iterable[LandedLine]) -> dict[str, Rows]:
    """Rows by natural key, a table; the newest record of a key stays. Lines must be sound, and extracted in ms."""
    tables: dict[str, Rows] = {table.name: {} for table in TABLES}
    read = [(json.loads(line.text), line) for line in lines]
    for record, _ in sorted(read, key=lambda r: (r[0]["_airbyte_extracted_at"], r[1].object, r[1].line)):
        data = record["_airbyte_data"]
        snapshot = datetime(1970, 1, 1) + timedelta(milliseconds=data["timestamp"])
        for item in data["products"]:
            for name, key, value in _rows(item, snapshot):
                unknown = value[0] is None and name not in ("product", "product_state", "stats")
                if not (unknown and key in tables[name]):  # what was readable once stays
                    tables[name][key] = value
    return tables


def _rows(p: dict[str, Any], snapshot: datetime) -> Iterator[tuple[str, tuple[Any, ...], tuple[Any, ...]]]:
    who = (p["asin"], p["domainId"])
    yield "product", (*who, snapshot), _fields(p)
    yield "product_state", (*who, snapshot), _state(p)
    for table, key, value in _lists(p):
        yield table, (*who, *key, snapshot), value
    for table, series, at, value in _histories(p):
        if datetime(2011, 1, 1) <= moment(at) <= snapshot:
            yield table, (*who, *series, moment(at), snapshot), value
    for stat, name, value, at in _figures(p.get("stats") or {}):
        yield "stats", (*who, stat, name, snapshot), (value, None if at <= 0 else moment(at))


def _histories(p: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], int, tuple[Any, ...]]]:
    """(table, series, Keepa minute, value) of each point; None in the value of one that is unreadable."""
    for series, history in zip(SERIES, p["csv"] or [], strict=False):
        name = (series.name, 0) if series.kind == "rank" else (series.name,)
        for at, *values in _points(history, 3 if series.with_shipping else 2):
            if series.kind == "price":
                yield "price", name, at, _price(p, values)
            else:
                yield series.kind, name, at, (_allowed(series.name, values[0]),)
    for category, history in (p.get("salesRanks") or {}).items():
        for at, rank in _points(history, 2):
            yield "rank", ("CATEGORY", int(category)), at, (_allowed("SALES", rank),)
    for at, once, saving in _points(p.get("couponHistory"), 3):
        yield "coupon", (), at, (once, saving)
    for name, table in (("monthlySoldHistory", "monthly_sold"), ("salesRankReferenceHistory", "rank_reference")):
        for at, number in _points(p.get(name), 2):
            yield table, (), at, (_allowed("SALES" if table == "rank_reference" else table, number),)
    yield from _text_histories(p)


def _text_histories(p: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], int, tuple[Any, ...]]]:
    for name, table in (("buyBoxSellerIdHistory", "buy_box"), ("parentAsinHistory", "parent_asin")):
        texts = p.get(name) or []
        yield from ((table, (), int(at), (text,)) for at, text in zip(texts[::2], texts[1::2], strict=True))
    used = p.get("buyBoxUsedHistory") or []
    for at, seller, condition, fba in zip(*(used[n::4] for n in range(4)), strict=True):
        holder = (True, seller, int(condition), fba == "1") if seller else (False, None, None, None)
        yield "buy_box_used", (), int(at), holder


def _allowed(series: str, value: int | None) -> int | None:
    low = -(2**31) + 1 if series == "EXTRA_INFO_UPDATES" else -1
    high = 50 if series == "RATING" else 2**53 if series == "rank_reference" else 2**31 - 1
    return value if value is not None and low <= value <= high and (series, value) != ("SALES", 0) else None


def _price(p: dict[str, Any], values: list[int | None]) -> tuple[Any, ...]:
    currency = DOMAINS[p["domainId"]].currency
    price, shipping = values if len(values) == 2 else (values[0], None)
    limit = {"USD": 100_000_000, "JPY": 150_000_000}.get(currency, 10**9)
    if price is None or not -1 <= price <= limit or not -1 <= (shipping or 0) <= limit:
        return None, None, None, currency
    total = -1 if price == -1 else price + max(shipping or 0, 0)
    if total > limit or (price == -1 and shipping not in (None, -1)):
        return None, None, None, currency
    return price, shipping, total, currency


def _points(history: list[Any] | None, width: int) -> Iterator[list[Any]]:
    """Each point whose time is known; None for all values where one of them is no integer."""
    after = None
    for start in range(0, len(history or []), width):
        point = (history or [])[start : start + width]
        readable = [type(x) is int and abs(x) <= 2**53 for x in point]
        at = point[0] if readable[0] else after
        after = point[0] + 1 if readable[0] else after
        if at is not None and 0 <= at < 46_810_080:  # 2100-01-01
            whole = len(point) == width and all(readable)
            yield [at, *point[1:]] if whole else [at] + [None] * (width - 1)


def _figures(stats: dict[str, Any]) -> Iterator[tuple[str, str, int, int]]:
    for name, value in stats.items():
        if name in ARRAYS:
            for series, element in zip(SERIES, value or [], strict=False):
                if element is not None:
                    yield name, series.name, element, -1
        elif name in EXTREMES:
            for series, element in zip(SERIES, value or [], strict=False):
                if element is not None:
                    yield name, series.name, element[1], element[0]
        elif type(value) is int:
            yield name, "PRODUCT", value, -1


def _fields(p: dict[str, Any]) -> tuple[Any, ...]:
    texts = [p.get(name) or None for name in TEXTS]
    tree = p.get("categoryTree") or []
    times = [p.get(name) or 0 for name in ("trackingSince", "listedSince", "lastUpdate", "lastPriceChange")]
    sizes = [p.get(f"package{name}") for name in ("Weight", "Length", "Width", "Height")]
    return (
        p.get("productType"),
        *texts,
        _known(p.get("rootCategory")),
        tree[-1]["catId"] if tree else None,
        " > ".join(node["name"] for node in tree) or None,
        _known(p.get("salesRankReference")),
        *(moment(time) if time not in (0, -1) else None for time in times),
        *map(_known, sizes),
        p.get("isAdultProduct"),
    )


def _lists(p: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], tuple[Any, ...]]]:
    for name, number in (("eanList", "EAN"), ("upcList", "UPC"), ("gtinList", "GTIN")):
        for position, value in reversed(list(enumerate(p.get(name) or [], start=1))):
            yield "identifier", (number, value), (position,)
    if p.get("partNumber"):
        yield "identifier", ("PART_NUMBER", p["partNumber"]), (1,)
    for position, other in enumerate(p.get("frequentlyBoughtTogether") or [], start=1):
        yield "bought_together", (other,), (position,)
    images = p.get("images") or [{"l": name} for name in (p.get("imagesCSV") or "").split(",") if name]
    for position, image in enumerate(images, start=1):
        medium = (image.get("m"), image.get("mW"), image.get("mH"))
        large = (image["l"], image.get("lW"), image.get("lH")) if "l" in image else medium
        yield "image", (position,), (*large, *medium)
    family = p.get("variations") or [{"asin": asin} for asin in (p.get("variationCSV") or "").split(",") if asin]
    for position, member in enumerate(family, start=1):
        named = {each["dimension"]: each["value"] for each in member.get("attributes") or []}
        attributes = json.dumps(named, ensure_ascii=False) if named else None
        yield "variation", (member["asin"],), (position, attributes, member.get("image"))


def _state(p: dict[str, Any]) -> tuple[Any, ...]:
    stats, fees = p.get("stats") or {}, p.get("fbaFees") or {}
    share, seller = p.get("referralFeePercentage"), stats.get("buyBoxSellerId")
    holder = ("Amazon", "FBA", "Unqualified", "Used", "Preorder", "Backorder", "PrimeEligible")
    return (
        DOMAINS[p["domainId"]].currency,
        _asked(fees.get("pickAndPackFee")) or None,
        _time(fees.get("lastUpdate")),
        None if share is None or share < 0 else Decimal(str(share)),
        _asked(p.get("referralFeePercent")),
        _known(p.get("packageQuantity")),
        _known(p.get("numberOfItems")),
        p.get("availabilityAmazon"),
        p.get("isSNS"),
        *(_asked(stats.get(name)) for name in ("totalOfferCount", "offerCountFBA", "offerCountFBM")),
        _time(stats.get("lastOffersUpdate")),
        *(_asked(stats.get(f"salesRankDrops{days}")) for days in (30, 90, 180, 365)),
        *(_asked(stats.get(f"buyBox{name}")) for name in ("Price", "Shipping", "SavingBasis")),
        None if seller in ("-1", "-2") else seller,
        *(stats.get(f"buyBoxIs{name}") for name in holder),
        _time(stats.get("lastBuyBoxUpdate")),
    )


def _asked(number: int | None) -> int | None:
    return None if number in (None, -1, -2) else number


def _time(minute: int | None) -> datetime | None:
    return None if minute in (None, 0, -1) else moment(minute)


def _known(number: int | None) -> int | None:
    return None if number in (None, 0, -1) else number
