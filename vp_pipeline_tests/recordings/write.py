"""Writes the made-up recorded answers, the same bytes every time.

    .venv/bin/python -m vp_pipeline_tests.recordings.write

Here: files and their layout. Not here: what the answers hold (`answers.py`, `odd_answers.py`).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vp_pipeline_tests.recordings.answers import answers
from vp_pipeline_tests.recordings.folders import MADE_UP, ODD
from vp_pipeline_tests.recordings.odd_answers import odd_answers

_LINE = 1000  # characters; a longer list of lists goes on a line an entry


def files() -> Mapping[Path, str]:
    """The text of every file."""
    return {
        folder / f"{name}.json": layout(answer) + "\n"
        for folder, contents in ((MADE_UP, answers()), (ODD, odd_answers()))
        for name, answer in contents.items()
    }


def layout(value: Any, indent: str = "") -> str:
    """JSON that reads well in a diff: a field a line, and a history a line."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json.dumps(name)}: {layout(item, inner)}" for name, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    line = json.dumps(value, ensure_ascii=False)
    long = isinstance(value, list) and len(line) > _LINE and any(isinstance(item, list) for item in value)
    if long or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return "[\n" + ",\n".join(inner + layout(item, inner) for item in value) + f"\n{indent}]"
    return line


def main() -> None:
    for folder in (MADE_UP, ODD):
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink()
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(Path(__file__).parent)}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
