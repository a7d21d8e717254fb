"""What breaks a contract is found row by row, and what keeps it costs nothing but a look."""

import dataclasses
from decimal import Decimal

import pyarrow as pa
import pytest

from vp_pipeline.quality.contract import breaches_of, keeps_contract
from vp_pipeline.sources.contract import FLAG, INT, TEXT, TIMESTAMP, Column, Limit, Table, Type
from vp_pipeline.sources.enforce import enforce

TABLE = Table(
    source="shop",
    stream="sale",
    name="sale",
    description="Sales.",
    grain="one row per code and moment",
    natural_key=("code", "at"),
    columns=(
        Column("code", TEXT, "Code.", matches="[A-Z]{2}"),
        Column("at", TIMESTAMP, "When."),
        Column("kind", TEXT, "Kind.", one_of=("sale", "return")),
        Column("amount", INT, "Amount.", limits=(Limit("kind", "sale", 0, 99),)),
        Column("discount", INT, "Discount.", nullable=True, at_least=1),
        Column("note", TEXT, "Note.", nullable=True, one_of=("a", "b")),
        Column("gift", FLAG, "Gift.", nullable=True),
        Column("weight", Type.decimal(6, 3), "Weight.", nullable=True, at_least=Decimal("0.001"), at_most=999),
    ),
)
SOUND = {
    "code": "AB", "at": 1, "kind": "sale", "amount": 5, "discount": None, "note": None, "gift": None, "weight": None
}  # fmt: skip


def rows(*changes: dict[str, object]) -> pa.Table:
    """A sound row for each change, changed. Nothing is refused here that Arrow itself would refuse."""
    schema = pa.schema([field.with_nullable(True) for field in TABLE.schema])
    return pa.Table.from_pylist([{**SOUND, "at": at, **change} for at, change in enumerate(changes)], schema=schema)


def encoded(table: pa.Table, *names: str) -> pa.Table:
    for name in names:
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    return table


@pytest.mark.parametrize("texts", [(), ("code", "kind", "note")], ids=["plain", "dictionary"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": None}, "code is null: a value is required"),
        ({"at": None}, "at is null: a value is required"),
        ({"code": "ABC"}, "code is 'ABC': must match [A-Z]{2}"),
        ({"code": "AB\n"}, "code is 'AB\\n': must match [A-Z]{2}"),
        ({"code": ""}, "code is '': must match [A-Z]{2}"),
        ({"kind": "gift"}, "kind is 'gift': not one of the 2 allowed values"),
        ({"note": "c"}, "note is 'c': not one of the 2 allowed values"),
        ({"amount": -1}, "amount is -1: at least 0 is allowed where kind is sale"),
        ({"amount": 100}, "amount is 100: at most 99 is allowed where kind is sale"),
        ({"discount": 0}, "discount is 0: at least 1 is allowed"),
        ({"weight": Decimal("0")}, "weight is 0.000: at least 0.001 is allowed"),
        ({"weight": Decimal("999.001")}, "weight is 999.001: at most 999 is allowed"),
        (
            {"amount": -1, "code": "x"},
            "code is 'x': must match [A-Z]{2}; amount is -1: at least 0 is allowed where kind is sale",
        ),
    ],
)
def test_a_breach_is_reported_with_its_row_and_the_others_stay(change, reason, texts):
    candidates = encoded(rows({}, change, {"discount": 7, "note": "b"}), *texts)
    valid, refused = enforce(TABLE, candidates)
    assert refused == [(1, reason)]
    assert valid.equals(pa.concat_tables([candidates.slice(0, 1), candidates.slice(2)]).combine_chunks())


def test_the_range_is_not_for_rows_it_is_not_for():
    valid, refused = enforce(TABLE, rows({"kind": "return", "amount": -700}, {"kind": "sale", "amount": -700}))
    assert valid["kind"].to_pylist() == ["return"]
    assert [index for index, _ in refused] == [1]


