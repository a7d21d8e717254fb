"""What a change of code does to what is published: the content of `vp diff`.

The models that differ, and everything below them, are built on a copy of the warehouse, and their tables compared with
the current publication. Here: that flow, the same on every engine. Not here: an engine's steps (`diff_duckdb.py`,
`diff_snowflake.py`), dbt (`diff_build.py`), one table (`diff_tables.py`), metrics (`diff_metrics.py`), and how it looks
(`diff_markdown.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.project import SEMANTIC_MANIFEST, manifest_path
from vp_pipeline.dbt.project_code import project_code
from vp_pipeline.failures import PermanentError
from vp_pipeline.planning.diff_engine import Copy, Engine
from vp_pipeline.planning.diff_metrics import MetricChange, metric_changes
from vp_pipeline.planning.diff_tables import TableDiff, differs, table_diff
from vp_pipeline.planning.plan import ModelPlan, model_plan
from vp_pipeline.publishing.metrics import Metrics
from vp_pipeline.publishing.publication import SCHEMAS, Publication
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.model_code import BuiltWith

SELECTED = "selected"


@dataclass(frozen=True)
class BuiltModel:
    """A model that was built on the copy, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Diff:
    """What the code would change in the publication `build_id`.

    `models`: what was built, parents first. `gone`: models that the project does not have any more. `left_out`: models
    whose code differs and that were not selected. `unpublished`: tables that already differed from the publication
    before the models were built: it is of another state of the data. `pending_days`: days that were loaded and not
    built yet. `tables`: those of the models built and gone, the ones without a difference too. `unchanged_metrics`:
    those that read a table that differs.
    """

    build_id: str
    models: tuple[BuiltModel, ...] = ()
    gone: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()
    pending_days: tuple[str, ...] = ()
    tables: tuple[TableDiff, ...] = ()
    metrics: tuple[MetricChange, ...] = ()
    unchanged_metrics: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether consumers would read anything else."""
        return any(table.differs for table in self.tables)


def code_diff(settings: Settings, engine: Engine, select: str | None, progress: Callable[[str], None]) -> Diff:
    """Compares what the code makes with what is published. `select`: models in dbt's syntax, to be built with all that
    is below them whether or not they differ; None: what differs. `progress`: is called with what happens now.

    Raises:
        PermanentError: nothing is built or published yet, the selection is wrong, or dbt cannot build the models.
        TransientError: a run holds the warehouse, or another diff is running.
    """
    published = _published(engine)
    manifest = manifest_path(settings)
    code = project_code(manifest)
    with engine.warehouse.connect(read_only=True) as connection:
        built = model_code.built_with(connection)
    plan = model_plan(code, built)
    if plan.is_empty and select is None:
        tables = _published_tables(_relations(manifest, list(code)).values())
        return Diff(published.build_id, unpublished=_unpublished(engine, None, tables))
    progress("Copying the warehouse")
    with engine.copy() as copy:
        models = _chosen(copy.settings, plan, code, select)
        gone = plan.gone if select is None else ()
        relations = _relations(manifest, [model.name for model in models])
        left = {name: built[name] for name in gone} | {
            name: built[name] for name in relations if name in built and built[name].relation != relations[name]
        }
        tables = _published_tables([*relations.values(), *(each.relation for each in left.values())])
        unpublished = _unpublished(engine, copy, tables)
        progress(f"Building {len(models)} models on a copy of the warehouse")
        pending_days = _prepare(copy, left)
        _build(copy.settings, {model.name: code[model.name].whole for model in models})
        progress("Comparing with what is published")
        keys = {relation: grains(manifest).get(name, ()) for name, relation in relations.items()}
        with engine.sides(copy) as sides:
            found = tuple(diff for table in tables if (diff := table_diff(sides, table, keys.get(table, ()))))
            metrics = Metrics(manifest.with_name(SEMANTIC_MANIFEST), settings.engine)
            moved, unchanged = metric_changes(sides, metrics, [each.table for each in found if each.differs])
    chosen = {model.name for model in models}
    left_out = tuple(change.name for change in plan.changes if change.name not in chosen)
    return Diff(published.build_id, models, gone, left_out, unpublished, pending_days, found, moved, unchanged)


def _published(engine: Engine) -> Publication:
    found = engine.marts.current()
    if found is None:
        where = engine.marts.address
        raise PermanentError(f"Nothing was published yet ({where}), so there is nothing to compare with: `vp run`.")
    return found


def _chosen(
    scratch: Settings, plan: ModelPlan, code: Mapping[str, ModelCode], select: str | None
) -> tuple[BuiltModel, ...]:
    """The models to build, parents first."""
    why = {change.name: change.why for change in plan.changes}
    if select is None:
        return tuple(BuiltModel(name, reason) for name, reason in why.items())
    from vp_pipeline.planning.diff_build import selected, with_descendants  # deferred import: Dagster and dbt

    wanted = selected(scratch, select)
    chosen = with_descendants(wanted, code)
    found = []
    for name in chosen:
        parents = ", ".join(parent for parent in code[name].parents if parent in chosen)
        found.append(BuiltModel(name, why.get(name, SELECTED if name in wanted else f"reads {parents}")))
    return tuple(found)


def _unpublished(engine: Engine, copy: Copy | None, tables: Sequence[str]) -> tuple[str, ...]:
    """The tables that the copy, or the warehouse itself, has otherwise than the publication."""
    with engine.sides(copy) as sides:
        return tuple(table for table in tables if differs(sides, table))


def _prepare(copy: Copy, left: Mapping[str, BuiltWith]) -> tuple[str, ...]:
    """Drops what no model makes any more from the copy; returns the days that are loaded and not built yet."""
    with copy.warehouse.connect() as connection:
        model_code.drop(connection, left)
        return tuple(day.isoformat() for day in ledger.pending_days(connection))


def _build(scratch: Settings, models: Mapping[str, str]) -> None:
    if models:
        from vp_pipeline.planning.diff_build import build  # deferred import: Dagster and dbt take seconds

        build(scratch, models)


def _relations(manifest: Path, models: Sequence[str]) -> dict[str, str]:
    """Where the rows of each of the models are, as schema.name. Views have none: those that are published show what
    there is of runs, which no two publications have in common."""
    nodes = orjson.loads(manifest.read_bytes())["nodes"].values()
    kinds = ("model", "seed")
    stored = [node for node in nodes if node["resource_type"] in kinds and node["config"]["materialized"] != "view"]
    found = {node["name"]: f"{node['schema']}.{node['alias']}" for node in stored}
    return {name: found[name] for name in models if name in found}


def _published_tables(relations: Iterable[str]) -> list[str]:
    """Those in the schemas that are published, in order."""
    return sorted({relation for relation in relations if relation.partition(".")[0] in SCHEMAS})
