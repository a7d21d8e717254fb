"""Which code each model in the warehouse was built with.

Here: the queries of two tables; the SQL is what DuckDB and Snowflake both take. Not here: creating them
(`migrations.py`), what makes a fingerprint (`dbt/fingerprints.py`), and the record itself, which dbt writes in the
transaction that builds the model (`dbt_project/macros/restating.sql`).

    raw._models       a model and the fingerprint of the code, its own and all upstream, that made all of its rows
    raw._model_code   what a fingerprint stands for, so that a later one can be compared with it part by part
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.warehouse.connection import transaction

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection


@dataclass(frozen=True)
class BuiltWith:
    """The code that made a model's rows: `whole`, with everything upstream; `own` and `parts` as in `ModelCode`, empty
    where only the fingerprint is known. `relation`: where the rows are, as schema.name."""

    whole: str
    own: str = ""
    parts: Mapping[str, Mapping[str, str]] | None = None
    relation: str = ""


def built_with(connection: "Connection") -> dict[str, BuiltWith]:
    """The recorded code of each model; one that is not in it was built by a version that recorded nothing, or never."""
    there = connection.execute(
        "select lower(table_name) from information_schema.tables "
        "where lower(table_schema) = 'raw' and lower(table_name) in ('_models', '_model_code')"
    ).fetchall()
    if len(there) < 2:
        return {}
    found = connection.execute(
        "select built.model, min(built.relation), built.code, min(explained.own), min(explained.parts) "
        "from raw._models as built "
        "left join raw._model_code as explained on built.code = explained.code and built.model = explained.model "
        "group by built.model, built.code order by built.model"
    ).fetchall()
    return {
        model: BuiltWith(code, own or "", json.loads(parts) if parts else None, relation)
        for model, relation, code, own, parts in found
    }


def made_by_other_code(connection: "Connection", code: Mapping[str, str]) -> list[str]:
    """The models in the warehouse whose rows were not made by `code` (model → fingerprint): built with another one,
    never recorded, or gone from the project."""
    built = {name: each.whole for name, each in built_with(connection).items()}
    return sorted(name for name in built.keys() | code.keys() if built.get(name) != code.get(name))


def explain(connection: "Connection", codes: Iterable[ModelCode]) -> None:
    """Records what the fingerprints of `codes` stand for, before any model is built with them."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")
    with transaction(connection):
        for code in codes:
            connection.execute("delete from raw._model_code where code = ? and model = ?", [code.whole, code.name])
            connection.execute(
                "insert into raw._model_code (code, model, own, parts, recorded_at) "
                "select ?, ?, ?, ?, cast(? as timestamp)",
                [code.whole, code.name, code.own, json.dumps(code.parts, sort_keys=True), now],
            )


def drop(connection: "Connection", gone: Mapping[str, BuiltWith]) -> None:
    """Drops the relations of models that are in no project any more, and what is recorded of them."""
    for name, built in gone.items():
        schema, _, table = built.relation.partition(".")
        found = connection.execute(
            "select table_type from information_schema.tables where lower(table_schema) = ? and lower(table_name) = ?",
            [schema.lower(), table.lower()],
        ).fetchone()
        if found:
            connection.execute(f"drop {'view' if 'VIEW' in found[0] else 'table'} {schema}.{table}")
        connection.execute("delete from raw._models where model = ?", [name])


def forget_unused(connection: "Connection") -> None:
    """Removes explanations that no model refers to any more."""
    connection.execute(
        "delete from raw._model_code where not exists (select 1 from raw._models as built "
        "where built.model = raw._model_code.model and built.code = raw._model_code.code)"
    )
