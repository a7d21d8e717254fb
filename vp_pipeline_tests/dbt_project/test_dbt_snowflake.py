"""The same project on Snowflake, without an account: every statement that dbt would send, read as Snowflake's SQL.

dbt runs its materializations on the real adapter, of which only the way to the server is cut; what it sends is kept.
Not here: whether Snowflake computes what DuckDB does; nothing in this file runs any SQL.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import agate
import pytest
import sqlglot
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.snowflake import SnowflakeAdapter
from dbt.adapters.snowflake.column import SnowflakeColumn
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from sqlglot import exp

from vp_pipeline.dbt.environment import dbt_environment
from vp_pipeline.settings import load_settings
from vp_pipeline.warehouse.snowflake import SESSION_PARAMETERS
from vp_pipeline_tests.dbt_project.conftest import PROJECT, parsed
from vp_pipeline_tests.test_service_settings import COMPLETE, CONNECTED

pytestmark = pytest.mark.integration

# What Snowflake has of the functions that the project's statements call, by the names in its reference.
FUNCTIONS = set(
    """
    abs array_generate_range cast coalesce contains count date_trunc dateadd datediff extract first_value flatten floor
    greatest lag lead least max median min mod nullif power round row_number split_part sum convert_timezone
    current_timestamp to_timestamp to_date current_date current_database current_schema hash
    """.split()  # noqa: SIM905
)
# Words of other engines that Snowflake does not know, though a parser lets them pass.
# `timestamp` without a suffix is what the account says it is.
FOREIGN = re.compile(
    r"//|\bas timestamp\s*\)|\bunnest\s*\(|\bgenerate_series\s*\(|\bfilter\s*\(\s*where|\bgroup by all\b|::\w+\[\]",
    re.I,
)


class Sent:
    """Every statement that dbt would have sent."""

    def __init__(self) -> None:
        self.statements: list[str] = []


@pytest.fixture(scope="module", params=["first run", "later run"])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """`dbt build` of everything on Snowflake, on an empty database and on one that has every table."""
    later, folder, kept = request.param == "later run", tmp_path_factory.mktemp("snowflake"), Sent()
    settings = load_settings({**COMPLETE, **CONNECTED, "VP_DATA_DIR": str(folder)})
    manifest = parsed(settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in dbt_environment(settings, connects=False).items():
            patch.setenv(name, value)
        columns = {
            node.name: list(node.columns) for node in manifest.nodes.values() if node.resource_type in ("model", "seed")
        }

        def execute(self: Any, sql: str, *_: Any, **__: Any) -> Any:
            kept.statements.append(sql)
            return AdapterResponse("OK"), agate.Table([], [])

        def add_query(self: Any, sql: str, *_: Any, **__: Any) -> Any:
            kept.statements.append(sql)
            return None, None

        def relations(self: Any, schema_relation: Any) -> list[Any]:
            there = [
                node
                for node in manifest.nodes.values()
                if later
                and node.resource_type in ("model", "seed")
                and node.schema.lower() == schema_relation.schema.lower()
            ]
            return [
                self.Relation.create(
                    database=node.database.upper(),
                    schema=node.schema.upper(),
                    identifier=node.name.upper(),
                    type="view" if node.config.materialized == "view" else "table",
                    quote_policy=schema_relation.quote_policy,
                )
                for node in there
            ]

        def columns_of(self: Any, relation: Any) -> list[Any]:
            name = relation.identifier.lower().removesuffix("__dbt_tmp")
            return [SnowflakeColumn(column, "varchar") for column in columns.get(name, ())]

        patch.setattr(SnowflakeAdapter, "execute", execute)
        patch.setattr(SnowflakeAdapter, "add_query", add_query)
        patch.setattr(SnowflakeAdapter, "list_relations_without_caching", relations)
        patch.setattr(SnowflakeAdapter, "get_columns_in_relation", columns_of)
        patch.setattr(SnowflakeAdapter, "list_schemas", lambda self, database: [])
        patch.setattr(SnowflakeAdapter, "check_schema_exists", lambda self, database, schema: True)
        patch.setattr(SnowflakeAdapter, "expand_target_column_types", lambda self, *_, **__: None)
        window = ["--event-time-start", "2026-11-20", "--event-time-end", "2026-11-21"] if later else []
        result = invoke(folder, manifest, "run", *window)
        bad = [f"{r.node.name}: {r.message}" for r in result.result.results if r.status != "success"]
        assert result.success, "\n".join(bad)
        tests = invoke(folder, manifest, "compile").result.results
        kept.statements += [r.node.compiled_code for r in tests if r.node.resource_type == "test"]
        yield kept


def invoke(folder: Path, manifest: Manifest, *arguments: str) -> Any:
    project = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", "snowflake")
    paths = ("--target-path", str(folder / "target"), "--log-path", str(folder / "logs"))
    quietly = ("--quiet", "--log-level-file", "none", "--no-write-json")
    return dbtRunner(manifest).invoke([*arguments, *project, *paths, *quietly])


def test_every_statement_is_snowflakes(sent: Sent) -> None:
    assert len(sent.statements) > 100
    unknown = set()
    for statement in sent.statements:
        try:
            trees = sqlglot.parse(statement, read="snowflake", error_level=sqlglot.ErrorLevel.RAISE)
        except sqlglot.ParseError as error:
            pytest.fail(f"{error}\n{statement}")
        for tree in filter(None, trees):
            assert not isinstance(tree, exp.Command) or tree.name.lower() in ("comment", "show", "describe"), statement
        code = re.sub(r"--[^\n]*|/\*.*?\*/|'[^']*'", " ", statement, flags=re.S)
        assert not FOREIGN.search(code), statement
        unknown |= {name.lower() for name in re.findall(r"(?<![\w.])([a-z]\w*)\s*\(", code, re.I)} - WORDS - FUNCTIONS
    assert unknown == set()


def test_every_node_begins_with_the_parameters_that_results_depend_on(sent: Sent) -> None:
    statements = [statement.strip() for statement in sent.statements]
    tagged = [n for n, statement in enumerate(statements) if statement.startswith("alter session set query_tag")]
    assert len(tagged) > 30
    assert statements.count("rollback") == len(tagged)  # several threads: which comes before which cannot be seen here
    for n in tagged:
        found = dict(re.findall(r"(\w+) = ('[^']*'|\w+)(?=, |$)", statements[n].partition("', ")[2]))
        values = {name.upper(): value.strip("'") for name, value in found.items()}
        assert values == {name: str(value).replace("False", "false") for name, value in SESSION_PARAMETERS.items()}


def test_no_division_fails_on_zero(sent: Sent) -> None:
    """x / 0 is null or infinite on DuckDB and an error on Snowflake, also in rows that the same SELECT filters out."""
    bare = {
        f"{node.sql('snowflake')} in: {' '.join(statement.split())[:120]}"
        for statement in sent.statements
        for tree in filter(None, sqlglot.parse(statement, read="snowflake"))
        for node in tree.find_all(exp.Div, exp.IntDiv, exp.Mod)
        if not is_never_zero(node.expression)
    }
    assert bare == set(), "divide by nullif(…, 0)"


def is_never_zero(divisor: exp.Expression) -> bool:
    """Null is no zero: what is divided by it is null on both engines."""
    divisor = divisor.unnest()
    if isinstance(divisor, exp.Nullif):
        return divisor.expression.is_number and float(divisor.expression.name) == 0
    if isinstance(divisor, exp.Pow):
        return is_never_zero(divisor.this)
    return divisor.is_number and float(divisor.name) != 0


# Words before a bracket that are not functions.
WORDS = set(
    """
    and as by exists from having in into lateral not on or over partition select then union using
    values when where with varchar decimal numeric number timestamp table if all join else
    """.split()  # noqa: SIM905
)
