"""Every column of every table, mutated: what the contract refuses, and what it allows and why.

The columns and the mutations are derived from the contracts, so a new column is mutated from the day it is added. What
a sound row of a source needs besides is in `<source>/sound_values.py`.
Run with `-s` to read the summary and each allowed combination with the source of its range.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pyarrow as pa
import pytest

from vp_pipeline.quality.contract import breaches_of
from vp_pipeline.sources.contract import DATE, FLAG, INT, TEXT, TIMESTAMP, Column, Limit, Table, Type
from vp_pipeline.sources.registry import NAMES, STREAMS

BY_SOURCE: dict[str, Any] = {name: import_module(f"vp_pipeline_tests.sources.{name}.sound_values") for name in NAMES}
ALL_TABLES = [table for source in BY_SOURCE.values() for table in source.TABLES]
SNAPSHOT = datetime(2026, 5, 10, 4, 19, 28)
SOUND_BY_TYPE: dict[Type, Any] = {INT: 1, TEXT: "a text", FLAG: True, TIMESTAMP: SNAPSHOT, DATE: SNAPSHOT.date()}
OTHER_TYPES = {INT: pa.string(), TEXT: pa.int64(), FLAG: pa.int64(), TIMESTAMP: pa.string(), DATE: pa.timestamp("us")}
Mutation = tuple[str, Any, dict[str, Any]]  # what is done, the value, and what the rest of the row must be


def sound(table: Table) -> dict[str, Any]:
    return {column.name: sound_value(table, column) for column in table.columns}


def sound_value(table: Table, column: Column) -> Any:
    values = BY_SOURCE[table.source].SOUND
    for key in ((table.name, column.name), column.name):
        if key in values:
            return values[key]
    if column.one_of:
        return column.one_of[0]
    return Decimal(1) if column.type.digits else SOUND_BY_TYPE[column.type]


def rows_of(table: Table, row: dict[str, Any]) -> pa.Table:
    schema = pa.schema([field.with_nullable(True) for field in table.schema])
    return pa.Table.from_pylist([row], schema=schema)


def mutations(table: Table, column: Column) -> Iterator[Mutation]:
    """The values just outside each rule of the column."""
    yield "null", None, {}
    yield from range_mutations(column, column.at_least, column.at_most, {})
    for limit in column.limits:
        yield from range_mutations(column, limit.at_least, limit.at_most, {limit.column: example(table, limit)})
    for value in column.never:
        yield f"the impossible {value}", value, {}
    if column.not_after:
        yield "too late, after its response", SNAPSHOT + timedelta(microseconds=1), {column.not_after: SNAPSHOT}
    if column.with_it:
        value, other = column.with_it
        yield f"{value} with another {other}", value, {other: 0}
    if column.one_of or column.matches:
        yield "an unknown text", "no such text!", {}


def range_mutations(column: Column, low: Any, high: Any, where: dict[str, Any]) -> Iterator[Mutation]:
    names = {TIMESTAMP: ("too early", "too late")}.get(column.type, ("below", "above"))
    step: Any = {TIMESTAMP: timedelta(microseconds=1), DATE: timedelta(days=1)}.get(column.type, 1)
    if column.type.digits:
        step = Decimal(1).scaleb(-column.type.digits[1])
    of = "".join(f" for {value}" for value in where.values())
    for name, bound, sign in ((names[0], low, -1), (names[1], high, 1)):
        if bound is None:
            continue
        value = "x" * (bound + sign) if column.type == TEXT else bound + sign * step
        yield name + of, value, where


def example(table: Table, limit: Limit) -> str:
    """A text that the limit is of."""
    return BY_SOURCE[table.source].EXAMPLES.get(limit.matches, limit.matches)


def refusal(table: Table, column: Column, mutation: Mutation) -> str | None:
    _, value, rest = mutation
    breaches = breaches_of(table, rows_of(table, {**sound(table), **rest, column.name: value}))
    return "; ".join(breaches) or None


def refused_as_another_type(table: Table, column: Column) -> bool:
    rows = rows_of(table, sound(table))
    position = table.schema.get_field_index(column.name)
    retyped = rows.set_column(position, column.name, pa.array([None], OTHER_TYPES.get(column.type, pa.float64())))
    return bool(breaches_of(table, retyped))


def test_every_table_is_mutated() -> None:
    assert {table.raw_name for _, stream in STREAMS for table in stream.tables} <= {t.raw_name for t in ALL_TABLES}


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.raw_name)
def test_a_sound_row_keeps_the_contract(table: Table) -> None:
    assert not breaches_of(table, rows_of(table, sound(table)))


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.raw_name)
def test_the_contract_has_the_range_of_every_column_and_its_source(table: Table) -> None:
    for column in table.columns:
        assert column.range_source, f"{table.name}.{column.name} has no range_source"
        bounded = column.at_least is not None and column.at_most is not None
        listed = column.one_of is not None or column.matches is not None or column.type == FLAG
        assert bounded or (listed and column.type in (TEXT, FLAG)), f"{table.name}.{column.name} has no range"


def test_every_mutation_is_refused_or_allowed_with_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    refused, allowed = [], []
    for table in ALL_TABLES:
        for column in table.columns:
            assert refused_as_another_type(table, column), f"{table.name}.{column.name} takes another type"
            refused.append((table.name, column.name, "wrong type", ""))
            for mutation in mutations(table, column):
                reason = refusal(table, column, mutation)
                found = (table.name, column.name, mutation[0], reason or column.range_source)
                (refused if reason else allowed).append(found)
                if reason:
                    assert column.name in reason, found
    with capsys.disabled():
        columns = sum(len(table.columns) for table in ALL_TABLES)
        print(
            f"\n{columns} columns of {len(ALL_TABLES)} tables: {len(refused)} mutations refused, {len(allowed)} allowed"
        )
    for table, column, mutation, source in allowed:
        print(f"  allowed: {table}.{column} {mutation}: {source}")
    # Whatever is outside a rule is refused; allowed is null alone, where the contract says what it means.
    assert {mutation for _, _, mutation, _ in allowed} == {"null"}
    nullable = {(t.name, c.name) for t in ALL_TABLES for c in t.columns if c.nullable}
    assert {(table, column) for table, column, _, _ in allowed} == nullable
    assert all(source for *_, source in allowed)
    kinds = {mutation.split(" for ")[0] for _, _, mutation, _ in refused}
    assert kinds >= {"below", "above", "null", "wrong type", "too early", "too late", "too late, after its response"}
