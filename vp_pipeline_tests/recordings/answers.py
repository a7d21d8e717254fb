"""The made-up answers that a day of the pipeline takes without a complaint: `keepa/*.json`.

Here: which oddity is in which answer. Not here: answers with an outcome of their own (`odd_answers.py`).
"""

from collections.abc import Mapping

from vp_pipeline_tests.recordings.figures import DAY
from vp_pipeline_tests.recordings.histories import Flat, pairs, rank_by_reference, since, triples
from vp_pipeline_tests.recordings.products import (
    KEEPA_EPOCH,
    NOW,
    NOW_MS,
    YEAR,
    Json,
    csv_of,
    envelope,
    product,
    stats,
)

TWICE, YEN, RANKS_ONLY, ALONE = "B0MADEUP01", "B0MADEUP02", "B0MADEUP03", "B0MADEUP04"
DOWNLOAD, EBOOK, PARENT, CUT = "B0MADEUP05", "B0MADEUP06", "B0MADEUP07", "B0MADEUP08"
CATEGORY, SUBCATEGORY, OTHER_CATEGORY = 900_000_100, 900_000_120, 900_000_200
VARIATIONS = [
    {"asin": TWICE, "attributes": [{"dimension": "Color", "value": "Weiß"}, {"dimension": "Size", "value": "1 L"}]},
    {"asin": "B0MADEUP09", "attributes": [{"dimension": "Size", "value": '2 L, "XL"'}], "image": "made-up8.jpg"},
]
# The interval that `stats` were asked for, where it is not 180 days; the yen answer was asked for one day.
ASKED_FOR = {"yen_34_series": 1}
# Answers whose histories are not all that their `stats` are of.
CUT_SHORT = {"only_90_days"}


def answers() -> Mapping[str, Json]:
    """Every answer by file name, without `.json`."""
    return {
        "first_of_two": first_of_two(),
        "second_of_two": second_of_two(),
        "yen_34_series": yen(),
        "ranks_without_sales": ranks_without_sales(),
        "product_alone": product_alone(),
        "several_products": several_products(),
        "whole_before_90_days": whole_before_90_days(),
        "only_90_days": only_90_days(),
    }


def much_asked(now: int) -> dict[str, Flat | None]:
    """The histories of the product that two answers are about, as long as `now`; the first was asked for all."""
    start = NOW - 2 * YEAR
    ranks = category_ranks(start, NOW - 30)
    return {
        "_0": [start, -1],
        "_1": [*pairs(11, start, NOW - 9_000, 60, 1799, 2499), *([NOW + 41, 1749] if now > NOW + 41 else [])],
        "_2": pairs(12, start, NOW - 70_000, 24, 900, 1500, gap_every=4),
        "_3": rank_by_reference(references(start), ranks),
        "_4": [start, 2999, NOW - 400_000, -1, NOW - 380_000, 2999],
        "_7": triples(13, start, NOW - 5_000, 30, 1700, 2400, gap_every=7),
        "_8": pairs(14, start + 90_000, NOW - 20_000, 12, 1499, 1699, gap_every=2),
        # One value is all that there is in the longer windows, and it began late in them.
        "_10": [NOW - 20 * DAY - 7, 2249],
        "_11": pairs(15, start, NOW - 15, 40, 1, 9),
        "_13": [start + 700, -1],
        "_15": refreshes(start, NOW - 17),
        "_16": [start, 50, start + 9_000, 47, NOW - 90_000, -1, NOW - 80_000, 46, NOW - 30_000, 46],
        "_17": pairs(17, start, NOW - 95, 40, 10, 2500),
        "_18": triples(18, start, NOW - 3_000, 60, 1700, 2400, gap_every=9),
        "_21": triples(19, start, NOW - 60_000, 20, 800, 1300, gap_every=3),
        "_32": triples(20, start, NOW - 61_000, 20, 800, 1300, gap_every=5),
        "_33": [start + 800, 1999, start + 20_000, -1],
        "_34": pairs(21, NOW - 120_000, NOW - 17, 20, 1, 4),
        "_35": pairs(22, NOW - 120_000, NOW - 3_500, 24, 1, 3, gap_every=6),
    }


def refreshes(start: int, end: int) -> Flat:
    """EXTRA_INFO_UPDATES: mostly the same value again, and below zero for good reason."""
    flat = pairs(16, start, end, 60, 1, 2)
    flat[1::14] = [-3] * len(flat[1::14])
    return flat


def category_ranks(start: int, end: int) -> dict[str, Flat]:
    return {
        str(CATEGORY): pairs(31, start, end, 80, 300, 90_000),
        str(SUBCATEGORY): pairs(32, start + 55, end, 50, 2, 900, gap_every=10),
    }


