"""The dbt project and the Python contracts agree: sources, staging, marketplaces, price types, weather variables."""

import copy
import csv
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from dbt.contracts.graph.manifest import Manifest

from vp_pipeline.generators import dbt_sources
from vp_pipeline.sources.contract import RAW_COLUMNS
from vp_pipeline.sources.keepa.series import DOMAINS, SERIES
from vp_pipeline.sources.open_meteo.variables import VARIABLES
from vp_pipeline.sources.sp_api.marketplaces import MARKETPLACES
from vp_pipeline.sources.sp_api.tables import PENDING, STATUSES
from vp_pipeline_tests.dbt_project.conftest import PROJECT, TABLES
from vp_pipeline_tests.sources.sp_api.orders import decoded, landed, order_v0
from vp_pipeline_tests.sources.sp_api.orders import rows as rows_of


def source_yaml() -> dict[str, Any]:
    files = (PROJECT / "models" / "staging").glob("*/_*__sources.yml")
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return {table["name"]: table for document in documents for table in document["sources"][0]["tables"]}


def drift(declared: dict[str, Any]) -> list[str]:
    """Every difference between the contracts and the source YAML, in both directions."""
    contracts = {
        table.raw_name: [(c.name, c.type.sql, c.nullable) for c in (*table.columns, *RAW_COLUMNS)] for table in TABLES
    }
    found = [f"{name}: only in the contracts" for name in contracts.keys() - declared.keys()]
    found += [f"{name}: only in the YAML" for name in declared.keys() - contracts.keys()]
    for name in contracts.keys() & declared.keys():
        columns = [(c["name"], c["data_type"], c["config"]["meta"]["nullable"]) for c in declared[name]["columns"]]
        found += [f"{name}.{c[0]} {c[1:]}: only in the contract" for c in contracts[name] if c not in columns]
        found += [f"{name}.{c[0]} {c[1:]}: only in the YAML" for c in columns if c not in contracts[name]]
        if not found and columns != contracts[name]:
            found.append(f"{name}: the columns are in another order")
    return sorted(found)


def test_sources_are_the_contracts() -> None:
    assert drift(source_yaml()) == []


def _drop_table(tables: dict[str, Any]) -> None:
    del tables["keepa_stats"]


def _drop_column(tables: dict[str, Any]) -> None:
    del tables["keepa_price"]["columns"][5]


def _add_column(tables: dict[str, Any]) -> None:
    extra = {"name": "extra", "data_type": "bigint", "config": {"meta": {"nullable": True}}}
    tables["keepa_price"]["columns"].append(extra)


def _change_type(tables: dict[str, Any]) -> None:
    tables["keepa_price"]["columns"][5]["data_type"] = "varchar"


def _change_nullability(tables: dict[str, Any]) -> None:
    tables["keepa_price"]["columns"][0]["config"]["meta"]["nullable"] = True


def _change_order(tables: dict[str, Any]) -> None:
    tables["keepa_price"]["columns"].reverse()


@pytest.mark.parametrize(
    "change", [_drop_table, _drop_column, _add_column, _change_type, _change_nullability, _change_order]
)
def test_every_kind_of_drift_is_seen(change: Callable[[dict[str, Any]], None]) -> None:
    changed = copy.deepcopy(source_yaml())
    change(changed)
    assert drift(changed) != []


def seeded(name: str) -> list[tuple[str, ...]]:
    with (PROJECT / f"seeds/{name}.csv").open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def test_marketplaces_are_the_domains() -> None:
    assert seeded("seed_marketplaces") == [
        (str(d.id), d.code, d.host, d.currency, str(d.minor_digits)) for d in DOMAINS.values()
    ]


def test_price_types_are_the_series() -> None:
    assert seeded("seed_price_types") == [
        (str(s.index), s.name, s.kind, str(s.kind == "price").lower(), str(s.with_shipping).lower()) for s in SERIES
    ]


def test_amazons_marketplaces_are_those_of_the_source() -> None:
    assert seeded("seed_amazon_marketplaces") == [
        (m.id, m.country, m.currency, m.time_zone, str(m.includes_tax).lower()) for m in MARKETPLACES.values()
    ]


def test_order_statuses_are_those_of_the_contract() -> None:
    rows = seeded("seed_order_statuses")
    assert tuple(row[0] for row in rows) == STATUSES
    assert tuple(row[0] for row in rows if row[3] == "true") == PENDING
    for status, v0_status, *_ in rows:
        (found,) = rows_of(decoded(landed(order_v0(v0_status), items=[]))["order"])
        assert found["order_status"] == status


def test_weather_has_the_contracts_variables_in_its_units(manifest: Manifest) -> None:
    listed = re.findall(r"'(\w+)'", manifest.macros["macro.vp_pipeline.weather_variables"].macro_sql)
    assert listed == [variable.name for variable in VARIABLES]
    columns = manifest.nodes["model.vp_pipeline.fct_weather_hourly"].columns
    assert list(columns)[-len(listed) :] == listed
    for variable in VARIABLES:
        unit = "WMO's table 4677" if variable.unit == "wmo code" else f"Unit: {variable.unit}."
        assert unit in columns[variable.name].description, variable.name


def test_staging_has_the_contracts_columns(module_warehouse: Any) -> None:
    module_warehouse.must("run", "--select", "staging")
    for table in TABLES:
        view = module_warehouse.rows(f"select column_name, column_type from (describe stg.stg_{table.raw_name})")
        assert view == [
            (name, c.type.sql.upper())
            for c in (*table.columns, *RAW_COLUMNS)
            if (name := dbt_sources.staging_name(c.name)) is not None
        ]


def test_the_documentation_can_be_generated(warehouse: Any) -> None:
    catalog = warehouse.must("docs", "generate").result
    assert {key.split(".")[-1] for key in catalog.sources} == {table.raw_name for table in TABLES}
    assert not catalog.errors
