"""How long models take, from their recorded builds.

Here: reading `monitoring._model_builds`; the SQL is what DuckDB and Snowflake both take. Not here: recording them
(`monitoring.py`), and what is to be built (`planning/`).
"""

from collections.abc import Iterable, Set
from statistics import median
from typing import TYPE_CHECKING

from vp_pipeline.warehouse.connection import table_exists

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

_BUILDS = 5  # of each model and kind: the newest ones are of about the present size
_LAST_BUILDS = """
select model, is_restated, seconds, rows_written, rows_total, newest_rows
from (
    select
        model, is_restated, seconds, rows_written, rows_total,
        first_value(rows_total) over (partition by model order by finished_at desc, first_date desc) as newest_rows,
        row_number() over (partition by model, is_restated order by finished_at desc, first_date desc) as age
    from monitoring._model_builds
    where status = 'success'
) as builds
where age <= ?
"""


def expected_seconds(
    connection: "Connection", models: Iterable[str], restated: Set[str] = frozenset()
) -> dict[str, float | None]:
    """The seconds that a build of each model is likely to take: the median of its last 5 builds of that kind; None
    where there was none.

    `restated`: the models that will be built as a whole. Their earlier times are scaled by the rows that they have now
    over the rows that they had then; those of views are not, which write no rows.
    """
    times: dict[tuple[str, bool], list[float]] = {}
    if table_exists(connection, "monitoring", "_model_builds"):
        for model, is_restated, seconds, written, total, newest in connection.execute(
            _LAST_BUILDS, [_BUILDS]
        ).fetchall():
            growth = newest / total if is_restated and written and total else 1.0
            times.setdefault((model, bool(is_restated)), []).append(seconds * growth)
    found = {model: times.get((model, model in restated)) for model in models}
    return {model: median(of_model) if of_model else None for model, of_model in found.items()}