def references(start: int) -> Flat:
    """The main category by time, twice none."""
    return [start, CATEGORY, NOW - 300_000, -1, NOW - 290_000, CATEGORY, NOW - 40_000, -1, NOW - 39_000, CATEGORY]


def first_of_two() -> Json:
    start, csv = NOW - 2 * YEAR, csv_of(36, **much_asked(NOW))
    sellers = ["AMADEUPSELLER1", "-1", "AMADEUPSELLER2", "AMADEUPSELLER1", "-2", "AMADEUPSELLER3"]
    figures = stats(csv)
    # Keepa's own arithmetic is sometimes one lower than the formula.
    figures["avg90"][18] -= 1
    return envelope(
        product(
            TWICE,
            1,
            "Kettle Lid, the Kettle Lid That Fits No Kettle, "
            + "for Kitchens of Every Kind and Size, " * 45
            + "Set of 2",
            csv,
            salesRanks=category_ranks(start, NOW - 30),
            salesRankReference=CATEGORY,
            salesRankReferenceHistory=references(start),
            monthlySold=400,
            monthlySoldHistory=pairs(41, start + 40_000, NOW - 2_000, 30, 1, 9, gap_every=11),
            # [t, amount off in minor units or -percent, the same for subscribers]
            couponHistory=[start + 500, -5, 0, start + 9_000, 0, 0, NOW - 60_000, 150, -10, NOW - 50_000, 0, 0],
            buyBoxSellerIdHistory=[
                text for k, seller in enumerate(sellers * 4) for text in (str(start + 1_111 + 40_000 * k), seller)
            ],
            buyBoxUsedHistory=[str(start + 900), "AMADEUPSELLER9", "4", "1", str(start + 7_000), "", "", ""],
            eanList=["2000000000022", "2000000000039"],
            gtinList=["02000000000022"],
            upcList=["200000000022"],
            partNumber='ÖL-1/2 "x"',
            images=[
                {"l": "made+up3.jpg", "lH": 1500, "lW": 1497, "m": "made-up4.jpg", "mH": 500, "mW": 499},
                {"m": "made_up5.jpg", "mH": 679, "mW": 679},  # there is no large one
            ],
            variations=VARIATIONS,
            frequentlyBoughtTogether=[YEN, ALONE],
            coupon=[0, -10],
            isSNS=True,
            parentAsin="B0MADEUPP1",
            parentAsinHistory=[str(start + 77), "-1", str(NOW - 200_000), "B0MADEUPP1"],
            stats=figures,
        ),
        tokens_left=61,
        consumed=4,
    )


def second_of_two() -> Json:
    """90 minutes later, and neither ratings nor the buy box were asked for."""
    later = NOW + 90
    asked = {name: s for name, s in much_asked(later).items() if name not in ("_7", "_15", "_16", "_17", "_18", "_32")}
    csv = csv_of(36, **asked)
    start = NOW - 2 * YEAR
    return envelope(
        product(
            TWICE,
            1,
            "Kettle Lid | Fits No Kettle | Set of 2",
            csv,
            salesRanks=category_ranks(start, NOW - 30),
            salesRankReference=CATEGORY,
            salesRankReferenceHistory=references(start),
            lastUpdate=later - 12,
            # One number, one image and one companion fewer than 90 minutes before, and another variation.
            eanList=["2000000000022"],
            images=[{"l": "made+up3.jpg", "lH": 1500, "lW": 1497, "m": "made-up4.jpg", "mH": 500, "mW": 499}],
            variations=[*VARIATIONS, {"asin": "B0MADEUP10", "attributes": None}],
            frequentlyBoughtTogether=[ALONE],
            isSNS=True,
            monthlySold=400,
            monthlySoldHistory=pairs(41, start + 40_000, NOW - 2_000, 30, 1, 9, gap_every=11),
            parentAsin="B0MADEUPP1",
            stats=stats(csv, now=later),
        ),
        at_ms=NOW_MS + 90 * 60_000,
        tokens_left=55,
    )


