"""`python -m vp_pipeline.generators.columns_reached BEFORE`: which columns a change reaches.

For a pull request, as Markdown. `BEFORE`: the file as it was. Not here: the rows that really differ (`vp diff`), also
where the columns are the same.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vp_pipeline.dbt.project import COLUMNS_FILE

# Model → column → its type and what it is derived from, as `dbt_project/columns.json` has it.
Columns = Mapping[str, Mapping[str, Mapping[str, Any]]]


def columns_reached(before: Columns, now: Columns) -> dict[str, list[str]]:
    """The columns of each model that are new, have another type or another origin, or are derived from one of those."""
    reached = {
        (model, column)
        for model, columns in now.items()
        for column, found in columns.items()
        if before.get(model, {}).get(column) != found
    }
    size = -1
    while size < len(reached):
        size = len(reached)
        reached |= {
            (model, column)
            for model, columns in now.items()
            for column, found in columns.items()
            if any((relation.partition(".")[2], name) in reached for relation, name in found["from"])
        }
    return {model: sorted(c for m, c in reached if m == model) for model in sorted({m for m, _ in reached})}


def markdown(before: Columns, now: Columns) -> str:
    """The columns as a list, and those that are gone."""
    reached = columns_reached(before, now)
    gone = sorted(
        f"{model}.{column}" for model in before for column in before[model].keys() - now.get(model, {}).keys()
    )
    lines = [f"- `{model}`: {', '.join(columns)}" for model, columns in reached.items()]
    lines += [f"- gone: {', '.join(gone)}"] if gone else []
    return "\n".join(["### Columns that the change reaches", "", *(lines or ["None: no column has another origin."])])


def main(path: str) -> None:
    """Prints the Markdown."""
    before, now = (json.loads(Path(each).read_text(encoding="utf-8")) for each in (path, COLUMNS_FILE))
    print(markdown(before, now))


if __name__ == "__main__":
    main(sys.argv[1])
