"""The rows that a dbt test found: the first of them in words, and all of them in `monitoring.failing_rows`.

Here: whose row it is, which column, our value and what was expected, by kind of test; and the record. Not here: the
tests themselves (`dbt/data_tests.py`, `dbt_project/`), and the check that shows it (`assets/dbt/check_outcomes.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from vp_pipeline.dbt.data_tests import Arguments, DataTest
from vp_pipeline.quality.reconciliation import figure_text, oracle_of
from vp_pipeline.sources.registry import STREAMS
from vp_pipeline.warehouse.connection import transaction

if TYPE_CHECKING:
    from vp_pipeline.warehouse.loading import Warehouse

Row = Mapping[str, Any]
_VALUES = 4  # of a row of a test that names no column
# What `always_true` adds to a row: the first condition that it breaks.
BROKEN_CONDITION = "broken_condition"
# What entities are called by: the one column of the models, and those of RAW that it is of.
_KEYS = {stream.entity.key: stream.entity.columns for _, stream in STREAMS if stream.entity}
_NAMES = re.compile(r"'[^']*'|[a-z_][a-z0-9_]*")


def in_words(test: DataTest, row: Row) -> str:
    """A failing row: whose it is, what it has, and what was expected."""
    if oracle := oracle_of(test.name):
        return figure_text(oracle, row)
    found = _WORDS.get(test.kind, _all_values)(test.arguments, row)
    whose = _whose(test, row)
    return f"{whose}: {found}" if whose else found


def record(warehouse: "Warehouse", test: DataTest, code: str, run_id: str, days: Sequence[date]) -> None:
    """Records every row that a test found in a build over `days`, under the run. A row that an earlier build of the run
    has found as well is recorded once, under the days of the later one: of a search for bad days that is the day."""
    rows, key = f"from ({code}) as failing", [run_id, test.name]
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
    with warehouse.connect() as connection, transaction(connection):
        connection.execute(
            "delete from monitoring.failing_rows where run_id = ? and test_name = ? and failing_row in "
            f"(select {warehouse.row_as_json} {rows})",
            key,
        )
        connection.execute(
            "insert into monitoring.failing_rows (run_id, test_name, first_date, last_date, layer, model, failing_row, "
            f"recorded_at) select ?, ?, cast(? as date), cast(? as date), ?, ?, {warehouse.row_as_json}, "
            f"cast(? as timestamp) {rows}",
            [*key, min(days).isoformat(), max(days).isoformat(), test.layer, test.model, now],
        )


def _whose(test: DataTest, row: Row) -> str:
    """The columns that identify the row, as far as it has them: `1-B0SBXTWO06 NEW 2026-03-14`."""
    # An entity's key stands for the columns that it is of.
    named = [key for key in _KEYS if key in row]
    left_out = {column for key in named for column in _KEYS[key]}
    named += [name for name in test.grain if name in row and name not in {*named, *left_out}]
    return " ".join(_text(row[name]) for name in named)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:g}"
    return "null" if value is None else str(value)


def _values(row: Row, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {_text(row[name])}" for name in names)


def _all_values(_: Arguments, row: Row) -> str:
    more = ", …" if len(row) > _VALUES else ""
    return _values(row, list(row)[:_VALUES]) + more


def _missing(columns: Sequence[str], row: Row) -> str:
    return ", ".join(f"{name} is null" for name in columns if row.get(name) is None) + ", expected a value"


def _broken(arguments: Arguments, row: Row) -> str:
    condition = row.get(BROKEN_CONDITION)
    if not condition:
        return _all_values(arguments, row)
    names = [name for name in dict.fromkeys(_NAMES.findall(str(condition))) if name in row]
    return f"{_values(row, names)}, expected {condition}" if names else f"expected {condition}"


def _days(_: Arguments, row: Row) -> str:
    span = f"{_text(row['first_date'])} to {_text(row['last_date'])}"
    return f"{row['number_of_rows']} rows on {row['number_of_days']} days of {span}, expected one on each"


# What each kind of test found in a row, and what it expected.
_WORDS: Mapping[str, Callable[[Arguments, Row], str]] = {
    "unique_combination": lambda _, row: f"{row['number_of_rows']} rows, expected 1",
    "unique": lambda a, row: f"{a['column_name']} {_text(row['unique_field'])} in {row['n_records']} rows, expected 1",
    "not_null_columns": lambda a, row: _missing(a["columns"], row),
    "not_null": lambda a, row: _missing([a["column_name"]], row),
    "relationships": lambda a, row: f"{_values(row, [a['column_name']])}, expected a {a['field']} of {a['to']}".replace(
        "ref('", ""
    ).replace("')", ""),
    "accepted_values": lambda a, row: (
        f"{a['column_name']} {_text(row['value_field'])} in {row['n_records']} rows, expected one of "
        f"{', '.join(map(str, a['values']))}"
    ),
    "every_day_once": _days,
    "opens_where_it_closed": lambda a, row: (
        f"{_values(row, [a['open_column']])}, expected {_text(row['close_before'])}, as the row before closed"
    ),
    "sales_equals_its_category": lambda _, row: (
        f"{_values(row, ['sales_close_rank'])}, expected {_text(row['category_close_rank'])}, as in its category"
    ),
    "always_true": _broken,
}
