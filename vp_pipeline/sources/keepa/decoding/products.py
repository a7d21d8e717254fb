"""A product of a response: its header, its row of `product`, and its parts.

Here: which products are decoded at all, and the fields of the `product` table. Not here: arrays (`histories.py`,
`stats.py`).

What stands for "unknown" in Keepa's responses becomes null: "" in texts; 0 and -1 in sizes, weights, categories and
times (other times below zero are before 2011); the largest 64-bit integer in categories. A missing `productType` is
null too, and no reason to reject a product that is sound otherwise.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from vp_pipeline.sources.keepa.decoding.histories import read_histories
from vp_pipeline.sources.keepa.decoding.lines import LATEST_US, Response
from vp_pipeline.sources.keepa.decoding.numbers import (
    JsonObject,
    as_list,
    is_int,
    is_list,
    is_object,
    kind,
    not_an_integer,
    plain,
)
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces
from vp_pipeline.sources.keepa.decoding.stats import read_stats
from vp_pipeline.sources.keepa.series import DOMAINS, KEEPA_EPOCH_MINUTES, NOT_A_PRODUCT

_ASIN = re.compile(r"[A-Z0-9]{10}", re.ASCII)
_LAST_PRODUCT_TYPE = 5
_NO_CATEGORY = 2**63 - 1
_NOW = np.zeros(1, dtype=np.int64)


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


def _header_problem(product: Any) -> str | None:
    """Why a product is rejected as a whole; None: it is not."""
    if not is_object(product):
        return f"product is not an object but {kind(product)}"
    return next(_header_problems(product), None)


def _of_another_request(product: JsonObject, requested: str) -> str | None:
    found = f"{product.get('domainId')}:{product.get('asin')}"
    return f"{requested} was requested, and the response has {found}" if requested not in ("", found) else None


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


def _read_row(product: Any, origin: Origin, pieces: Pieces) -> None:
    """The product's own row. A field that is not what it should be is null in it, and a rejected piece of its own.

    The row is there all the same: the product's histories, which may be sound, belong to it.
    """
    row: list[Any] = []
    for name, _, read in _FIELDS:
        value = product.get(name)
        try:
            row.append(None if value is None else read(value))
        except ValueError as error:
            row.append(None)
            pieces.reject_whole("product", origin, f"{name} {error}; the product's row has null", {name: plain(value)})
    code = pieces.products.code((*row[:-1], *(row[-1] or (None, None))))
    pieces.blocks["product"].append(Block(origin, (), _NOW, (np.array([code]),)))


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError(f"is not a text but {kind(value)}")
    return value or None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is not a boolean but {kind(value)}")
    return value


def _integer(value: Any) -> int:
    if not is_int(value):
        raise ValueError(not_an_integer(value))
    return value


def _size(value: Any) -> int | None:
    size = _integer(value)
    if size < -1:
        raise ValueError(f"is {size}: at least -1 is allowed")
    return None if size in (0, -1) else size


def _category(value: Any) -> int | None:
    return None if value == _NO_CATEGORY else _size(value)


def _minute(value: Any) -> int | None:
    """A Keepa minute as unix microseconds. Amazon listed products before 2011, where Keepa's minutes are negative."""
    minute = _integer(value)
    moment = (minute + KEEPA_EPOCH_MINUTES) * 60_000_000
    if not 0 <= moment < LATEST_US:
        raise ValueError(f"is {minute}: Keepa minutes from 1970 to 2099 are allowed")
    return None if minute in (0, -1) else moment


def _category_tree(value: Any) -> tuple[int | None, str] | None:
    """The deepest category's id, and all names from the root on."""
    if not is_list(value):
        raise ValueError(f"is not a list but {kind(value)}")
    tree = as_list(value)
    for node in tree:
        if not (isinstance(node, dict) and isinstance(node.get("name"), str)):
            raise ValueError("is a list with an entry that is not {catId, name}")
        _integer_category(node.get("catId"))
    return (_category(tree[-1]["catId"]), " > ".join(node["name"] for node in tree)) if tree else None


def _integer_category(value: Any) -> None:
    if value != _NO_CATEGORY and not is_int(value):
        raise ValueError("is a list with a catId that is not an integer")


# (Keepa's name, our column, how it is read); the tree, which is two columns, comes last.
_FIELDS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("productType", "product_type", _integer),
    ("title", "title", _text),
    ("brand", "brand", _text),
    ("manufacturer", "manufacturer", _text),
    ("model", "model", _text),
    ("color", "color", _text),
    ("size", "size", _text),
    ("productGroup", "product_group", _text),
    ("parentAsin", "parent_asin", _text),
    ("rootCategory", "root_category_id", _category),
    ("salesRankReference", "sales_rank_category_id", _category),
    ("trackingSince", "tracking_since", _minute),
    ("listedSince", "listed_since", _minute),
    ("lastUpdate", "last_update", _minute),
    ("lastPriceChange", "last_price_change", _minute),
    ("packageWeight", "package_weight", _size),
    ("packageLength", "package_length", _size),
    ("packageWidth", "package_width", _size),
    ("packageHeight", "package_height", _size),
    ("isAdultProduct", "is_adult_product", _flag),
    ("categoryTree", "category_id", _category_tree),
)
# The columns of an interned row, in order.
PRODUCT_FIELDS = (*(column for _, column, _ in _FIELDS), "category_path")
