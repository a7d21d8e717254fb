"""Decodes ScraperAPI's responses, as Airbyte lands them, into the table of `tables.py`.

Here: the decoder. Not here: what a valid row is (`tables.py`, `enforce.py`), and duplicates (`collected.py`).

A record is one page, and one row or one rejection: a page with a field that cannot be read has no row. `records_in`
counts lines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from vp_pipeline.sources.collected import Collected
from vp_pipeline.sources.envelope import Unreadable, opened
from vp_pipeline.sources.landed import Decoded, LandedLine
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES, Marketplace
from vp_pipeline.sources.scraperapi.tables import PRODUCT_PAGE

_QUOTED = 60  # characters of a text, in a reason


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one product. `requested`: the product, as the settings name it. `snapshot_at`: when the sync got it
    (UTC, without a zone). `body`: the response, with what the connector has added."""

    requested: str
    snapshot_at: datetime
    body: Mapping[str, Any]

    @property
    def asin(self) -> str | None:
        """The product that the page itself is of; None: it names none."""
        details = self.body.get("product_information")
        found = details.get("asin") if isinstance(details, dict) else None
        return found if isinstance(found, str) and found else None

    @property
    def is_of_request(self) -> bool:
        """Whether it is the product's that was requested, as far as it names one."""
        return self.asin in (None, self.requested.partition(":")[2])


def decode(lines: Iterable[LandedLine], not_before: datetime | None = None) -> dict[str, Decoded]:
    """Decode a partition. The table is in the result whether it has rows or not.

    `not_before`: a page that was got before (UTC) is not of the day, and rejected; None: it may be of any.

    The order of the lines does not matter. Repeated records count as duplicates; of records with the same natural key
    and different values the later one stays, and the others are rejected. Raises nothing for bad data.
    """
    pages = Collected(PRODUCT_PAGE)
    for line in lines:
        page = read_page(line)
        if isinstance(page, Unreadable):
            pages.add_line(page, line)
            continue
        row, problems = _row(page, not_before)
        pages.add(line, page.snapshot_at, row, page.body, problems, entity=page.requested)
    return {PRODUCT_PAGE.name: pages.assemble()}


def read_page(line: LandedLine) -> Page | Unreadable:
    """Opens the envelope of a line."""
    record = opened(line)
    if isinstance(record, Unreadable):
        return record
    requested = record.data.get("requested")
    if not isinstance(requested, str) or requested.partition(":")[0] not in MARKETPLACES:
        return Unreadable("the record does not name the product that was requested", record.data)
    return Page(requested, record.extracted_at, record.data)


def _row(page: Page, not_before: datetime | None) -> tuple[dict[str, Any], list[str]]:
    country, _, asin = page.requested.partition(":")
    fields = _Fields(page.body, MARKETPLACES[country])
    if not page.is_of_request:
        fields.problems.append(f"the page is of {page.asin}, and not of the product requested")
    if not_before is not None and page.snapshot_at < not_before.replace(tzinfo=None):
        fields.problems.append(f"it was got at {page.snapshot_at:%Y-%m-%d %H:%M}, before the day was over")
    title = fields.text("name")
    if title is None:
        fields.problems.append("name is missing: this is not the page of a product")
    price, list_price = fields.price("pricing"), fields.price("list_price")
    row = {
        "country": country,
        "asin": asin,
        "snapshot_at": page.snapshot_at,
        "title": title,
        "brand": fields.text("brand"),
        "seller": fields.text("sold_by"),
        "ships_from": fields.text("ships_from"),
        "availability": fields.text("availability_status"),
        "currency": None if price is None and list_price is None else MARKETPLACES[country].currency,
        "price": price,
        "list_price": list_price,
        "rating": fields.stars("average_rating"),
        "reviews": fields.count("total_reviews"),
    }
    return row, fields.problems


@dataclass
class _Fields:
    """Reads a page's fields by name; what is missing, null or an empty text is None. `problems`: one per value that
    cannot be read."""

    body: Mapping[str, Any]
    marketplace: Marketplace
    problems: list[str] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is None or isinstance(value, str):
            return (value or "").strip() or None
        self._wrong(name, "a text")
        return None

    def price(self, name: str) -> Decimal | None:
        text = self.text(name)
        if text is None:
            return None
        found = self.marketplace.price(text)
        if found is None:
            self._wrong(name, f"one price as amazon.{self.marketplace.tld} writes it ({self.marketplace.example})")
        return found

    def stars(self, name: str) -> Decimal | None:
        value = self.body.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            exact = Decimal(repr(value))
            if abs(exact) < 10 and exact == round(exact, 2):
                return round(exact, 2)
        self._wrong(name, "a number of stars with at most two digits after the point")
        return None

    def count(self, name: str) -> int | None:
        value = self.body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
        if value is not None:
            self._wrong(name, "a whole number")
        return None

    def _wrong(self, name: str, expected: str) -> None:
        shown = repr(self.body.get(name))
        shown = shown if len(shown) <= _QUOTED else f"{shown[:_QUOTED]}…"
        self.problems.append(f"{name} is {shown}, and not {expected}")
