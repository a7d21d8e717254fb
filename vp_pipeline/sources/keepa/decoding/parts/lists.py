"""What a response lists of a product: identifiers, images, variations, and what is bought with it.

Here: how an element of a list becomes a row. Not here: ranges (`tables/lists.py`).

An element that is not what it should be is rejected alone, and one that its list has before is a duplicate.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from vp_pipeline.sources.keepa.decoding.numbers import JsonObject, as_list, is_list, kind, plain
from vp_pipeline.sources.keepa.decoding.parts.fields import size, text
from vp_pipeline.sources.keepa.decoding.pieces import Block, Origin, Pieces

_NUMBERS = {"eanList": "EAN", "upcList": "UPC", "gtinList": "GTIN"}
# EAN-8, UPC-A, EAN-13 and GTIN-14; some sellers leave the leading zeros out.
_DIGITS = re.compile(r"[0-9]{6,14}")
_HERE = np.zeros(1, dtype=np.int64)
# The columns of interned rows, in order.
IMAGE_FIELDS = ("image", "image_width", "image_height", "medium_image", "medium_width", "medium_height")
VARIATION_FIELDS = ("position", "attributes", "image")


def read_lists(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    """Collect the elements of every list of a product."""
    for name, kind_of_number in _NUMBERS.items():
        for position, value in _elements(product.get(name), "identifier", name, origin, pieces):
            _add_identifier(kind_of_number, position, value, name, origin, pieces)
    part_number = product.get("partNumber")
    if part_number not in (None, ""):
        pieces.records_in["identifier"] += 1
        _add_identifier("PART_NUMBER", 1, plain(part_number), "partNumber", origin, pieces)
    _read_images(product, origin, pieces)
    _read_variations(product, origin, pieces)
    name = "frequentlyBoughtTogether"
    for position, other in _elements(product.get(name), "bought_together", name, origin, pieces):
        try:
            _add_once("bought_together", (_required(other),), position, origin, pieces)
        except ValueError as error:
            pieces.reject("bought_together", origin, f"{name} {error}", {name: other})


def _elements(value: Any, table: str, name: str, origin: Origin, pieces: Pieces) -> Iterator[tuple[int, Any]]:
    """(position from 1, element), each counted; a value that is not a list is one rejection."""
    if value is None:
        return
    if not is_list(value):
        pieces.reject_whole(table, origin, f"{name} is not a list but {kind(value)}", {name: plain(value)})
        return
    elements = as_list(value)
    pieces.records_in[table] += len(elements)
    yield from enumerate(elements, start=1)


def _add_identifier(kind_of_number: str, position: int, value: Any, name: str, origin: Origin, pieces: Pieces) -> None:
    try:
        number = _required(value)
        if kind_of_number != "PART_NUMBER" and not _DIGITS.fullmatch(number):
            raise ValueError(f"has {number[:40]!r}: 6 to 14 digits are allowed")
        _add_once("identifier", (kind_of_number, number), position, origin, pieces)
    except ValueError as error:
        pieces.reject("identifier", origin, f"{name} {error}", {name: value})


def _read_images(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    """`images`, or where a response has none of that field the names in `imagesCSV`."""
    name = "images" if product.get("images") is not None else "imagesCSV"
    rows: dict[int, tuple[Any, ...]] = {}
    for position, element in _elements(_or_names(product, "images", "imagesCSV", "l"), "image", name, origin, pieces):
        try:
            rows[position] = _image(element)
        except ValueError as error:
            pieces.reject("image", origin, f"{name} {error}", {name: element})
    if rows:
        at = np.array(list(rows), dtype=np.int64)
        codes = np.array([pieces.interned["image"].code(row) for row in rows.values()], dtype=np.int64)
        pieces.blocks["image"].append(Block(origin, (), at, (codes,)))


def _image(element: Any) -> tuple[Any, ...]:
    """A row of IMAGE_FIELDS: the large image, where there is none the medium one."""
    of = _object(element)
    large, medium = _sized(of, "l"), _sized(of, "m")
    row = (*(large if large[0] else medium), *medium)
    if row[0] is None:
        raise ValueError("has an image without a name")
    return row


def _sized(of: dict[str, Any], letter: str) -> tuple[str | None, int | None, int | None]:
    name, width, height = (of.get(key) for key in (letter, f"{letter}W", f"{letter}H"))
    return (
        None if name is None else text(name),
        None if width is None else size(width),
        None if height is None else size(height),
    )


def _read_variations(product: JsonObject, origin: Origin, pieces: Pieces) -> None:
    """`variations`, or where a response has none of that field the numbers in `variationCSV`."""
    name = "variations" if product.get("variations") is not None else "variationCSV"
    elements = _or_names(product, "variations", "variationCSV", "asin")
    found: dict[str, Any] = {}
    for position, element in _elements(elements, "variation", name, origin, pieces):
        try:
            asin, row = _variation(position, element)
            if asin in found and found[asin] != element:
                raise ValueError(f"has {asin} twice, with different attributes")
        except ValueError as error:
            pieces.reject("variation", origin, f"{name} {error}", {name: element})
            continue
        if asin in found:
            pieces.repeated["variation"] += 1
            continue
        found[asin] = element
        code = pieces.interned["variation"].code(row)
        pieces.blocks["variation"].append(Block(origin, (asin,), _HERE, (np.array([code], dtype=np.int64),)))


def _variation(position: int, element: Any) -> tuple[str, tuple[Any, ...]]:
    """Its ASIN, and a row of VARIATION_FIELDS."""
    of = _object(element)
    attributes: dict[str, str] = {}
    listed = of.get("attributes")
    if not (listed is None or isinstance(listed, list)):
        raise ValueError(f"has attributes that are not a list but {kind(listed)}")
    for attribute in listed or []:
        pair = _object(attribute)
        dimension, value = _required(pair.get("dimension")), _required(pair.get("value"))
        if dimension in attributes:
            raise ValueError(f"has the dimension {dimension[:40]!r} twice")
        attributes[dimension] = value
    image = of.get("image")
    shown = json.dumps(attributes, ensure_ascii=False) if attributes else None
    return _required(of.get("asin")), (position, shown, None if image is None else text(image))


def _or_names(product: JsonObject, objects: str, names: str, key: str) -> Any:
    """The list of objects; without it the names that a text has, separated by commas, as such objects."""
    value = product.get(objects)
    if value is not None:
        return value
    joined = product.get(names)
    if not isinstance(joined, str):
        return joined
    return [{key: name} for name in joined.split(",")] if joined else None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"has an element that is not an object but {kind(value)}")
    return value


def _add_once(table: str, key: tuple[str, ...], position: int, origin: Origin, pieces: Pieces) -> None:
    """Collect an element whose key is all that distinguishes it, unless its own list has it before."""
    for block in reversed(pieces.blocks[table]):
        if block.origin != origin:
            break
        if block.key == key:
            pieces.repeated[table] += 1
            return
    pieces.blocks[table].append(Block(origin, key, _HERE, (np.array([position], dtype=np.int64),)))


def _required(value: Any) -> str:
    found = text(value)
    if found is None:
        raise ValueError("has an empty text")
    return found