def yen() -> Json:
    """34 series, a currency without a minor unit, titles in another script, and more tokens spent than there were."""
    start = NOW - YEAR - 90_000
    csv = csv_of(
        34,
        _0=[
            start,
            -1,
            start + 3_000,
            4900,
            NOW - 200_000,
            4480,
            NOW - 100_000,
            -1,
            NOW - 60_000,
            4900,
            NOW - 5_000,
            4180,
        ],
        _1=pairs(51, start, NOW - 4_000, 40, 4100, 4900),
        _2=pairs(52, start + 40_000, NOW - 95_000, 24, 2100, 3300, gap_every=5),
        _3=rank_by_reference([start, CATEGORY], {str(CATEGORY): pairs(53, start, NOW - 366, 60, 150, 9_000)}),
        _4=[start + 2_000, 5800, NOW - 150_000, -1, NOW - 120_000, 5500],
        _11=pairs(54, start, NOW - 3_000, 10, 1, 3),
        _15=[start + 9, 1, start + 90, 1, start + 900, -1, NOW - 190, -2],
        # The cheapest with its shipping is not the cheapest without.
        _18=[start, 4900, 0, NOW - 250_000, 4300, 650, NOW - 9_000, 4400, 0, NOW - 4_700, 4180, 350],
        _32=triples(55, start + 41_000, NOW - 94_000, 20, 2100, 3300, gap_every=3),
    )
    return envelope(
        product(
            YEN,
            5,
            "[架空堂] 注げない急須 0.3L【存在しない商品】| ふた付き",
            csv,
            brand="架空堂(MADEUPDO)",
            trackingSince=start,
            listedSince=start - 400,
            lastUpdate=NOW - 44,
            availabilityAmazon=0,
            salesRanks={str(CATEGORY): pairs(53, start, NOW - 366, 60, 150, 9_000)},
            salesRankReference=CATEGORY,
            salesRankReferenceHistory=[start, CATEGORY],
            buyBoxSellerIdHistory=[str(start), "AMADEUPJPSHOP", str(NOW - 250_000), "AMADEUPSELLER2"],
            stats=stats(csv, tracking_since=start, interval=ASKED_FOR["yen_34_series"]),
        ),
        at_ms=NOW_MS - 7_000,
        tokens_left=-12,
        consumed=3,
    )


def ranks_without_sales() -> Json:
    """The SALES series is empty, `salesRanks` is not; it ranks nowhere now, and once did in another category."""
    start = NOW - YEAR
    csv = csv_of(
        36, _1=[start, 2349, NOW - 150_000, -1, NOW - 146_000, 2349], _3=[], _4=[start + 400, 3290], _11=[start, 1]
    )
    return envelope(
        product(
            RANKS_ONLY,
            1,
            "One Title | With Pipes | And\nA Line Break\tA Tab \"Quotes\" 'More' \\ and, commas; 50% <b>off</b>",
            csv,
            trackingSince=start,
            listedSince=NOW + 600_000,  # to come
            salesRanks={
                str(CATEGORY): pairs(61, start, NOW - 23_500, 70, 9_000, 310_000),
                str(SUBCATEGORY): pairs(62, start + 20, NOW - 23_500, 60, 40, 2_000),
                str(OTHER_CATEGORY): pairs(63, start + 30, NOW - 200_000, 36, 700, 5_000, gap_every=9),
            },
            salesRankReference=-1,
            salesRankReferenceHistory=[start, OTHER_CATEGORY, NOW - 200_000, CATEGORY, NOW - 23_400, -1],
            stats=stats(csv, now=NOW + 1, tracking_since=start),
        ),
        at_ms=NOW_MS + 60_000,
    )


def product_alone() -> Json:
    """One element of `products` without its envelope; somebody's own additions to it are not JSON."""
    start, last = NOW - 2 * YEAR, NOW - 300_000
    return product(
        ALONE,
        1,
        "Bucket Without a Bottom, Set of 4",
        csv_of(
            34,
            _0=pairs(71, start, last - 3_000, 40, 7500, 9500),
            _1=pairs(72, start, last, 50, 7500, 9500),
            _2=pairs(73, start + 900, last - 8_000, 40, 5000, 7500, gap_every=2),
            _3=rank_by_reference(
                [start, CATEGORY, NOW - 500_000, OTHER_CATEGORY],
                {
                    str(CATEGORY): pairs(74, start, last, 60, 5, 90),
                    str(OTHER_CATEGORY): pairs(75, start, last - 120, 40, 100, 900),
                },
            ),
            _5=[start - 900_000, -1],
            _15=[start, 6, start + 300, 6, last - 150, -8],
            _18=triples(76, start, last, 50, 7500, 9500, gap_every=8),
            _28=triples(77, start - 500_000, last - 350, 12, 9000, 12_000, gap_every=2),
            _29=[start - 500_000, -1, -1],
        ),
        trackingSince=150_000,
        listedSince=-1,
        lastUpdate=last,
        lastPriceChange=last,
        salesRanks={
            str(CATEGORY): pairs(74, start, last, 60, 5, 90),
            str(OTHER_CATEGORY): pairs(75, start, last - 120, 40, 100, 900),
        },
        salesRankReference=OTHER_CATEGORY,
        salesRankReferenceHistory=[start, CATEGORY, NOW - 500_000, OTHER_CATEGORY],
        monthlySoldHistory=[start, 3000, start + 9_000, 2000, last - 50, -1],
        buyBoxSellerIdHistory=[str(start), "AMADEUPSELLER1", str(start + 9_000), "-1", str(last), "AMADEUPSELLER2"],
        fbaFees={"pickAndPackFee": 386},  # of before Keepa sent when it was updated
        images=None,
        imagesCSV="made-up6.jpg,made-up7.jpg",  # of before it sent sizes
        data={"NEW": [75.0, float("nan"), 79.99]},
    )


