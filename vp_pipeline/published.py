"""The published tables as pandas: what analysts import.

    from vp_pipeline.published import read, tables

    read("mart_product_daily", marketplace_code="US", start="2026-11-01", end="2026-12-01")

It reads what `vp published list` shows as current, in the environment of the settings (`.env`, VP_…): DuckDB or
Snowflake, never the warehouse. Not here: how (`publishing/frames.py`).
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from vp_pipeline.environments.environment import build_environment
from vp_pipeline.publishing.frames import Days, read_frame
from vp_pipeline.settings import Settings, load_settings


def tables(settings: Settings | None = None) -> pd.DataFrame:
    """The published tables: `table`, `rows`, and the `build` that they are of. `settings`: None: from `.env` and the
    environment.

    Raises:
        PermanentError: nothing was published yet.
    """
    with build_environment(settings or load_settings()).build_published_marts().open() as found:
        rows = sorted((name.partition(".")[2], count) for name, count in found.publication.rows.items())
        return pd.DataFrame(rows, columns=["table", "rows"]).assign(build=found.publication.build_id)


def read(
    table: str,
    *,
    start: date | str | None = None,
    end: date | str | None = None,
    day: str | None = None,
    columns: Sequence[str] | None = None,
    settings: Settings | None = None,
    **where: object,
) -> pd.DataFrame:
    """Rows of a published table, of one build (`attrs["build"]` names it), sorted by their columns from the first on.

    `start`, `end`: the half-open range of days [start, end), UTC. `day`: the column that they are compared with; None:
    the table's only column of dates. `columns`: which; None: all. `where`: a column and its value, or a list of values
    of which it has one: `marketplace_code="US"`, `currency=["EUR", "GBP"]`; None: it is missing.

    Whole numbers are Int64, other numbers Float64 (money too: for exact sums take the integers of the `…_minor`
    columns), texts string, flags boolean, days and times datetime64 (UTC, without a zone); a missing value is NA or
    NaT.

    Raises:
        PermanentError: nothing was published yet, there is no such table or column, or `day` is to be named.
        TransientError: another build was published meanwhile: read again.
    """
    marts = build_environment(settings or load_settings()).build_published_marts()
    return read_frame(marts, table, Days(start, end, day), columns, where)
