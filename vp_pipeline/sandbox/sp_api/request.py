"""The query of a request for orders, of either API version.

Here: parsing and checking it. Not here: the response (`api.py`).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MOST_PER_PAGE = 100
_INCLUDED = (
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX",
    "PAYMENT", "FULFILLMENT_ORDERS",
)  # fmt: skip
# How long before the present the end of a window must be.
_DELAY = timedelta(minutes=2)


class Rejected(Exception):
    """A request that Amazon would reject: the HTTP status, and the fields of its error."""

    def __init__(self, message: str, status: int = 400, kind: str = "InvalidInput", details: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.details = status, kind, details


@dataclass(frozen=True)
class OrdersRequest:
    """A checked request. Moments are UTC without a zone; `by_update`: the window is of last updates, not of purchases.
    `offset`: how many orders were on earlier pages."""

    marketplaces: tuple[str, ...]
    first: datetime
    last: datetime
    by_update: bool
    included: frozenset[str]
    per_page: int
    offset: int


def parse(query: Mapping[str, str], now: datetime, *, newest: bool, of_the_present: bool) -> OrdersRequest:
    """Parses the query of `searchOrders` (`newest`) or `getOrders`. `of_the_present`: `now` is the real present, so
    that the end of the window must be past.

    Raises:
        Rejected: the message names the parameter.
    """
    case = str if newest else _v0_name
    updated, created = query.get(case("lastUpdatedAfter")), query.get(case("createdAfter"))
    if (updated is None) == (created is None):
        raise Rejected(f"Exactly one of {case('createdAfter')} and {case('lastUpdatedAfter')} must be provided.")
    kind = "lastUpdated" if updated is not None else "created"
    first = _moment(case(f"{kind}After"), updated or created or "")
    before = query.get(case(f"{kind}Before"))
    last = now if before is None else _moment(case(f"{kind}Before"), before)
    if last < first:
        raise Rejected(f"{case(f'{kind}Before')} must be equal to or after {case(f'{kind}After')}.")
    if before is not None and of_the_present and last > now - _DELAY:
        raise Rejected(f"{case(f'{kind}Before')} must be at least two minutes before the time of the request.")
    marketplaces = tuple(part for part in query.get(case("marketplaceIds"), "").split(",") if part)
    if not (marketplaces or newest) or len(marketplaces) > 50:
        raise Rejected(f"{case('marketplaceIds')} must have 1 to 50 IDs.")
    included = frozenset(part for part in query.get("includedData", "").split(",") if part)
    if not included <= set(_INCLUDED):
        raise Rejected(f"includedData takes {', '.join(_INCLUDED)}.")
    return OrdersRequest(
        marketplaces=marketplaces,
        first=first,
        last=last,
        by_update=updated is not None,
        included=included,
        per_page=_per_page(case("maxResultsPerPage"), query.get(case("maxResultsPerPage"), f"{MOST_PER_PAGE}")),
        offset=_offset(query.get("paginationToken" if newest else "NextToken")),
    )


def page_token(offset: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"page from {offset}".encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        found = re.fullmatch(r"page from ([0-9]{1,9})", base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, ValueError):
        found = None
    if found is None:
        raise Rejected("The page token is invalid.")
    return int(found[1])


def _per_page(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST_PER_PAGE:
        raise Rejected(f"{name} must be between 1 and {MOST_PER_PAGE}.")
    return int(text)


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{name} must be in ISO 8601 format.") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None)


def _v0_name(name: str) -> str:
    """`lastUpdatedAfter` is `LastUpdatedAfter` in v0."""
    return name[0].upper() + name[1:]
