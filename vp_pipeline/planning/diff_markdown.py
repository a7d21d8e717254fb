"""A diff as Markdown for a pull request, and as a value for JSON: the same diff is the same text.

Here: words and tables. Not here: what is compared (`diff.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from vp_pipeline.planning.diff import Diff
from vp_pipeline.planning.diff_metrics import MetricChange
from vp_pipeline.planning.diff_tables import Rows, TableDiff, Values

_LONGEST_VALUE = 60


def as_markdown(diff: Diff) -> str:
    """The diff as a text that ends with a line break."""
    return "\n".join([*_header(diff), *_tables(diff.tables), *_metrics(diff)]).rstrip() + "\n"


def as_json(diff: Diff) -> dict[str, Any]:
    """The diff as JSON can hold it; `differs`: whether consumers would read anything else."""
    document = {"differs": diff.differs, **asdict(diff)}
    document["metrics"] = [{**asdict(metric), "difference": metric.difference} for metric in diff.metrics]
    return document


def _header(diff: Diff) -> Iterator[str]:
    if not diff.models and not diff.gone:
        yield from _nothing_built(diff)
        return
    differing = sum(table.differs for table in diff.tables)
    if differing:
        yield f"**{_plural(differing, 'published table')} would change** (compared with build `{diff.build_id}`)."
    else:
        yield f"**No published table would change** (compared with build `{diff.build_id}`)."
    yield ""
    yield from _table(("model", "why it was built"), [(f"`{each.name}`", each.why) for each in diff.models])
    if diff.gone:
        yield f"Gone from the project: {_names(diff.gone)}."
        yield ""
    if diff.left_out:
        yield f"Also differ, and were not selected: {_names(diff.left_out)}."
        yield ""
    if diff.unpublished:
        yield f"{_not_published(diff)}: differences of these tables are not of the code alone."
        yield ""
    if diff.pending_days:
        yield f"Loaded and not built yet: {', '.join(diff.pending_days)}. The rows of these days are in the comparison."
        yield ""


def _nothing_built(diff: Diff) -> Iterator[str]:
    if diff.unpublished:
        yield f"**No code differs** from what the warehouse was built with. {_not_published(diff)}."
    else:
        yield f"**Nothing differs**: the code is what made the marts of build `{diff.build_id}`."


def _not_published(diff: Diff) -> str:
    return f"The warehouse holds data that is not published yet, in {_names(diff.unpublished)}"


def _tables(tables: Sequence[TableDiff]) -> Iterator[str]:
    changed = [table for table in tables if table.differs]
    if not changed:
        return
    yield "### Tables"
    yield ""
    rows = [
        (
            f"`{table.table}`",
            table.status,
            _number(table.rows_before),
            _number(table.rows_after),
            _number(table.added.count),
            _number(table.removed.count),
            _number(table.changed),
        )
        for table in changed
    ]
    yield from _table(("table", "", "rows before", "rows after", "added", "removed", "changed"), rows, numbers=5)
    same = [table.table for table in tables if not table.differs]
    if same:
        yield f"Without a difference: {_names(same)}."
        yield ""
    for table in changed:
        if table.status == "changed":
            yield from _one_table(table)


def _one_table(table: TableDiff) -> Iterator[str]:
    yield f"#### {table.table}"
    yield ""
    lines = list(_shape_lines(table))
    if table.key:
        lines += [*_rows_line("Added", table.added, table.key), *_rows_line("Removed", table.removed, table.key)]
    elif table.added.count or table.removed.count:
        lines.append("No key is unique on both sides: a changed row counts as one added and one removed.")
    if not lines and not table.columns:
        lines.append("Only the order of the columns differs.")
    yield from (f"- {line}" for line in lines)
    if lines:
        yield ""
    if not table.columns:
        return
    rows = [
        (
            f"`{column.column}`",
            _number(column.rows),
            "<br>".join(
                f"{_values(example.key)}: {_value(example.before)} → {_value(example.after)}"
                for example in column.examples
            ),
        )
        for column in table.columns
    ]
    yield from _table(("column", "rows", f"examples ({', '.join(table.key)}: before → after)"), rows)


def _shape_lines(table: TableDiff) -> Iterator[str]:
    if table.new_columns:
        yield f"New columns: {', '.join(f'`{name}` ({kind})' for name, kind in table.new_columns)}"
    if table.dropped_columns:
        yield f"Dropped columns: {', '.join(f'`{name}` ({kind})' for name, kind in table.dropped_columns)}"
    for name, before, after in table.retyped_columns:
        yield f"`{name}` is {after} where it was {before}"


def _rows_line(what: str, rows: Rows, key: Sequence[str]) -> Iterator[str]:
    if rows.count:
        first = "; ".join(map(_values, rows.examples))
        yield f"{what}: {_plural(rows.count, 'row')}, first by {', '.join(key)}: {first}"


def _metrics(diff: Diff) -> Iterator[str]:
    if not diff.metrics and not diff.unchanged_metrics:
        return
    yield "### Metrics"
    yield ""
    if diff.metrics:
        rows = [
            (
                f"`{metric.metric}`",
                ", ".join(f"{name} {_value(value)}" for name, value in metric.by),
                _figure(metric.before),
                _figure(metric.after),
                _difference(metric),
                metric.unit,
            )
            for metric in diff.metrics
        ]
        yield from _table(("metric", "of", "before", "after", "difference", "unit"), rows)
    if diff.unchanged_metrics:
        yield f"Unchanged: {_names(diff.unchanged_metrics)}."
        yield ""


def _difference(metric: MetricChange) -> str:
    difference = metric.difference
    if difference is None:
        return ""
    share = (
        f" ({difference / abs(metric.before):+.2%})" if isinstance(metric.before, int | float) and metric.before else ""
    )
    return f"{'+' if difference > 0 else ''}{_figure(difference)}{share}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """A table; the last `numbers` columns are to the right."""
    lines = ["---"] * (len(header) - numbers) + ["---:"] * numbers
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join(lines)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _values(values: Values) -> str:
    return ", ".join(map(_value, values))


def _value(value: str | None) -> str:
    """A value on one line that cannot end a cell."""
    if value is None:
        return "*null*"
    text = " ".join(value.split())
    text = text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"


def _figure(value: float | int | str | None) -> str:
    match value:
        case None:
            return "*null*"
        case float():
            return f"{value:,.6g}" if abs(value) < 1_000_000 else f"{value:,.0f}"
        case int():
            return f"{value:,}"
        case _:
            return value


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
