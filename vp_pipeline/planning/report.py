"""What a run would restate now, with what it costs: the content of `vp plan`.

Here: the plan of an environment, read from its parsed project and its warehouse; nothing is changed. Not here: the
comparison (`plan.py`), and what is printed (`cli/code_changes/plan.py`). Neither Dagster nor dbt is imported unless the
project has to be parsed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import orjson

from vp_pipeline import documents
from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.dbt.project import COLUMNS_FILE, manifest_path
from vp_pipeline.dbt.project_code import project_code
from vp_pipeline.lake.decoded_days import is_up_to_date, stale_days
from vp_pipeline.lake.objects import Lake
from vp_pipeline.planning.plan import model_plan
from vp_pipeline.publishing.publication import SCHEMAS
from vp_pipeline.quality.model_times import expected_seconds
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse import ledger, model_code
from vp_pipeline.warehouse.loading import Warehouse

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection

_NAMED = 5


@dataclass(frozen=True)
class PlannedModel:
    """A model that the next run would restate. `rows`: what it has now; None: it was never built. `read_by`: every
    model below it. `seconds`: what restating it is likely to take, from its last builds; None: it was not built so far.
    `added`, `dropped`: columns of a published table."""

    name: str
    relation: str
    reasons: tuple[str, ...]
    because_of: tuple[str, ...]
    read_by: tuple[str, ...]
    rows: int | None
    seconds: float | None = None
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What the next run would restate, parents first; `gone`: the models that it would drop; `days`: of each stream
    (`source/stream`) those that it would decode again, because its decoder has changed; `not_restated`: those that
    could not be, and that the marts exclude. Every run tries them again; they are no change of the code any more."""

    models: tuple[PlannedModel, ...] = ()
    gone: tuple[str, ...] = ()
    days: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    not_restated: Mapping[str, tuple[date, ...]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.models and not self.gone and not self.days

    @property
    def what(self) -> str:
        """What has changed itself, as a phrase; not what only reads it."""
        models = [f"{model.name} ({', '.join(model.reasons)})" for model in self.models if model.reasons]
        named = [f"the decoder of {stream}" for stream in self.days] + models
        named += [f"{name} (gone from the project)" for name in self.gone]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        return f"{', '.join(named[:_NAMED])}{more}"

    @property
    def cost(self) -> str:
        """What is made again, as a phrase: `12 models, 62,220 rows, about 4.1 s`."""
        days = [f"{len(of_stream)} days of {stream} from bronze" for stream, of_stream in self.days.items()]
        rows = sum(model.rows or 0 for model in self.models)
        seconds = sum(model.seconds or 0.0 for model in self.models)
        unknown = sum(model.seconds is None for model in self.models)
        without = f" without the {unknown} that were never built" if unknown else ""
        models = [f"{len(self.models)} models, {rows:,} rows, about {seconds:.1f} s{without}"] if self.models else []
        return ", ".join([*days, *models]) or "tables are dropped"


def plan_of(settings: Settings, warehouse: Warehouse, lake: Lake) -> Plan:
    """The plan of an environment. Models that were never built as a whole differ from nothing.

    Raises:
        PermanentError: dbt cannot parse the project, or the warehouse cannot be opened.
        TransientError: another process holds the warehouse.
    """
    manifest = manifest_path(settings)
    code = project_code(manifest)
    days: dict[str, tuple[date, ...]] = {}
    left: dict[str, tuple[date, ...]] = {}
    for stream in settings.streams:
        if stale := tuple(stale_days(lake, stream)):
            (left if is_up_to_date(lake, stream) else days)[f"{stream.source}/{stream.name}"] = stale
    with warehouse.connect(read_only=True) as connection:
        found = model_plan(code, model_code.built_with(connection))
        if found.is_empty or not ledger.is_built(connection):
            return Plan(days=days, not_restated=left)
        relations = _relations(manifest.read_bytes())
        there = _columns(connection)
        names = {change.name for change in found.changes}
        seconds = expected_seconds(connection, names, names)
    wanted = [relations[change.name] for change in found.changes]
    rows = warehouse.row_counts(wanted)
    declared = documents.read(COLUMNS_FILE, "`make generate` writes it again.") or {}
    models = []
    for change in found.changes:
        relation = relations[change.name]
        added, dropped = _shape(relation, there, declared.get(change.name, {}))
        models.append(
            PlannedModel(
                change.name,
                ".".join(relation),
                change.reasons,
                change.because_of,
                _read_by(change.name, code),
                rows.get(relation),
                seconds[change.name],
                added,
                dropped,
            )
        )
    return Plan(tuple(models), found.gone, days, left)


def _relations(manifest: bytes) -> dict[str, tuple[str, str]]:
    nodes = orjson.loads(manifest)["nodes"].values()
    return {n["name"]: (n["schema"], n["alias"]) for n in nodes if n["resource_type"] in ("model", "seed")}


def _columns(connection: "Connection") -> Mapping[tuple[str, str], Sequence[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(
        "select lower(table_schema), lower(table_name), lower(column_name) from information_schema.columns"
    ).fetchall():
        found.setdefault((schema, table), []).append(column)
    return found


def _shape(
    relation: tuple[str, str], there: Mapping[tuple[str, str], Sequence[str]], declared: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that a published table gets and loses; of other tables, and of new ones, none."""
    if relation[0] not in SCHEMAS or relation not in there or not declared:
        return (), ()
    before = there[relation]
    return tuple(c for c in declared if c not in before), tuple(c for c in before if c not in declared)


def _read_by(name: str, code: Mapping[str, ModelCode]) -> tuple[str, ...]:
    """Every model below one; `code` has parents first."""
    found: dict[str, None] = {}
    for each in code.values():
        if any(parent == name or parent in found for parent in each.parents):
            found[each.name] = None
    return tuple(found)
