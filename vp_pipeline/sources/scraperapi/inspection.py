"""Counts over ScraperAPI's responses as they landed: of which products they are, and which fields nobody knows.

Here: names of fields. Not here: values, and why a line is not a page (`decode.py`).
"""

from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable, inspected
from vp_pipeline.sources.landed import Inspection, LandedLine, Received
from vp_pipeline.sources.scraperapi.decode import read_page

# What ScraperAPI's documents and published examples have, and what the connector adds.
_FIELDS = frozenset(
    """
    name product_information brand brand_url full_description pricing list_price price price_string price_currency
    shipping_price shipping_time shipping_condition shipping_details_url availability_status availability_quantity
    is_coupon_exists coupon_text images product_category average_rating small_description feature_bullets total_reviews
    total_answered_questions model customization_options seller_id seller_name fulfilled_by_amazon fast_track_message
    aplus_present ships_from sold_by reviews high_res_images videos requested
    """.split()  # noqa: SIM905  names in quotes would be unreadable
)


def inspect(lines: Iterable[LandedLine]) -> Inspection:
    """How many pages there are, and changed ones; unknown fields; and of which product each page is."""
    return inspected(lines, _read)


def _read(line: LandedLine) -> tuple[Received, Iterable[str]] | Unreadable:
    page = read_page(line)
    if isinstance(page, Unreadable):
        return page
    country = page.requested.partition(":")[0]
    entity = page.requested if page.is_of_request else f"{country}:{page.asin}"
    return Received(entity, page.requested, page.snapshot_at.replace(tzinfo=UTC)), page.body.keys() - _FIELDS
