"""The table that ScraperAPI's responses are decoded into: its contract."""

from datetime import datetime
from decimal import Decimal

from vp_pipeline.sources.contract import INT, TEXT, TIMESTAMP, Column, Table, Type
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES

MONEY = Type.decimal(12, 2)
RATING = Type.decimal(3, 2)
ASIN = "[A-Z0-9]{10}"
_CURRENCIES = tuple(sorted({m.currency for m in MARKETPLACES.values()}))
_ABSENT = "null: the page has none"
_PAGE = "Amazon's pages"


def _text(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, TEXT, description, nullable=nullable, at_least=1, at_most=5000, range_source=_PAGE)


def _money(name: str, description: str) -> Column:
    most = Decimal("999999999.99")
    return Column(name, MONEY, description, nullable=True, at_least=0, at_most=most, range_source="marketplaces.py")


PRODUCT_PAGE = Table(
    source="scraperapi",
    stream="product_page",
    name="product_page",
    description="What an Amazon product page showed when it was requested.",
    grain="one row per product and response",
    natural_key=("country", "asin", "snapshot_at"),
    columns=(
        Column(
            "country",
            TEXT,
            "The marketplace's country, ISO 3166.",
            one_of=tuple(MARKETPLACES),
            range_source="marketplaces.py",
        ),
        Column("asin", TEXT, "Amazon's product number.", matches=ASIN, range_source="settings.py"),
        Column(
            "snapshot_at",
            TIMESTAMP,
            "When the sync got the page: ScraperAPI names no moment.",
            unit="UTC",
            at_least=datetime(2020, 1, 1),
            at_most=datetime(2099, 12, 31, 23, 59, 59, 999999),
            range_source="ScraperAPI's structured data are newer than 2020",
        ),
        _text("title", "The product's name on the page.", nullable=False),
        _text("brand", f"The line below the title, such as `Visit the Speedo Store`; {_ABSENT}."),
        _text("seller", f"Who sells the featured offer; {_ABSENT}."),
        _text("ships_from", f"Who ships the featured offer; {_ABSENT}."),
        _text("availability", f"In the page's language, such as `In Stock`; {_ABSENT}."),
        Column(
            "currency",
            TEXT,
            "ISO 4217 code of every amount of the row; null: it has none.",
            nullable=True,
            one_of=_CURRENCIES,
            range_source="marketplaces.py",
        ),
        _money("price", "The featured offer's price; null: the page shows none, as where nobody offers it."),
        _money("list_price", f"The price that is struck through; {_ABSENT}."),
        Column(
            "rating",
            RATING,
            f"Average of all ratings, in stars; {_ABSENT}.",
            nullable=True,
            at_least=0,
            at_most=5,
            range_source="Amazon's five stars",
        ),
        Column(
            "reviews",
            INT,
            f"How many ratings there are; {_ABSENT}.",
            nullable=True,
            at_least=0,
            at_most=1_000_000_000,
            range_source=_PAGE,
        ),
    ),
)
TABLES = (PRODUCT_PAGE,)
