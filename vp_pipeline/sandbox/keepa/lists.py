"""What a response lists of a product: identifiers, images, variations, and what is bought with it.

Here: lists that follow from the catalogue and the seed. Not here: what changes with time (`product_object.py`).
"""

from vp_pipeline.sandbox.keepa.generated.catalogue import CATALOGUE, CatalogueEntry
from vp_pipeline.sandbox.keepa.generated.draws import Draws
from vp_pipeline.sandbox.keepa.generated.histories import ProductHistories

Json = dict[str, object]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# A sibling that is in no response but those of its family.
_SIBLING_COLOR = "Clay"


def lists(seed: int, generated: ProductHistories, parent: str | None) -> Json:
    """The lists of a product; of the family, while it has a parent."""
    entry = generated.entry
    draws = Draws(seed, entry.domain, entry.asin, "lists")
    number = _ean(Draws(seed, entry.asin, "ean"))
    return {
        "eanList": None if entry.sparse else [number],
        "upcList": [number[1:]] if entry.domain == 1 and not entry.sparse else None,
        "partNumber": f"{entry.brand[:3].upper()}-{entry.asin[-4:]}",
        "images": [_image(draws.named("image", k), entry.sparse) for k in range(1 if entry.sparse else 4)],
        "variations": None if parent is None else _family(entry),
        "frequentlyBoughtTogether": _bought_with(entry),
    }


def _ean(draws: Draws) -> str:
    """An EAN-13 of the numbers that shops use among themselves (02...), with its check digit; the same everywhere."""
    digits = "02" + "".join(str(draws.between(0, 9)) for _ in range(10))
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _image(draws: Draws, only_medium: bool) -> Json:
    large, medium = ("".join(_LETTERS[draws.between(0, 61)] for _ in range(9)) for _ in range(2))
    shown = {"m": f"41{medium}L.jpg", "mH": 500, "mW": 500}
    return shown if only_medium else {"l": f"71{large}L.jpg", "lH": 1500, "lW": 1500, **shown}


def _family(entry: CatalogueEntry) -> list[Json]:
    own = _variation(entry.asin, entry.color, entry.size)
    return [own, _variation(f"{entry.asin[:-2]}C{entry.asin[-1]}", _SIBLING_COLOR, entry.size)]


def _variation(asin: str, color: str | None, size: str | None) -> Json:
    named = {"Color": color, "Size": size}
    attributes = [{"dimension": dimension, "value": value} for dimension, value in named.items() if value]
    return {"asin": asin, "attributes": attributes}


def _bought_with(entry: CatalogueEntry) -> list[str] | None:
    """The next one or two products of the marketplace."""
    others = [each.asin for each in CATALOGUE if each.domain == entry.domain]
    after = others[others.index(entry.asin) + 1 :]
    return None if entry.sparse else after[:2] or None
