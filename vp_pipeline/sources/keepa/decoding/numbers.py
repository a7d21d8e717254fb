"""JSON values to Python and numpy values.

Here: what a JSON value is, whichever parser read it, and arrays of integers as numpy arrays. Not here: meaning.

A line is read by simdjson, whose objects are views into the parsed text; a line with a number beyond 64 bits, which it
refuses, is read by orjson into dicts and lists. Both kinds pass through the functions below.
"""

from typing import Any, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt
from simdjson import Array, Object

from vp_pipeline.sources.landed import as_record, shorten

Ints = npt.NDArray[np.int64]
JsonObject = Object | dict[str, Any]
JsonList = Array | list[Any]

# Integers beyond this are not exact in JSON, and sums of them could pass 64 bits.
LARGEST = 2**53


class Broken(NamedTuple):
    """A point that is not valid. `since`: the Keepa minute from which the history is unknown: its own, or if that
    cannot be read the one after the point before it; None: there is no such point."""

    reason: str
    piece: list[Any]
    since: int | None


def is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, Object | dict)


def is_list(value: Any) -> TypeGuard[JsonList]:
    return isinstance(value, Array | list)


def is_int(value: Any) -> TypeGuard[int]:
    """An integer of at most `LARGEST`; JSON's booleans are not integers."""
    return type(value) is int and -LARGEST <= value <= LARGEST


def kind(value: Any) -> str:
    """The name of a value's JSON type, for reasons."""
    if is_object(value):
        return "object"
    if is_list(value):
        return "list"
    return {str: "text", bool: "boolean", int: "integer", float: "decimal number"}.get(type(value), "null")


def as_list(values: JsonList) -> list[Any]:
    return values if isinstance(values, list) else values.as_list()


def plain(value: Any) -> Any:
    """A JSON value as Python's own dicts, lists, texts and numbers."""
    if isinstance(value, Object):
        return value.as_dict()
    return value.as_list() if isinstance(value, Array) else value


def not_an_integer(value: Any) -> str:
    """Why a value is not `is_int`, to follow its name."""
    return "is an integer beyond 2^53" if type(value) is int else f"is not an integer but {kind(value)}"


def as_text(piece: Any) -> str:
    """Compact JSON of a piece, shortened; bytes are quoted as they are."""
    if isinstance(piece, bytes):
        return shorten(piece)
    if isinstance(piece, Object | Array):
        return shorten(_mini(piece))
    return as_record(piece)


def integers(values: JsonList, flat: bool) -> Ints | None:
    """A JSON array of integers as int64[n]; None if any element is anything else.

    `as_buffer` flattens nested arrays, and the result may be just as long: `[1, [2], 3]`, `[1, [2, 3], []]`. Where it
    takes an array at all, a nested one is the first element or follows a number; `flat`: the line has no array
    after a number. Otherwise the text of the array decides.
    """
    if isinstance(values, list):
        return np.array(values, dtype=np.int64) if all(map(is_int, values)) else None
    try:
        buffer = np.frombuffer(values.as_buffer(of_type="i"), dtype=np.int64)
    except (TypeError, ValueError):  # an element is not an integer, or is beyond 64 bits
        return None
    nested = len(buffer) > 0 and isinstance(values[0], Array)
    if nested or len(buffer) != len(values) or not (flat or _mini(values).count(b"[") == 1):
        return None
    return buffer


def points(values: JsonList, width: int, flat: bool) -> tuple[Ints, list[Broken]]:
    """A history `[t, value, …, t, value, …]` as int64[n, width], and the points that are not valid.

    There are `ceil(len(values) / width)` points, valid and broken together, and every number of a valid one `is_int`.
    Only an invalid array costs a Python object per element.
    """
    numbers = integers(values, flat)
    if numbers is not None and len(numbers) and numbers.min() >= -LARGEST and numbers.max() <= LARGEST:
        whole = len(numbers) - len(numbers) % width
        rest = numbers[whole:].tolist()
        return numbers[:whole].reshape(-1, width), [Broken("incomplete point", rest, rest[0])] if rest else []
    items = as_list(values)
    sound: list[list[int]] = []
    broken: list[Broken] = []
    after: int | None = None  # the minute after the last one that could be read
    for start in range(0, len(items), width):
        point = items[start : start + width]
        wrong = [value for value in point if not is_int(value)]
        since = point[0] if is_int(point[0]) else after
        if len(point) < width:
            broken.append(Broken("incomplete point", point, since))
        elif wrong:
            broken.append(Broken(f"a value of the point {not_an_integer(wrong[0])}", point, since))
        else:
            sound.append(point)
        after = point[0] + 1 if is_int(point[0]) else after
    return np.array(sound, dtype=np.int64).reshape(-1, width), broken


def _mini(value: Object | Array) -> bytes:
    """The value's compact JSON. The stubs declare str; it is bytes."""
    text: Any = value.mini
    return bytes(text)
