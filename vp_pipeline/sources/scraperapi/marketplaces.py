"""Amazon's marketplaces as ScraperAPI names them, and how the page of each writes a price.

Here: constants, and reading a price as strictly as it is written. A page has no other form in its own language: what
differs (a range, another currency, a page in another language) is no price of it, and nobody guesses which one it is.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

# The spaces of a price on a page: the plain one, the no-break one, the narrow one, the thin one.
_SPACES = re.compile("[ \u00a0\u202f\u2009]+")

# Before the point: nothing costs a billion, and the contract has no room for it.
_MOST_DIGITS = 9


@dataclass(frozen=True)
class Marketplace:
    """One marketplace. `country`: ISO 3166. `tld`: its address is `amazon.<tld>`. `currency`: ISO 4217. `signs`: how a
    page may write that. `point`: before the `digits` of the smallest unit. `groups`: what may be between the
    thousands. `thousands`: digits between two groups, as a regular expression. `example`: a price."""

    country: str
    tld: str
    currency: str
    signs: tuple[str, ...]
    example: str
    point: str = "."
    groups: str = ","
    digits: int = 2
    sign_is_first: bool = True
    thousands: str = r"\d{3}"

    def price(self, text: str) -> Decimal | None:
        """The amount of a price as the page writes it; None: it is not one price of this marketplace."""
        found = self._price.fullmatch(_SPACES.sub(" ", text).strip())
        whole = re.sub(r"\D", "", found["whole"]) if found is not None else ""
        if found is None or len(whole) > _MOST_DIGITS:
            return None
        return Decimal(f"{whole}.{found['part']}" if self.digits else whole)

    @cached_property
    def _price(self) -> re.Pattern[str]:
        group = f"[{re.escape(self.groups)}]"
        whole = rf"(?P<whole>\d{{1,3}}(?:{group}{self.thousands})*{group}\d{{3}}|\d{{1,9}})"
        amount = whole + (rf"{re.escape(self.point)}(?P<part>\d{{{self.digits}}})" if self.digits else "")
        sign = f"(?:{'|'.join(map(re.escape, self.signs))})"
        form = f"{sign} ?{amount}" if self.sign_is_first else f"{amount} ?{sign}"
        return re.compile(form, re.ASCII)  # no digits of other scripts


MARKETPLACES: dict[str, Marketplace] = {
    m.country: m
    for m in (
        Marketplace("US", "com", "USD", ("$",), "$1,299.99"),
        Marketplace("GB", "co.uk", "GBP", ("£",), "£1,299.99"),
        Marketplace("DE", "de", "EUR", ("€",), "1.299,99 €", ",", ". ", sign_is_first=False),
        Marketplace("FR", "fr", "EUR", ("€",), "1 299,99 €", ",", " .", sign_is_first=False),
        Marketplace("IT", "it", "EUR", ("€",), "1.299,99 €", ",", ". ", sign_is_first=False),
        Marketplace("ES", "es", "EUR", ("€",), "1.299,99 €", ",", ". ", sign_is_first=False),
        Marketplace("JP", "co.jp", "JPY", ("￥", "¥"), "￥1,299", digits=0),
        Marketplace("CA", "ca", "CAD", ("$",), "$1,299.99"),
        Marketplace("IN", "in", "INR", ("₹",), "₹1,29,999.00", thousands=r"\d{2,3}"),
        Marketplace("MX", "com.mx", "MXN", ("$",), "$1,299.99"),
        Marketplace("BR", "com.br", "BRL", ("R$",), "R$ 1.299,99", ",", "."),
    )
}
