"""A product of a response: its header, its row of `product`, and its parts.

Here: which products are decoded at all, and the fields of the `product` table. Not here: how a field is read
(`fields.py`), and the other parts.

A missing `productType` is null, and no reason to reject a product that is sound otherwise.
"""

import re
from collections.abc import Iterator
from typing import Any

from vp_pipeline.sources.keepa.decoding.lines import Response
from vp_pipeline.sources.keepa.decoding.numbers import (
    JsonObject,
    as_list,
    is_int,
    is_list,
    is_object,
    kind,
    not_an_integer,
)
from vp_pipeline.sources.keepa.decoding.parts.fields import (
    NO_CATEGORY,
    Field,
    add_row,
    category,
    flag,
    integer,
    minute,
    read_row,
    size,
    text,
)
from vp_pipeline.sources.keepa.decoding.parts.histories import read_histories
from vp_pipeline.sources.keepa.decoding.parts.lists import read_lists
from vp_pipeline.sources.keepa.decoding.parts.states import read_state
from vp_pipeline.sources.keepa.decoding.parts.stats import read_stats
from vp_pipeline.sources.keepa.decoding.parts.text_histories import read_text_histories
from vp_pipeline.sources.keepa.decoding.pieces import Origin, Pieces
from vp_pipeline.sources.keepa.series import DOMAINS, NOT_A_PRODUCT

_ASIN = re.compile(r"[A-Z0-9]{10}", re.ASCII)
_LAST_PRODUCT_TYPE = 5


def read_product(response: Response, position: int, pieces: Pieces) -> None:
    """Split one element of `products` into pieces."""
    product: Any = response.products[position]
    pieces.records_in["product"] += 1
    reason = _header_problem(product) or _of_another_request(product, response.requested)
    asin = product.get("asin") if is_object(product) else None
    domain = product.get("domainId") if is_object(product) else None
    origin = Origin(
        response.extracted_us,
        response.line.object,
        response.line.line,
        position,
        asin if isinstance(asin, str) and _ASIN.fullmatch(asin) else "",
        domain if is_int(domain) else 0,
        response.snapshot_us,
    )
    if reason:
        pieces.reject("product", origin, reason, product)
        return
    _read_row(product, origin, pieces)
    read_histories(product, origin, response.flat, pieces)
    read_stats(product.get("stats"), origin, response.flat, pieces)
    read_state(product, origin, pieces)
    read_lists(product, origin, pieces)
    read_text_histories(product, origin, pieces)


def _header_problem(product: Any) -> str | None:
    """Why a product is rejected as a whole; None: it is not."""
    if not is_object(product):
        return f"product is not an object but {kind(product)}"
    return next(_header_problems(product), None)


def _of_another_request(product: JsonObject, requested: tuple[str, ...]) -> str | None:
    found = f"{product.get('domainId')}:{product.get('asin')}"
    if not requested or found in requested:
        return None
    if len(requested) == 1:
        return f"{requested[0]} was requested, and the response has {found}"
    return f"{len(requested)} products were requested, and the response has {found}, which is none of them"


def _header_problems(product: JsonObject) -> Iterator[str]:
    product_type = product.get("productType")
    # First of all: nothing else in such a product has a meaning.
    if is_int(product_type) and product_type in NOT_A_PRODUCT:
        yield f"productType is {product_type}: {NOT_A_PRODUCT[product_type]}"
    if product_type is not None and not is_int(product_type):
        yield f"productType {not_an_integer(product_type)}"
    if is_int(product_type) and not 0 <= product_type <= _LAST_PRODUCT_TYPE:
        yield f"productType is {product_type}: 0 to {_LAST_PRODUCT_TYPE} are allowed"
    asin = product.get("asin")
    if not isinstance(asin, str):
        yield f"asin is not a text but {kind(asin)}"
    elif not _ASIN.fullmatch(asin):
        yield f"asin is {asin[:40]!r}: ten of A-Z and 0-9 are allowed"
    domain = product.get("domainId")
    if not is_int(domain):
        yield f"domainId {not_an_integer(domain)}"
    elif domain not in DOMAINS:
        yield f"domainId is {domain}: Keepa knows {', '.join(map(str, DOMAINS))}"
    csv = product.get("csv")
    if csv is not None and not is_list(csv):
        yield f"csv is not a list but {kind(csv)}"


def _read_row(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    row = read_row("product", product, _FIELDS, origin, pieces)
    add_row("product", (*row[:-1], *(row[-1] or (None, None))), origin, pieces)


def _category_tree(value: Any) -> tuple[int | None, str] | None:
    """The deepest category's id, and all names from the root on."""
    if not is_list(value):
        raise ValueError(f"is not a list but {kind(value)}")
    tree = as_list(value)
    for node in tree:
        if not (isinstance(node, dict) and isinstance(node.get("name"), str)):
            raise ValueError("is a list with an entry that is not {catId, name}")
        _whole_category(node.get("catId"))
    return (category(tree[-1]["catId"]), " > ".join(node["name"] for node in tree)) if tree else None


def _whole_category(value: Any) -> None:
    if value != NO_CATEGORY and not is_int(value):
        raise ValueError("is a list with a catId that is not an integer")


# The tree, which is two columns, comes last.
_FIELDS: tuple[Field, ...] = (
    Field("productType", "product_type", integer),
    Field("title", "title", text),
    Field("brand", "brand", text),
    Field("manufacturer", "manufacturer", text),
    Field("model", "model", text),
    Field("color", "color", text),
    Field("size", "size", text),
    Field("productGroup", "product_group", text),
    Field("parentAsin", "parent_asin", text),
    Field("rootCategory", "root_category_id", category),
    Field("salesRankReference", "sales_rank_category_id", category),
    Field("trackingSince", "tracking_since", minute),
    Field("listedSince", "listed_since", minute),
    Field("lastUpdate", "last_update", minute),
    Field("lastPriceChange", "last_price_change", minute),
    Field("packageWeight", "package_weight", size),
    Field("packageLength", "package_length", size),
    Field("packageWidth", "package_width", size),
    Field("packageHeight", "package_height", size),
    Field("isAdultProduct", "is_adult_product", flag),
    Field("categoryTree", "category_id", _category_tree),
)
# The columns of an interned row, in order.
PRODUCT_FIELDS = (*(field.column for field in _FIELDS), "category_path")