def test_sound_rows_come_back_untouched():
    sound = rows(
        {}, {"amount": 0}, {"amount": 99}, {"note": "a"}, {"weight": Decimal("0.001")}, {"weight": Decimal(999)}
    )
    valid, refused = enforce(TABLE, sound)
    assert valid is sound
    assert refused == []


def test_no_rows_are_sound():
    assert enforce(TABLE, rows()) == (rows(), [])


def test_chunks_are_one_table():
    chunked = pa.concat_tables(
        [encoded(rows({}), "code"), encoded(rows({"code": "x"}), "code"), encoded(rows({}), "code")]
    )
    assert [index for index, _ in enforce(TABLE, chunked)[1]] == [1]


def test_a_dictionary_s_unused_texts_do_not_count():
    codes = pa.DictionaryArray.from_arrays(pa.array([1, 1], pa.int32()), pa.array(["wrong", "AB"]))
    candidates = rows({}, {}).set_column(0, "code", codes)
    assert enforce(TABLE, candidates)[1] == []


def test_other_columns_are_refused():
    with pytest.raises(ValueError, match="sale: columns are"):
        enforce(TABLE, rows({}).drop_columns(["note"]))


def test_a_sound_partition_keeps_its_contract():
    outcome = keeps_contract("silver/shop/sale for 2026-05-10", TABLE, rows({}, {}))
    assert outcome.passed
    assert outcome.description == "silver/shop/sale for 2026-05-10: 2 rows satisfy the contract."


def test_a_broken_partition_names_each_breach_and_how_often():
    outcome = keeps_contract("the day", TABLE, rows({"amount": -1}, {"amount": -1}, {"at": 0, "amount": 1}))
    assert not outcome.passed
    assert outcome.description == (
        "the day: the rows violate the contract of shop_sale: amount is -1: at least 0 is allowed where kind is sale "
        "(2×); rows repeat the natural key (code, at) (1×)."
    )


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda t: t.drop_columns(["note"]), "column note is missing"),
        (lambda t: t.append_column("more", pa.array([1])), "column more is not in the contract"),
        (lambda t: t.set_column(3, "amount", pa.array([5.0])), "column amount is double instead of int64"),
        (
            lambda t: t.set_column(7, "weight", pa.array([Decimal("1.25")], pa.decimal128(6, 2))),
            "column weight is decimal128(6, 2) instead of decimal128(6, 3)",
        ),
        (lambda t: t.set_column(7, "weight", pa.array([1.25])), "column weight is double instead of decimal128(6, 3)"),
        (lambda t: t.select(["at", "code", *t.column_names[2:]]), "columns are in the order at, code, kind"),
    ],
)
def test_another_schema_is_a_breach(change, difference):
    (found,) = breaches_of(TABLE, change(rows({})))
    assert found.startswith(difference)


def test_a_bound_of_a_decimal_may_be_any_whole_number_that_fits() -> None:
    """Arrow itself takes no whole number for a decimal with fewer than 19 digits."""
    wide = Column("weight", Type.decimal(18, 4), "Weight.", at_least=-(10**14) + 1, at_most=10**14 - 1)
    table = dataclasses.replace(TABLE, columns=(wide,))
    assert enforce(table, pa.table({"weight": pa.array([Decimal(10**14 - 1)], wide.type.arrow)}))[1] == []
    over = pa.table({"weight": pa.array([Decimal(10**14) - Decimal("0.0001")], wide.type.arrow)})
    assert enforce(table, over)[1] == [(0, "weight is 99999999999999.9999: at most 99999999999999 is allowed")]


def test_a_decimal_is_named_alike_in_both_warehouses() -> None:
    kind = Type.decimal(18, 4)
    assert (kind.name, kind.sql, kind.arrow) == ("decimal(18,4)", "decimal(18,4)", pa.decimal128(18, 4))
    assert kind == Type.decimal(18, 4) != Type.decimal(18, 3)
