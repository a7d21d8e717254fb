"""What a dbt command left in its `run_results.json`, node by node, and what kind of failure each is.

Here: reading it. Not here: what follows from a failure (`assets/dbt/`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vp_pipeline import documents
from vp_pipeline.data_folder import RUN_RESULTS
from vp_pipeline.failures import DamagedDataError, PermanentError

# Words of DuckDB, Snowflake and dbt for SQL that cannot be run on any data.
_SIGNS_OF_A_BUG = ("compilation error", "parser error", "binder error", "catalog error", "syntax error")
# What a retry may solve: a lock of DuckDB's, a connection of Snowflake's.
_SIGNS_OF_A_TRANSIENT_FAILURE = (
    "Could not set lock",
    "Conflicting lock",
    "250001",
    "390114",
    "Failed to connect to DB",
    "Read timed out",
)
# Words of the operating system, in messages of dbt and DuckDB, for a disk or a limit that is exhausted.
_SIGNS_OF_A_FULL_DISK = ("No space left on device", "File too large", "Disk quota exceeded")
# Colours, and numbers of errors.
_MARKS = re.compile(r"\x1b\[\d*m|\[Errno \d+\]")


@dataclass(frozen=True)
class NodeResult:
    """The result of one model or test. `status` is dbt's; `code` the SQL that it ran, where it got that far."""

    unique_id: str
    status: str
    message: str
    code: str | None

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"

    @property
    def name(self) -> str:
        """`fct_price_stats`: the model's or test's own name, or what comes closest to it."""
        return self.unique_id.split(".")[2]

    @property
    def is_test(self) -> bool:
        return self.unique_id.startswith("test.")

    @property
    def failed(self) -> bool:
        return self.status in ("error", "fail", "runtime error")

    @property
    def found_rows(self) -> bool:
        """A test that was evaluated and found rows that break it."""
        return self.is_test and self.status in ("fail", "warn") and self.code is not None

    @property
    def is_bug(self) -> bool:
        """The SQL itself is wrong: no data is the cause, and other data will not fix it."""
        return self.status != "fail" and any(sign in self.message.lower() for sign in _SIGNS_OF_A_BUG)

    @property
    def is_transient(self) -> bool:
        """A retry may succeed."""
        return any(sign in self.message for sign in _SIGNS_OF_A_TRANSIENT_FAILURE)


def clear_results(target: Path) -> None:
    """Removes the results of the previous command: one that dies early must not be mistaken for it."""
    (target / RUN_RESULTS).unlink(missing_ok=True)


def results(target: Path) -> list[NodeResult]:
    """The results of the command whose artefacts are in `target`; empty: it wrote none.

    Raises:
        DamagedDataError: they were not written to their end.
    """
    remedy = "dbt did not write it to its end: run the same days again."
    written = documents.read(target / RUN_RESULTS, remedy)
    if written is None:
        return []
    if "results" not in written:
        raise DamagedDataError(f"{target / RUN_RESULTS} has no results. {remedy}")
    return [
        NodeResult(result["unique_id"], result["status"], _message(result), result.get("compiled_code"))
        for result in written["results"]
    ]


def _message(result: Mapping[str, Any]) -> str:
    rows = result.get("failures")
    if result["status"] in ("fail", "warn") and rows:
        return f"{rows:,} failing row{'s' if rows > 1 else ''}"
    return " ".join((result.get("message") or result["status"]).split())


def require_space(messages: Iterable[str]) -> None:
    """Raises PermanentError: a message of dbt's is about a disk without space. No data are the cause, and a retry gives
    the same."""
    full = [message for message in messages if any(sign in message for sign in _SIGNS_OF_A_FULL_DISK)]
    if full:
        reason = " ".join(_MARKS.sub("", full[0]).split())
        raise PermanentError(
            f"The disk is full, so dbt could not go on: {reason}. Nothing was published. Make room "
            "(`vp maintain` lists what is not needed), then run the same days again."
        )
