"""What is recorded of each run in the warehouse: its dbt invocations, every test's result, the time and rows of each
model, the rows of each table.

Here: reading dbt's own results, and writing them where the mon_ models read. Not here: the tables
(`warehouse/migrations.py`) and whether a run is red (the gates): a record that cannot be written changes
neither the data nor the result of the run. It waits in a file then, and the next run writes it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import TypeAdapter, ValidationError

from vp_pipeline import documents
from vp_pipeline.data_folder import PENDING_RECORDS, RUN_RESULTS
from vp_pipeline.failures import DamagedDataError, PermanentError
from vp_pipeline.stored_formats import StoredFormat, with_default
from vp_pipeline.warehouse.connection import transaction

if TYPE_CHECKING:
    from vp_pipeline.warehouse.connection import Connection
    from vp_pipeline.warehouse.loading import Warehouse

_MODELS = ("model", "seed", "snapshot")
# Each table, and the column by which a later attempt at a day replaces an earlier one of the same run.
_TABLES = {"runs": "run_date", "test_results": "first_date", "model_builds": "first_date", "rows": "run_date"}
_WHOLE = ("table", "seed")  # materializations that write all of their rows every time
# Values that one statement binds. A year's run has 100,000: Snowflake compiles a statement with all of them, and has
# long taken no more than 16,384 in a list.
_BOUND = 5_000
_RESULT = ("layer", "model", "name", "status", "failures", "seconds")
# Of the files that wait.
FORMAT = StoredFormat("record of a run", (with_default(restated=()), with_default(left_out={})))


@dataclass(frozen=True)
class Invocation:
    """One invocation of dbt over some days.

    `jobs`: the Airbyte job of each day. `rows`: (layer, table, rows). `results`, `started_at`, `seconds`: dbt's own,
    each result with its layer and model where it has one. `restated`: the models that were built as a whole.
    `left_out`: of a day the models that have nothing of it, because their sources were left out. The field names are
    those of the files that wait.
    """

    run_id: str
    days: tuple[str, ...]
    jobs: Mapping[str, str]
    rows: tuple[tuple[str, str, int], ...]
    results: tuple[Mapping[str, Any], ...]
    started_at: str
    finished_at: str
    seconds: float
    restated: tuple[str, ...] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_invocation(
    run_id: str,
    days: Mapping[date, Collection[str]],
    jobs: Mapping[date, str],
    rows: Mapping[tuple[str, str], int],
    target: Path,
    manifest: Path,
    restated: Collection[str] = (),
) -> Invocation | None:
    """The invocation whose `run_results.json` is in `target`; None where there is no such file. `days`: of each day
    the models that were built on it. `restated`: those that it built as a whole."""
    run = documents.read(target / RUN_RESULTS, "dbt did not write it to its end.")
    if run is None:
        return None
    nodes = orjson.loads(manifest.read_bytes())["nodes"]
    finished = datetime.fromisoformat(run["metadata"]["generated_at"]).astimezone(UTC).replace(tzinfo=None)
    seconds = float(run["elapsed_time"])
    started = finished - timedelta(seconds=seconds)
    return Invocation(
        run_id,
        tuple(day.isoformat() for day in days),
        {day.isoformat(): job for day, job in jobs.items()},
        tuple((layer, name, count) for (layer, name), count in sorted(rows.items())),
        tuple(_result(result, nodes) for result in run["results"]),
        started.isoformat(),
        finished.isoformat(),
        seconds,
        tuple(sorted(restated)),
        {day.isoformat(): sorted({name for _, name in rows} - {*names}) for day, names in days.items()},
    )


def record(warehouse: "Warehouse", folder: Path, invocation: Invocation) -> None:
    """Writes an invocation, and those that wait in `folder`, in one transaction; the same one twice is recorded once.

    Raises:
        Exception: whatever prevented writing it; it waits in a file then and is not lost.
    """
    pending = folder / PENDING_RECORDS
    pending.mkdir(parents=True, exist_ok=True)
    file = pending / f"{invocation.run_id}-{invocation.days[0]}.json"
    documents.write_whole(file, orjson.dumps(FORMAT.mark(asdict(invocation))))
    waiting = {each: found for each in sorted(pending.glob("*.json")) if (found := _waiting(each)) is not None}
    with warehouse.connect() as connection, transaction(connection):
        for found in waiting.values():
            _write(connection, found)
    for each in waiting:
        each.unlink()


def _waiting(file: Path) -> Mapping[str, Any] | None:
    """The invocation that waits in a file; None: it holds none, and is not in the way of the others any more."""
    try:
        found = FORMAT.parse(documents.read_bytes(file) or b"", str(file), "")
        TypeAdapter(Invocation).validate_python(found)
        if all({"kind", *_RESULT} <= result.keys() for result in found["results"]):
            return found
        why = "has results without their names."
    except (DamagedDataError, ValidationError) as error:
        why = str(error).partition("\n")[0]
    except PermanentError as error:  # a folder, or of a newer version
        documents.pass_over(str(file), str(error))
        return None
    documents.set_aside(file, documents.read_bytes(file) or b"", f"is no {FORMAT.name}: {why}")
    file.unlink()
    return None


def _write(connection: "Connection", invocation: Mapping[str, Any]) -> None:
    run_id, days = invocation["run_id"], invocation["days"]
    first, last = days[0], days[-1]
    among = f"in ({', '.join(['cast(? as date)'] * len(days))})"
    for table, column in _TABLES.items():
        connection.execute(f"delete from monitoring._{table} where run_id = ? and {column} {among}", [run_id, *days])
    models = [result for result in invocation["results"] if result["kind"] in _MODELS]
    tests = [result for result in invocation["results"] if result["kind"] == "test"]
    built = sum(result["status"] == "success" for result in models)
    counted = [sum(result["status"] == status for result in tests) for status in ("pass", "warn")]
    counts = [built, len(models) - built, *counted, len(tests) - sum(counted)]
    times = [invocation["started_at"], invocation["finished_at"], invocation["seconds"]]
    loads = connection.execute(
        f'select run_date, table_name, "rows" from raw._loads where run_date {among}', days
    ).fetchall()
    loaded = {day: [(name, count) for at, name, count in loads if at.isoformat() == day] for day in days}
    _insert(
        connection,
        "runs",
        [[run_id, day, invocation["jobs"].get(day), sum(n for _, n in loaded[day]), *counts, *times] for day in days],
    )
    _insert(
        connection,
        "test_results",
        [[run_id, first, last, *(test[name] for name in _RESULT), invocation["finished_at"]] for test in tests],
    )
    _insert(connection, "model_builds", _model_builds(invocation, models))
    _insert(
        connection,
        "rows",
        [
            [run_id, day, layer, name, count, invocation["finished_at"]]
            for day in days
            for layer, name, count in [*(("raw", *table) for table in loaded[day]), *invocation["rows"]]
            if layer == "raw" or name not in invocation["left_out"].get(day, ())
        ],
    )


def _model_builds(invocation: Mapping[str, Any], models: Sequence[Mapping[str, Any]]) -> list[list[object]]:
    """A row per model. Files of version 1 have no layer of a model: they hold none."""
    key = [invocation["run_id"], invocation["days"][0], invocation["days"][-1]]
    counted = {name: count for _, name, count in invocation["rows"]}
    found = []
    for model in models:
        name, total = model["name"], counted.get(model["name"])
        if model["layer"]:
            is_restated = name in invocation["restated"]
            written = total if is_restated or model["materialized"] in _WHOLE else model["rows_affected"]
            result = [model["layer"], name, model["status"], model["seconds"]]
            rows = [None if model["materialized"] == "view" else written, total]
            found.append([*key, *result, *rows, model["query_id"], is_restated, invocation["finished_at"]])
    return found


def _insert(connection: "Connection", table: str, rows: Sequence[Sequence[object]]) -> None:
    """Few statements: one per row costs DuckDB more than everything else here."""
    at_once = _BOUND // max(map(len, rows), default=1)
    for start in range(0, len(rows), at_once):
        batch = rows[start : start + at_once]
        places = ", ".join(f"({', '.join('?' * len(row))})" for row in batch)
        connection.execute(f"insert into monitoring._{table} values {places}", [v for row in batch for v in row])


def _result(result: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, Any]:
    kind, _, name = result["unique_id"].split(".")[:3]
    node = nodes.get(result["unique_id"], {})
    model = node if kind in _MODELS else nodes.get(node.get("attached_node") or "", {})
    response = result.get("adapter_response") or {}
    return {
        "kind": kind,
        "name": node.get("name", name),
        "layer": model.get("schema"),
        "model": model.get("name"),
        "materialized": model.get("config", {}).get("materialized"),
        "status": result["status"],
        "failures": result.get("failures"),
        "seconds": result["execution_time"],
        "rows_affected": response.get("rows_affected"),
        "query_id": response.get("query_id"),
    }
