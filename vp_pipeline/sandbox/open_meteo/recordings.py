"""Recorded responses, served again as they were.

Here: reading the recordings and choosing the next one. Not here: generated responses (`weather.py`).

A recording is a file `*.json`: the response of one place, or a list of them, or a recorded exchange that has the
response as its `body`. What holds no hours is left out, by name. A place is named after the first file that it is in,
and served by the coordinates of its responses: they do not have those that were requested. Several responses of one
place are successive: each request gets the next, and after the last the first again.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.sandbox.open_meteo.request import Rejected

_NO_NAME = re.compile(r"[^a-z0-9]+")
Place = tuple[float, float]


class Recordings:
    """Every recorded response of a folder. `places`: one entry per response, as in the settings. `left_out`: what in it
    holds no hours, each as a sentence with its file.

    Raises:
        PermanentError: the folder has no recordings; the message names what was left out.
    """

    def __init__(self, folder: Path) -> None:
        self._by_place: dict[Place, list[dict[str, Any]]] = {}
        names: dict[Place, str] = {}
        order: list[Place] = []
        left_out: list[str] = []
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            for number, found in enumerate(_read(file)):
                if isinstance(found, str):
                    left_out.append(f"{file.name} is not a recorded Open-Meteo response: {found}.")
                    continue
                place = _rounded((found["latitude"], found["longitude"]))
                names.setdefault(place, _name(file, number, names.values()))
                self._by_place.setdefault(place, []).append(found)
                order.append(place)
        if not order:
            raise PermanentError(
                f"{folder} holds no recorded Open-Meteo responses (*.json). {' '.join([*left_out, ''])}Set "
                "VP_OPEN_METEO_RECORDINGS to a folder that does, or unset it."
            )
        self.places = tuple(f"{names[place]}:{place[0]:.7f},{place[1]:.7f}" for place in order)
        self.left_out = tuple(left_out)
        self._served: Counter[tuple[str, Place]] = Counter()
        self._lock = threading.Lock()

    def take(self, clock: str, place: Place) -> dict[str, Any]:
        """The next response of a place; each `clock` goes through them on its own.

        Raises:
            Rejected: there is none of that place.
        """
        with self._lock:
            place = _rounded(place)
            responses = self._by_place.get(place)
            if responses is None:
                raise Rejected(f"There is no recorded response of {place[0]}, {place[1]}.")
            self._served[clock, place] += 1
            recorded = responses[(self._served[clock, place] - 1) % len(responses)]
        return {name: value for name, value in recorded.items() if name != "location_id"}


def _read(file: Path) -> Iterator[dict[str, Any] | str]:
    """The responses of a file, and why a piece of it (or all of it) is none."""
    try:
        # "utf-8-sig": some editors begin a file with a byte order mark.
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        yield str(error)
        return
    if isinstance(content, dict) and "hourly" not in content and "body" in content:
        content = content["body"]
    for number, response in enumerate(content if isinstance(content, list) else [content]):
        problem = _problem(response)
        yield response if problem is None else f"item {number}: {problem}" if isinstance(content, list) else problem
    if content == []:
        yield "it is an empty list"


def _problem(response: object) -> str | None:
    if not isinstance(response, dict):
        return "it is not a JSON object"
    if not isinstance(response.get("hourly"), dict):
        return "it has no `hourly`"
    for name, limit in (("latitude", 90), ("longitude", 180)):
        value = response.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not -limit <= value <= limit:
            return f"its {name} is not a number of degrees"
    return None


def _rounded(place: Place) -> Place:
    """With as many digits as a setting takes."""
    return round(place[0], 7), round(place[1], 7)


def _name(file: Path, number: int, taken: Any) -> str:
    name = _NO_NAME.sub("-", file.stem.lower()).strip("-")[:40] or "place"
    name = f"{name}-{number}" if number else name
    return name if name not in taken else f"{name}-{len(taken)}"
