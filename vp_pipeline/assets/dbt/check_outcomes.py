"""The outcome of a dbt test as its check shows it: the rows that failed, in words, and its query.

Here: reading what a test found, right after it. Afterwards the rows of its days may be excluded from the models.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from vp_pipeline.assets.metadata import markdown_table
from vp_pipeline.dbt.data_tests import DataTest
from vp_pipeline.dbt.results import NodeResult
from vp_pipeline.quality.failing_rows import in_words
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.reconciliation import oracle_of, reconciliation
from vp_pipeline.sources.source import Oracle
from vp_pipeline.warehouse.connection import column_names
from vp_pipeline.warehouse.loading import Warehouse

_ROWS, _IN_WORDS = 5, 3


def check_outcome(
    event: dg.AssetCheckResult, result: NodeResult | None, warehouse: Warehouse, tests: Mapping[str, DataTest]
) -> Outcome:
    """The outcome of the test that dagster-dbt reports in `event`. `result`: dbt's own, where it wrote one. `tests`:
    the project's."""
    assert event.check_name is not None
    metadata = dict(event.metadata or {})
    oracle = oracle_of(event.check_name)
    if oracle and event.check_name == oracle.agrees:
        metadata |= _reconciliation(warehouse, oracle)
    if event.passed or result is None:
        verb = "passed" if event.passed else "failed"
        description = f"The dbt test {event.check_name} {verb}."
    elif not result.found_rows:
        description = f"The dbt test {event.check_name} could not be evaluated: {result.message}."
    else:
        names, rows = _failing_rows(result, warehouse)
        words = [in_words(tests[result.name], dict(zip(names, row, strict=True))) for row in rows[:_IN_WORDS]]
        more = "; …" if len(rows) > _IN_WORDS else ""
        description = f"The dbt test {event.check_name} failed: {result.message}. {'; '.join(words)}{more}. "
        description += "All of them: monitoring.failing_rows."
        metadata |= _query_and_rows(result, names, rows)
    warning = event.severity == dg.AssetCheckSeverity.WARN
    return Outcome(event.check_name, bool(event.passed), description, warning=warning, metadata=metadata)


def _failing_rows(result: NodeResult, warehouse: Warehouse) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns of the rows that a failed test found, and the first of them."""
    if not result.code:
        return [], []
    # Of figures those that agree without outliers come before those that cannot be compared.
    oracle = oracle_of(result.name)
    order = f"order by status, {oracle.key}, series, figure" if oracle else ""
    with warehouse.connect(read_only=True) as connection:
        found = connection.execute(f"select * from ({result.code}) as failing {order} limit {_ROWS}")
        return column_names(found), found.fetchall()


def _query_and_rows(result: NodeResult, names: list[str], rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    if not result.code:
        return {}
    return {
        "failing_rows": dg.MarkdownMetadataValue(markdown_table(names, rows)),
        "query": dg.MarkdownMetadataValue(f"```sql\n{result.code.strip()}\n```"),
    }


def _reconciliation(warehouse: Warehouse, oracle: Oracle) -> dict[str, Any]:
    with warehouse.connect(read_only=True) as connection:
        metadata = reconciliation(connection, oracle).metadata
    return {**metadata, "worst_figures": dg.MarkdownMetadataValue(str(metadata["worst_figures"]))}
