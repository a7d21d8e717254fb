"""The products that the sandbox knows.

Here: what does not change of a product (names, category, size, which histories it has). Not here: how its prices
move (`market.py`).

The set is small on purpose, and each of Keepa's peculiarities is in it once: responses with 34 and with 36
histories, whole yen, one ASIN in two marketplaces, a variation child, a product that was listed only lately,
one that ranks in its categories and yet has no SALES history, one with hardly any history at all.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CatalogueEntry:
    """One product in one marketplace.

    `price` is its usual price in minor units; `rank` its usual sales rank; `tracked_from` the first day
    (YYYY-MM-DD) that Keepa tracked it, empty: some day in 2023 or 2024.
    """

    domain: int
    asin: str
    title: str
    brand: str
    group: str
    root: tuple[int, str]
    leaf: tuple[int, str]
    price: int
    rank: int
    slots: int = 36
    amazon: bool = True
    used: bool = False
    sparse: bool = False
    sales_empty: bool = False
    tracked_from: str = ""
    parent: str | None = None
    color: str | None = None
    size: str | None = None


_KITCHEN, _KETTLES = (1055398, "Home & Kitchen"), (289753, "Kettles & Tea Machines")
_TOOLS, _FILTERS = (228013, "Tools & Home Improvement"), (3741121, "Water Filters")
_SPORTS, _BOTTLES = (3375251, "Sports & Outdoors"), (3395091, "Water Bottles")
_BEAUTY, _SERUMS = (3760911, "Beauty & Personal Care"), (7792528011, "Serums")

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(1, "B0SBXUSA01", "Glass Electric Kettle, 1.7 L", "Hearthline", "Kitchen", _KITCHEN, _KETTLES,
         3999, 1_800, color="Clear", size="1.7 L"),
    CatalogueEntry(1, "B0SBXUSA02", "Steel Water Bottle, Moss, 750 ml", "Fernway", "Sports", _SPORTS, _BOTTLES,
         2499, 9_500, amazon=False, parent="B0SBXUSAPA", color="Moss", size="750 ml"),
    CatalogueEntry(1, "B0SBXUSA03", "Water Filter Replacement, 4 Pack", "Clearbrook", "Home Improvement", _TOOLS,
         _FILTERS, 5999, 620, slots=34, used=True, size="4 Pack"),
    CatalogueEntry(1, "B0SBXUSA04", "Vitamin C Face Serum, 30 ml", "Lumora", "Beauty", _BEAUTY, _SERUMS,
         1899, 240, amazon=False, sales_empty=True, size="30 ml"),
    CatalogueEntry(1, "B0SBXNEW05", "Pour-Over Coffee Set with Scale", "Hearthline", "Kitchen", _KITCHEN, _KETTLES,
         5450, 48_000, amazon=False, tracked_from="2026-08-24"),
    CatalogueEntry(1, "B0SBXTWO06", "Insulated Travel Mug, 350 ml", "Fernway", "Kitchen", _KITCHEN, _KETTLES,
         2195, 3_100, used=True, color="Slate", size="350 ml"),
    CatalogueEntry(2, "B0SBXGBR07", "Cordless Kettle 1.5 L, 3 kW", "Hearthline", "Kitchen & Home",
         (11052681, "Home & Kitchen"), (3538310031, "Kettles"), 3499, 2_700, color="Cream"),
    CatalogueEntry(2, "B0SBXGBR08", "Borosilicate Funnel Set, 4 Pieces", "Quillhouse", "Business & Industrial",
         (5866054031, "Business, Industry & Science"), (5934926031, "Funnels"), 1299, 61_000, slots=34,
         amazon=False, sparse=True, size="4 Pieces"),
    CatalogueEntry(3, "B0SBXTWO06", "Isolierbecher für unterwegs, 350 ml", "Fernway", "Küche",
         (3167641, "Küche, Haushalt & Wohnen"), (3312391, "Thermobecher"), 1995, 1_450, color="Schiefer",
         size="350 ml"),
    CatalogueEntry(3, "B0SBXDEU09", "Fahrradschloss mit Halterung, 120 cm", "Riegelwerk", "Sport",
         (16435051, "Sport & Freizeit"), (189517031, "Kettenschlösser"), 4490, 5_200, used=True,
         size="120 cm"),
    CatalogueEntry(5, "B0SBXJPN10", "電気ケトル 1.0L 自動電源オフ グレー", "山彦電器", "ホーム&キッチン",
         (3828871, "ホーム＆キッチン"), (16245081, "電気ケトル"), 2980, 900, color="グレー", size="1 L"),
    CatalogueEntry(5, "B0SBXJPN11", "ステンレスボトル 480ml", "木洩日", "スポーツ",
         (14304371, "スポーツ＆アウトドア"), (2201158051, "水筒"), 3480, 4_400, slots=34, amazon=False,
         used=True, size="480ml"),
)  # fmt: skip

BY_KEY: dict[tuple[int, str], CatalogueEntry] = {(entry.domain, entry.asin): entry for entry in CATALOGUE}
