"""What messages name as what to do: commands, whole, as they are typed; and the entry of the runbook.

Here: their text, so that every message prints the same. Not here: when one helps (the message that names it). A test
types what the messages print (`end_to_end/test_one_cause.py`).
"""

from datetime import date
from functools import cache
from importlib import metadata


def runbook(entry: str) -> str:
    """Where a check is explained: what it means, where to look, what to do. Dagster's UI shows it as Markdown: it is a
    link where the project's metadata have the runbook's address (`Runbook` in `[project.urls]` of pyproject.toml)."""
    address = _runbook_address()
    file = f"docs/runbook.md#{entry}"
    return f"Runbook: [{file}]({address}#{entry})" if address else f"Runbook: {file}"


@cache
def _runbook_address() -> str | None:
    try:
        urls = metadata.metadata("vp-pipeline").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:  # the code of a folder that is not installed
        return None
    return dict(url.split(", ", 1) for url in urls).get("Runbook")


def run(first: date, *others: date) -> str:
    """Runs a day again, or the range that holds several in order; what is there already is used again."""
    return f"`vp run --from {first} --to {others[-1]}`" if others else f"`vp run --date {first}`"


def resync(day: date) -> str:
    """Requests the data of a day again, and runs it."""
    return f"`vp run --date {day} --resync`"


def waive(day: date, *checks: str) -> str:
    """Lets one run of a day pass checks that have failed."""
    return f"`vp run --date {day} {' '.join(f'--waive {check}' for check in checks)}`"


def show_quarantine(day: date, table: str) -> str:
    """Lists the records of a table and day that broke its contract."""
    return f"`vp quarantine show --table {table} --date {day}`"


def decode_again(day: date) -> str:
    """Decodes a day again from bronze, and builds what is below it."""
    return f"`vp rebuild silver --from {day} --to {day}`"
