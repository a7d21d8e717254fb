"""The governed metrics, queried from the publication: what `vp metrics` does.

Here: MetricFlow on the project's semantic models (`*_metrics.yml` in `dbt_project/models/marts/`), which writes the
SQL, and the result. Not here: what a metric means.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vp_pipeline import documents
from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.reader import PublishedMarts

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine

Engine = Literal["duckdb", "snowflake"]
# A metric's `config.meta` key: what it is always broken down by.
_ALWAYS_BY = "always_by"


class MetricsError(PermanentError):
    """A query that cannot be made; the message lists what can."""


@dataclass(frozen=True)
class Metric:
    """A metric as it is defined. `always_by`: what it is broken down by in any case. `unit`: what it counts, or the
    dimension that has the currency of an amount of money."""

    name: str
    description: str
    unit: str
    always_by: tuple[str, ...]


@dataclass(frozen=True)
class MetricQuery:
    """Which metrics, by what, where and when; names are those of the semantic models (`product__current_brand`).

    `where`: conditions in MetricFlow's syntax, `{{ Dimension('product__asin') }} = 'B0SBXTWO06'`. `first` and `last`:
    days, both included. `order`: names, descending with a `-`; rows that are equal in them are in the order of `by`.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    order: tuple[str, ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class MetricResult:
    """The rows, their column names, and the SQL of the query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    sql: str


class Metrics:
    """The metrics of a parsed project. `semantic_manifest`: the file that dbt writes beside its manifest. `engine`:
    whose SQL is written. `schema`: the one that holds every table; None: each is in the schema that dbt builds it in.
    """

    def __init__(self, semantic_manifest: Path, engine: Engine = "duckdb", schema: str | None = None) -> None:
        self._written_for: Engine = engine
        remedy = f"Remove the folder {semantic_manifest.parent}: the project is parsed again."
        self._document: dict[str, Any] = documents.read(semantic_manifest, remedy) or {}
        for model in self._document["semantic_models"]:
            relation = model["node_relation"]
            # Without the database: whichever is connected.
            relation["relation_name"] = f"{schema or relation['schema_name']}.{relation['alias']}"

    @property
    def all(self) -> tuple[Metric, ...]:
        """Every metric, by name."""
        found = []
        for metric in sorted(self._document["metrics"], key=itemgetter("name")):
            meta: Mapping[str, Any] = (metric.get("config") or {}).get("meta") or {}
            always_by = tuple(meta.get(_ALWAYS_BY, ()))
            found.append(Metric(metric["name"], metric["description"].strip(), str(meta.get("unit", "")), always_by))
        return tuple(found)

    def dimensions(self, names: Sequence[str]) -> tuple[str, ...]:
        """What these metrics may be broken down by; times without their granularities."""
        self._check(names)
        found = self._engine.simple_dimensions_for_metrics(list(names))
        return tuple(sorted({dimension.granularity_free_dunder_name for dimension in found}))

    def sql(self, query: MetricQuery) -> str:
        """The SQL of a query.

        Raises:
            MetricsError: the metric is unknown, or cannot be queried this way.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest, OutputColumnOrderMode
        from metricflow_semantics.errors.error_classes import InvalidQueryException

        self._check(query.metrics)
        always = [by for metric in self.all if metric.name in query.metrics for by in metric.always_by]
        parts = list(dict.fromkeys([*query.by, *always]))
        ordered = {name.removeprefix("-") for name in query.order}
        request = MetricFlowQueryRequest.create(
            metric_names=list(query.metrics),
            group_by_names=parts,
            where_constraints=list(query.where) or None,
            time_constraint_start=datetime.combine(query.first, time.min) if query.first else None,
            time_constraint_end=datetime.combine(query.last, time.min) if query.last else None,
            order_by_names=[*query.order, *(name for name in parts if name not in ordered)] or None,
            limit=query.limit,
            output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
        )
        try:
            return self._engine.explain(request).sql_statement.without_descriptions.sql
        except InvalidQueryException as error:
            raise MetricsError(
                f"{', '.join(query.metrics)} cannot be queried this way. By and where may name "
                f"{', '.join(self.dimensions(query.metrics))} "
                "(a time with __day, __week, __month, __quarter or __year). "
                f"MetricFlow reports: {' '.join(str(error).split())[:500]}"
            ) from None

    def query(self, marts: PublishedMarts, query: MetricQuery) -> MetricResult:
        """Runs a query on the current publication.

        Raises:
            MetricsError: as `sql`.
            PermanentError: nothing is published yet, or the engine refuses the query.
            TransientError: another build was published meanwhile, or Snowflake does not respond.
        """
        sql = self.sql(query)
        with marts.open() as publication:
            rows = publication.query(sql)
        columns = [[_plain(value) for value in column.to_pylist()] for column in rows.columns]
        return MetricResult(tuple(rows.column_names), tuple(zip(*columns, strict=True)), sql)

    def _check(self, names: Sequence[str]) -> None:
        known = [metric.name for metric in self.all]
        for name in names:
            if name not in known:
                raise MetricsError(f"Unknown metric: {name}. There are: {', '.join(known)}.")

    @cached_property
    def _engine(self) -> "MetricFlowEngine":
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        manifest = parse_manifest_from_dbt_generated_manifest(json.dumps(self._document))
        return MetricFlowEngine(SemanticManifestLookup(manifest), _dialect(self._written_for))


def amount(value: Any, currency: str) -> str:
    """An amount of money with the decimal places that its currency has, and the currency: 18.32 EUR, 3,050 JPY.
    `currency`: ISO 4217."""
    from babel.numbers import get_currency_precision  # deferred import: it reads its tables

    return f"{value:,.{get_currency_precision(currency)}f} {currency}"


def _dialect(engine: Engine) -> Any:
    """What MetricFlow needs to know of the engine to write SQL; it runs none."""
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow.sql.render.snowflake import SnowflakeSqlPlanRenderer

    of_snowflake = engine == "snowflake"

    class Dialect:
        sql_engine_type = SqlEngine.SNOWFLAKE if of_snowflake else SqlEngine.DUCKDB
        sql_plan_renderer = SnowflakeSqlPlanRenderer() if of_snowflake else DuckDbSqlPlanRenderer()

    return Dialect()


def _plain(value: object) -> object:
    """A sum of integers is a decimal without places for the engines."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
