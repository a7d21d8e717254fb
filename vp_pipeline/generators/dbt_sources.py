"""The YAML of dbt's sources and staging models, from the Python contracts.

Here: everything in `models/staging/<source>/*.yml`: columns, types, nullability, keys; and the names of the sources.
The contracts (`vp_pipeline/sources/<source>/`) are the one place to change; a test fails while a file is out of date.
Not here: the staging SQL (names its columns itself; a test compares them) and every other model's YAML (by hand).
"""

from pathlib import Path
from typing import Any

import yaml

from vp_pipeline.dbt.environment import SOURCES_VARIABLE
from vp_pipeline.dbt.project import DBT_PROJECT_DIR
from vp_pipeline.quality.freshness import FAIL_AFTER_HOURS, WARN_AFTER_HOURS
from vp_pipeline.sources.contract import RAW_COLUMNS, Column, Table
from vp_pipeline.sources.registry import SOURCES

FOLDER = DBT_PROJECT_DIR / "models" / "staging"
ALL = DBT_PROJECT_DIR / "macros" / "enabled_sources.sql"
HEADER = "# Written by `make generate` from the Python contracts: change those, then run it.\n"


def files() -> dict[Path, str]:
    """Each file and the text that it should hold."""
    found = {}
    for source in SOURCES:
        tables = tuple(table for stream in source.streams for table in stream.tables)
        folder = FOLDER / source.name
        found[folder / f"_{source.name}__sources.yml"] = HEADER + _yaml(sources(source.name, tables))
        found[folder / f"_{source.name}__models.yml"] = HEADER + _yaml(staging(source.name, tables))
    found[ALL] = _all_sources()
    return found


def _all_sources() -> str:
    names = ",".join(source.name for source in SOURCES)
    return (
        "{#- Written by `make generate`. The sources whose models the project has; VP_SOURCES unset: all. -#}\n"
        "{% macro enabled_sources() -%}\n"
        f"    {{{{ return(env_var('VP_SOURCES', '{names}').split(',')) }}}}\n"
        "{%- endmacro %}\n"
    )


def sources(source: str, tables: tuple[Table, ...]) -> dict[str, Any]:
    """The source `raw`: one table per contract, with the columns that RAW adds."""
    return {
        "version": 2,
        "sources": [
            {
                "name": "raw",
                "schema": "raw",
                "description": "Typed rows as loaded: a day is deleted and loaded as a whole, in one transaction.",
                "config": {
                    "enabled": _is_on(source),
                    # The end of the newest day, not the moment of loading: a load of an old day makes nothing fresh.
                    "loaded_at_field": "cast(_run_date as timestamp) + interval '1 day'",
                    "freshness": {
                        "warn_after": {"count": WARN_AFTER_HOURS, "period": "hour"},
                        "error_after": {"count": FAIL_AFTER_HOURS, "period": "hour"},
                    },
                },
                "tables": [_source_table(table) for table in tables],
            }
        ],
    }


def staging(source: str, tables: tuple[Table, ...]) -> dict[str, Any]:
    """The staging models: one per RAW table, the same columns under the project's names."""
    return {"version": 2, "models": [_staging_model(source, table) for table in tables]}


def staging_name(column: str) -> str | None:
    """The name that a RAW column has in staging; None: it is left out (it adds nothing)."""
    renamed = {"_run_date": "run_date", "_source_object": "source_object", "_loaded_at": "loaded_at"}
    return None if column == "_snapshot_at" else renamed.get(column, column)


def _is_on(source: str) -> str:
    """Whether the source is on: one that is off has no models. The variable names those that are; unset: all."""
    return f"{{{{ '{source}' in env_var('{SOURCES_VARIABLE}', '{source}').split(',') }}}}"


def _source_table(table: Table) -> dict[str, Any]:
    return {
        "name": table.raw_name,
        "description": f"{table.description} Grain: {table.grain}, within a run_date.",
        "config": {"meta": {"dagster": {"asset_key": ["raw", table.raw_name]}}},
        "columns": [_source_column(column) for column in (*table.columns, *RAW_COLUMNS)],
    }


def _source_column(column: Column) -> dict[str, Any]:
    meta: dict[str, Any] = {"nullable": column.nullable}
    if column.unit is not None:
        meta["unit"] = column.unit
    return {
        "name": column.name,
        "data_type": column.type.sql,
        "description": column.description,
        "config": {"meta": meta},
    }


def _staging_model(source: str, table: Table) -> dict[str, Any]:
    return {
        "name": f"stg_{table.raw_name}",
        "description": f"{table.description} RAW under the project's names; no logic.",
        "config": {"enabled": _is_on(source), "meta": {"grain": f"{table.grain}, and run_date"}},
        "data_tests": [
            _key_test(table, "key_is_unique", "unique_combination"),
            _key_test(table, "is_complete", "not_null_columns"),
        ],
        "columns": [
            {"name": name, "description": _with_unit(column)}
            for column in (*table.columns, *RAW_COLUMNS)
            if (name := staging_name(column.name)) is not None
        ],
    }


def _key_test(table: Table, name: str, test: str) -> dict[str, Any]:
    columns = [*table.natural_key, "run_date"]
    return {
        "name": f"stg_{table.raw_name}_{name}",
        "test_name": test,
        "arguments": {"columns": columns, "in_window": True},
    }


def _with_unit(column: Column) -> str:
    return column.description if column.unit is None else f"{column.description} Unit: {column.unit}."


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
