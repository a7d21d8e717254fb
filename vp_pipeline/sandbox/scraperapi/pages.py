"""Generated product pages, as ScraperAPI's structured data have them.

Here: how the sandbox's one world (`../world.py`) looks on a page of each marketplace. Not here: the API.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vp_pipeline.sandbox.world import Product, offer_at, products
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES

PRODUCTS: dict[tuple[str, str], Product] = {(p.country, p.asin): p for p in products()}
_AVAILABLE = {"DE": "Auf Lager", "JP": "在庫あり。"}
_UNAVAILABLE = {"DE": "Derzeit nicht verfügbar.", "JP": "現在在庫切れです。"}
_FIRST_DAY = datetime(2024, 1, 1)


def page(seed: int, product: Product, now: datetime) -> dict[str, Any]:
    """The page of a product at a moment (UTC). One that is not offered shows no price and no seller."""
    country = product.country
    offer = offer_at(seed, product, now)
    days = max(0, (now.replace(tzinfo=None) - _FIRST_DAY).days)
    reviews = 40 + days * (1 + len(product.title) % 3)
    rating = round(3.9 + (sum(map(ord, product.asin)) % 11) / 10, 1)
    found: dict[str, Any] = {
        "name": product.title,
        "product_information": {
            "asin": product.asin,
            "customer_reviews": {"ratings_count": reviews, "stars": rating},
        },
        "brand": f"Brand: {product.title.split()[0].strip(',')}",
        "full_description": product.title,
        "availability_status": _UNAVAILABLE.get(country, "Currently unavailable."),
        "is_coupon_exists": False,
        "images": [],
        "feature_bullets": [],
        "average_rating": rating,
        "total_reviews": reviews,
        "aplus_present": False,
    }
    if offer is None:
        return found
    found |= {"pricing": written(country, offer.price), "availability_status": _AVAILABLE.get(country, "In Stock")}
    if offer.price < product.usual_price:
        found["list_price"] = written(country, product.usual_price)
    return {**found, "ships_from": f"Amazon.{MARKETPLACES[country].tld}", "sold_by": "Example Trading"}


def written(country: str, amount: Decimal) -> str:
    """A price as the page of a marketplace writes it."""
    marketplace = MARKETPLACES[country]
    text = f"{amount:,.{marketplace.digits}f}"
    text = text.translate(str.maketrans(",.", marketplace.groups[0] + marketplace.point))
    # What a page puts between the amount and a sign that comes after it is a no-break space.
    return f"{marketplace.signs[0]}{text}" if marketplace.sign_is_first else f"{text}\u00a0{marketplace.signs[0]}"


def moment(milliseconds: int) -> datetime:
    """A moment in ms since 1970 (UTC)."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
