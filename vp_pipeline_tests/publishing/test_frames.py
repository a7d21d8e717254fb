"""The published tables as pandas: the rows, their types, and what is refused."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.published import read, tables
from vp_pipeline.settings import Settings
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.publishing.marts import build, publisher_in, warehouse_in

# One column of each kind of value; the second row has none of them.
SALES = """
create or replace table mart.sales as
select
    'B000000001' as asin, date '2026-03-01' as sold_on, timestamp '2026-03-01 10:30:00' as sold_at, 7 as units,
    cast(7 as hugeint) as summed, cast(29.07 as decimal(18, 2)) as price, 0.25::double as share, true as is_new
union all select 'B000000002', date '2026-03-02', null, null, null, null, null, null
union all select 'B000000003', date '2026-03-03', null, 1, 1, cast(1.15 as decimal(18, 2)), 1, false
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = pipeline_settings(tmp_path)
    folder = settings.data_dir
    build(folder, 1)
    with warehouse_in(folder).connect() as connection:
        connection.execute(SALES)
        connection.execute(
            "create or replace table mart.spans as "
            "select timestamp '2026-03-01' as a, date '2026-03-02' as b, date '2026-03-03' as c"
        )
    publisher_in(folder).publish("run")
    return settings


def test_every_value_has_a_type_with_a_null_of_its_own(settings: Settings) -> None:
    sales = read("sales", settings=settings)
    assert {name: str(kind) for name, kind in sales.dtypes.items()} == {
        "asin": "string",
        "sold_on": "datetime64[us]",
        "sold_at": "datetime64[us]",
        "units": "Int64",
        "summed": "Int64",
        "price": "Float64",
        "share": "Float64",
        "is_new": "boolean",
    }
    first, second = sales.iloc[0], sales.iloc[1]
    assert list(first) == [
        "B000000001", pd.Timestamp(2026, 3, 1), pd.Timestamp(2026, 3, 1, 10, 30), 7, 7, 29.07, 0.25, np.True_,
    ]  # fmt: skip
    assert second.drop(["asin", "sold_on"]).isna().all()
    assert sales.attrs["build"] == "build-000001"


def test_money_is_the_nearest_number(tmp_path: Path) -> None:
    settings = pipeline_settings(tmp_path)
    build(settings.data_dir, 1)
    with warehouse_in(settings.data_dir).connect() as connection:
        connection.execute(
            "create table mart.prices as select i, cast(i / 100 as decimal(18, 2)) as price from range(5000) as t(i)"
        )
    publisher_in(settings.data_dir).publish("run")
    prices = read("prices", settings=settings)
    assert prices.price.tolist() == [float(Decimal(cents).scaleb(-2)) for cents in range(5000)]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"start": "2026-03-02"}, [2, 3]),
        ({"start": "2026-03-01", "end": "2026-03-03"}, [1, 2]),  # half-open
        ({"start": pd.Timestamp(2026, 3, 3).date()}, [3]),
        ({"asin": "B000000002"}, [2]),
        ({"asin": ["B000000003", "B000000001"]}, [1, 3]),
        ({"asin": []}, []),
        ({"units": None}, [2]),
        ({"asin": "B000000001", "end": "2026-03-01"}, []),
        ({"asin": "x' or 'x' = 'x"}, []),
        ({"start": "2026-03-01", "day": "sold_at"}, [1]),
    ],
)
def test_rows_are_chosen(settings: Settings, where: dict[str, object], found: list[int]) -> None:
    chosen = read("sales", settings=settings, columns=["asin"], **where)  # type: ignore[arg-type]
    assert chosen.columns.tolist() == ["asin"]
    assert chosen.asin.tolist() == [f"B00000000{number}" for number in found]


@pytest.mark.parametrize(
    ("table", "where", "message"),
    [
        ("sale", {}, "No table sale is published .* There are: deals, facts, figures, sales, spans"),
        ("sales", {"colour": "red"}, "sales has no column colour. It has: asin, sold_on"),
        ("sales", {"columns": ["nope"]}, "sales has no column nope"),
        ("sales", {"start": "2026-03-01", "day": "nope"}, "sales has no column nope"),
        ("facts", {"start": "2026-03-01"}, "facts has no column of days or times"),
        ("spans", {"start": "2026-03-01"}, "spans has 2 columns of days: name the column .* There are: a, b, c"),
        ("sales", {"start": "March"}, "The publication refused the query: Conversion Error"),
    ],
)
def test_what_is_not_there_is_named(settings: Settings, table: str, where: dict[str, object], message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        read(table, settings=settings, **where)  # type: ignore[arg-type]


def test_the_tables_are_listed(settings: Settings) -> None:
    assert tables(settings).values.tolist()[-2:] == [["sales", 3, "build-000001"], ["spans", 1, "build-000001"]]


def test_nothing_is_there_before_the_first_publication(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"Nothing was published yet .* Run a day first: `vp run`"):
        read("sales", settings=pipeline_settings(tmp_path))
