"""Which columns a change of the models reaches: made-up models, and the file of this project against itself."""

import json

from vp_pipeline.dbt.project import COLUMNS_FILE
from vp_pipeline.generators.columns_reached import columns_reached, markdown

BEFORE = {
    "core_price": {"asin": {"type": "varchar", "from": []}, "price": {"type": "bigint", "from": []}},
    "fct_price": {
        "asin": {"type": "varchar", "from": [["core.core_price", "asin"]]},
        "old": {"type": "date", "from": []},
    },
    "mart_deals": {"asin": {"type": "varchar", "from": [["mart.fct_price", "asin"]]}},
}
NOW = {
    "core_price": {"asin": {"type": "varchar", "from": []}, "price": {"type": "decimal", "from": []}},
    "fct_price": {
        "asin": {"type": "varchar", "from": [["core.core_price", "asin"]]},
        "low": {"type": "decimal", "from": [["core.core_price", "price"]]},
    },
    "mart_deals": {
        "asin": {"type": "varchar", "from": [["mart.fct_price", "asin"]]},
        "is_low": {"type": "boolean", "from": [["mart.fct_price", "low"]]},
    },
}


def test_another_type_and_all_that_is_derived_from_it() -> None:
    assert columns_reached(BEFORE, NOW) == {"core_price": ["price"], "fct_price": ["low"], "mart_deals": ["is_low"]}
    printed = markdown(BEFORE, NOW)
    assert "- `mart_deals`: is_low" in printed
    assert "- gone: fct_price.old" in printed


def test_of_the_same_columns_none() -> None:
    columns = json.loads(COLUMNS_FILE.read_text())
    assert columns_reached(columns, columns) == {}
    assert "None" in markdown(columns, columns)


def test_a_column_of_the_project_reaches_what_reads_it() -> None:
    columns = json.loads(COLUMNS_FILE.read_text())
    before = {**columns, "core_keepa_price_change": {}}
    reached = columns_reached(before, columns)
    assert "core_keepa_price_daily" in reached
    assert any(model.startswith("mart_") for model in reached)
    assert not any("weather" in model for model in reached)
