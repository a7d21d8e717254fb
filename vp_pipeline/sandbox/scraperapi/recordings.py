"""Recorded responses, served again as they were.

Here: reading the recordings. Not here: generated pages (`pages.py`).

A recording is a file `<COUNTRY>-<ASIN>.json` with the response for that product: a response names no marketplace.
"""

import json
import re
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES

_NAME = re.compile(rf"({'|'.join(MARKETPLACES)})-([A-Z0-9]{{10}})")


class Recordings:
    """Every recorded response of a folder. `pages`: by country and ASIN. `left_out`: what in it cannot be served, each
    as a sentence with its file.

    Raises:
        PermanentError: the folder has no recordings; the message names what was left out.
    """

    def __init__(self, folder: Path) -> None:
        self.pages: dict[tuple[str, str], dict[str, Any]] = {}
        left_out: list[str] = []
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            found = _read(file)
            if isinstance(found, str):
                left_out.append(f"{file.name} is not a recorded page: {found}.")
            else:
                country, _, asin = file.stem.partition("-")
                self.pages[country, asin] = found
        if not self.pages:
            raise PermanentError(
                f"{folder} holds no recorded product pages (*.json). {' '.join([*left_out, ''])}Set "
                "VP_SCRAPERAPI_RECORDINGS to a folder that does, or unset it."
            )
        self.left_out = tuple(left_out)


def _read(file: Path) -> dict[str, Any] | str:
    """The response in a file, or why it has none."""
    if not _NAME.fullmatch(file.stem):
        return "its name is not <COUNTRY>-<ASIN>.json, such as US-B0D4M48BM2.json"
    try:
        # "utf-8-sig": some editors begin a file with a byte order mark.
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        return str(error)
    return content if isinstance(content, dict) else "it is not a JSON object"
