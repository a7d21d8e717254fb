"""The columns of the dbt models, their types and what each is derived from, for the Dagster UI (`make generate`).

Here: building the project on an empty warehouse and reading the SQL that dbt compiled. Not here: descriptions (the
project's YAML), and how Dagster displays it (`assets/metadata.py`). Read at load time from the file it costs nothing;
read from the warehouse at run time it would cost every run two queries per model.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from vp_pipeline.dbt.environment import SOURCES_VARIABLE, WAREHOUSE_VARIABLE
from vp_pipeline.dbt.in_process import executed
from vp_pipeline.dbt.project import DBT_PROJECT_DIR
from vp_pipeline.sources.contract import RAW_COLUMNS
from vp_pipeline.sources.registry import NAMES, STREAMS

if TYPE_CHECKING:
    import duckdb

# Model → column → its type and the ("layer.relation", column) pairs that its values come from.
Columns = dict[str, dict[str, dict[str, Any]]]
Prepare = Callable[["duckdb.DuckDBPyConnection"], object]


def text(create_own_tables: Prepare) -> str:
    """What the file should hold: one project, one text. `create_own_tables`: makes an empty warehouse of a database."""
    columns = columns_of_the_project(create_own_tables)
    lines = (f'"{model}": {json.dumps(of_model)}' for model, of_model in sorted(columns.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def columns_of_the_project(create_own_tables: Prepare) -> Columns:
    """Every model's columns, from a build of the project without any rows."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.duckdb"
        with duckdb.connect(str(path)) as connection:
            create_own_tables(connection)
            for _, stream in STREAMS:
                for table in stream.tables:
                    columns = ", ".join(f'"{c.name}" {c.type.sql}' for c in (*table.columns, *RAW_COLUMNS))
                    connection.execute(f"create table raw.{table.raw_name} ({columns})")
        _dbt(path, "seed")
        built = [result.node for result in _dbt(path, "run") if result.node.resource_type == "model"]
        compiled = {node.name: node.compiled_code for node in built}
        with duckdb.connect(str(path)) as connection:
            types: dict[str, dict[str, str]] = {}
            for relation, column, kind in connection.execute(
                "select table_schema || '.' || table_name, column_name, lower(data_type)"
                " from information_schema.columns order by table_schema, table_name, ordinal_position"
            ).fetchall():
                types.setdefault(relation, {})[column] = kind
    schema = {relation: columns for relation, columns in types.items() if not relation.startswith("main.")}
    by_name = {relation.split(".")[1]: columns for relation, columns in schema.items()}
    return {
        name: {
            column: {"type": kind, "from": origins}
            for (column, origins), kind in zip(lineage(sql, schema).items(), by_name[name].values(), strict=True)
        }
        for name, sql in compiled.items()
    }


def lineage(sql: str, schema: Mapping[str, Mapping[str, str]]) -> dict[str, list[list[str]]]:
    """For each column of a query the ("layer.relation", column) pairs that its values come from, conditions aside."""
    nested: dict[str, Any] = {}
    for relation, columns in schema.items():
        layer, name = relation.split(".")
        nested.setdefault(layer, {})[name] = dict(columns)
    tree = sqlglot.parse_one(sql, read="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)
    qualified = qualify(tree, schema=nested, dialect="duckdb", validate_qualify_columns=False, identify=False)
    root = build_scope(qualified)
    assert root is not None
    known: dict[tuple[int, str], frozenset[tuple[str, str]]] = {}
    names = [projection.alias_or_name for projection in _selects(root)]
    return {name: [list(origin) for origin in sorted(_origins(root, name, known))] for name in names}


def _origins(
    scope: Scope, name: str, known: dict[tuple[int, str], frozenset[tuple[str, str]]]
) -> frozenset[tuple[str, str]]:
    key = (id(scope), name)
    if key not in known:
        known[key] = frozenset()  # a recursive query adds nothing of its own
        known[key] = frozenset(_found(scope, name, known))
    return known[key]


def _found(
    scope: Scope, name: str, known: dict[tuple[int, str], frozenset[tuple[str, str]]]
) -> Iterator[tuple[str, str]]:
    if scope.set_operation_scopes:
        place = [p.alias_or_name for p in _selects(scope)].index(name)
        for part in scope.set_operation_scopes:
            selects = _selects(part)
            yield from _origins(part, selects[place].alias_or_name, known)
        return
    projection = next((p for p in _selects(scope) if p.alias_or_name == name), None)
    if projection is None:
        return
    for column in projection.find_all(exp.Column):
        if any(
            isinstance(parent, exp.Window) and column in parent.args.get("partition_by", ())
            for parent in _above(column)
        ):
            continue  # it groups rows and adds nothing to their values
        source = scope.sources.get(column.table)
        if isinstance(source, Scope):
            yield from _origins(source, column.name, known)
        elif isinstance(source, exp.Table):
            yield f"{source.db}.{source.name}", column.name


def _above(column: exp.Column) -> Iterator[Any]:
    parent: Any = column.parent
    while parent is not None and not isinstance(parent, exp.Select):
        yield parent
        parent = parent.parent


def _selects(scope: Scope) -> list[Any]:
    """What a query selects; of a union what its first part does."""
    while scope.set_operation_scopes:
        scope = scope.set_operation_scopes[0]
    query: Any = scope.expression
    return list(query.selects)


def _dbt(path: Path, command: str) -> Any:
    environment = {WAREHOUSE_VARIABLE: str(path), SOURCES_VARIABLE: ",".join(NAMES)}
    project = [f"--project-dir={DBT_PROJECT_DIR}", f"--profiles-dir={DBT_PROJECT_DIR}"]
    paths = [f"--target-path={path.parent / 'target'}", f"--log-path={path.parent}"]
    return executed(["--quiet", "--log-level-file", "none", command, *project, *paths], environment)
