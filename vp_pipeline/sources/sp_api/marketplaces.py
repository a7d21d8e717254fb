"""Amazon's marketplaces: the region that serves each, its currency, its time zone, and whether its prices include tax.

Here: constants. Source: Amazon's documents "Marketplace IDs" and "SP-API Endpoints". Prices on the product page include
VAT or GST everywhere but in the United States and Canada, where sales tax is added at checkout.
"""

from dataclasses import dataclass
from typing import Literal

Region = Literal["na", "eu", "fe"]

ENDPOINTS: dict[Region, str] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}


@dataclass(frozen=True)
class Marketplace:
    """One marketplace. `country`: ISO 3166. `currency`: ISO 4217. `time_zone`: of its local days (IANA).
    `includes_tax`: whether the price of an item includes its tax."""

    id: str
    country: str
    region: Region
    currency: str
    time_zone: str
    includes_tax: bool = True


MARKETPLACES: dict[str, Marketplace] = {
    m.id: m
    for m in (
        Marketplace("ATVPDKIKX0DER", "US", "na", "USD", "America/Los_Angeles", includes_tax=False),
        Marketplace("A2EUQ1WTGCTBG2", "CA", "na", "CAD", "America/Toronto", includes_tax=False),
        Marketplace("A1AM78C64UM0Y8", "MX", "na", "MXN", "America/Mexico_City"),
        Marketplace("A2Q3Y263D00KWC", "BR", "na", "BRL", "America/Sao_Paulo"),
        Marketplace("A1F83G8C2ARO7P", "GB", "eu", "GBP", "Europe/London"),
        Marketplace("A28R8C7NBKEWEA", "IE", "eu", "EUR", "Europe/Dublin"),
        Marketplace("A1PA6795UKMFR9", "DE", "eu", "EUR", "Europe/Berlin"),
        Marketplace("A13V1IB3VIYZZH", "FR", "eu", "EUR", "Europe/Paris"),
        Marketplace("APJ6JRA9NG5V4", "IT", "eu", "EUR", "Europe/Rome"),
        Marketplace("A1RKKUPIHCS9HS", "ES", "eu", "EUR", "Europe/Madrid"),
        Marketplace("A1805IZSGTT6HS", "NL", "eu", "EUR", "Europe/Amsterdam"),
        Marketplace("AMEN7PMS3EDWL", "BE", "eu", "EUR", "Europe/Brussels"),
        Marketplace("A2NODRKZP88ZB9", "SE", "eu", "SEK", "Europe/Stockholm"),
        Marketplace("A1C3SOZRARQ6R3", "PL", "eu", "PLN", "Europe/Warsaw"),
        Marketplace("A33AVAJ2PDY3EV", "TR", "eu", "TRY", "Europe/Istanbul"),
        Marketplace("AE08WJ6YKNBMC", "ZA", "eu", "ZAR", "Africa/Johannesburg"),
        Marketplace("ARBP9OOSHTCHU", "EG", "eu", "EGP", "Africa/Cairo"),
        Marketplace("A17E79C6D8DWNP", "SA", "eu", "SAR", "Asia/Riyadh"),
        Marketplace("A2VIGQ35RCS4UG", "AE", "eu", "AED", "Asia/Dubai"),
        Marketplace("A21TJRUUN4KGV", "IN", "eu", "INR", "Asia/Kolkata"),
        Marketplace("A1VC38T7YXB528", "JP", "fe", "JPY", "Asia/Tokyo"),
        Marketplace("A39IBJ37TRP1C6", "AU", "fe", "AUD", "Australia/Sydney"),
        Marketplace("A19VAU5U5O7RUS", "SG", "fe", "SGD", "Asia/Singapore"),
    )
}

BY_COUNTRY: dict[str, Marketplace] = {m.country: m for m in MARKETPLACES.values()}


def of_region(region: Region) -> tuple[str, ...]:
    """The marketplaces that a region serves."""
    return tuple(m.id for m in MARKETPLACES.values() if m.region == region)
