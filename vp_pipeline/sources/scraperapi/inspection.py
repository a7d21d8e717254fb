"""Counts over ScraperAPI's responses as they landed: of which products they are, and which fields nobody knows.

Here: names of fields. Not here: values, and why a line is not a page (`decode.py`).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC

from vp_pipeline.sources.envelope import Unreadable
from vp_pipeline.sources.landed import ALTERED, Inspection, LandedLine, Received
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
    """How many records there are, and changed ones; unknown fields; and of which product each page is.

    A line that is not a page counts as a record and nothing else; the decoder reports what is wrong with it.
    """
    records = altered = 0
    unknown: Counter[str] = Counter()
    received: list[Received] = []
    for line in lines:
        records += 1
        page = read_page(line)
        if isinstance(page, Unreadable):
            altered += page.reason.startswith(ALTERED)
            continue
        unknown.update(page.body.keys() - _FIELDS)
        country = page.requested.partition(":")[0]
        entity = page.requested if page.is_of_request else f"{country}:{page.asin}"
        received.append(Received(entity, page.requested, page.snapshot_at.replace(tzinfo=UTC)))
    return Inspection(records, altered, dict(unknown), {}, tuple(received))