def several_products() -> Json:
    """One request for three products: a download, an ebook and a variation parent, which sells nothing itself."""
    start = NOW - 200 * DAY
    download = csv_of(36, _1=pairs(81, start, NOW - 800, 30, 999, 1999), _3=pairs(82, start, NOW - 90, 40, 90, 5_000))
    # Longer than the types that are known: the last ones have no points.
    ebook = csv_of(39, _0=pairs(83, start, NOW - 700, 20, 299, 999), _16=[start, 45, NOW - 50_000, 44], _17=[start, 12])
    minute = NOW + 2
    return envelope(
        product(
            DOWNLOAD,
            3,
            "תוכנה שאינה קיימת, مهرجان الأرقام (Version 2)",
            download,
            productType=1,
            listedSince=-1_840_000,  # 2007
            trackingSince=start,
            salesRankReference=CATEGORY,
            salesRanks={str(CATEGORY): pairs(82, start, NOW - 90, 40, 90, 5_000)},
            stats=stats(download, now=minute, tracking_since=start),
        ),
        product(
            EBOOK,
            3,
            "👩🏽‍🍳 Kochen ohne Topf 🫖 Ein Roman (nicht zu kaufen) 🇩🇪",
            ebook,
            productType=2,
            listedSince=0,
            trackingSince=start,
            salesRanks=None,
            stats=stats(ebook, now=minute, tracking_since=start),
        ),
        product(
            PARENT,
            3,
            "Kettle Lids, All Colours",
            csv_of(36),
            productType=5,
            trackingSince=-1,
            lastPriceChange=0,
            categoryTree=None,
            rootCategory=0,
            salesRanks=None,
            variationCSV=f"{TWICE},{CUT}",
            stats=stats(csv_of(36), now=minute, tracking_since=start),
        ),
        at_ms=NOW_MS + 2 * 60_000,
        consumed=3,
    )


def before_and_after(now: int) -> dict[str, Flat | None]:
    start = NOW - 600 * DAY
    later = [NOW + 700, 3299, NOW + 900, 3099] if now > NOW + 900 else []
    return {
        "_0": [start, 2799, start + 9_000, 3499],  # the last change is long before any window of 90 days
        "_1": [*pairs(91, start, NOW - 2_000, 50, 3000, 3900), *later],
        "_3": pairs(92, start, NOW - 60, 60, 900, 7_000),
        "_11": pairs(93, start, NOW - 99, 30, 1, 12),
        "_18": triples(94, start, NOW - 1_900, 40, 2900, 3800, gap_every=6),
    }


def with_ranks(csv: list[Flat | None], **fields: object) -> Json:
    start = NOW - 600 * DAY
    return product(
        CUT,
        2,
        "Kettle Lid, Blue",
        csv,
        trackingSince=start,
        salesRankReference=CATEGORY,
        salesRanks={str(CATEGORY): csv[3]},
        **fields,
    )


def whole_before_90_days() -> Json:
    csv = csv_of(36, **before_and_after(NOW))
    figures = stats(csv, now=NOW + 3, tracking_since=NOW - 600 * DAY)
    return envelope(with_ranks(csv, stats=figures), at_ms=NOW_MS + 3 * 60_000)


def only_90_days() -> Json:
    """A day later with `days=90`: every history begins at the point before the window; the figures are of all time."""
    later = NOW + DAY
    whole = csv_of(36, **before_and_after(later))
    cut = [flat and since(flat, 3 if index == 18 else 2, later - 90 * DAY) for index, flat in enumerate(whole)]
    return envelope(
        with_ranks(cut, lastUpdate=later - 14, stats=stats(whole, now=later, tracking_since=NOW - 600 * DAY)),
        at_ms=(later + KEEPA_EPOCH) * 60_000 + 3_001,
    )
