"""Where the data are kept: the folder or the bucket, room on the disk, the databases.

Here: whether it can be written and read. Not here: which days are in it (`days.py`).
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from vp_pipeline.cli.doctor.finding import Finding, ok, unknown, wrong
from vp_pipeline.environments import preflight
from vp_pipeline.failures import PipelineError, Problem
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.lease.lease import Lease

# A build has a new publication beside the old ones, and DuckDB writes beside its file before it shrinks it.
_TIMES_THE_DATABASES = 2
_LEAST_ROOM = 500_000_000
# One name for each permission of the pipeline's role that can be tried and undone (infra/aws/policies/pipeline.json).
_TRIED = (
    "quarantine/_doctor/probe",
    "bronze/_doctor/_syncs/probe.running.json",
    "change_exports/_doctor/_state/probe",
)


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Folders that are made when they are needed are no matter."""
    checks: tuple[tuple[str, Callable[[Settings], Iterator[Problem]]], ...] = (
        ("data folder", preflight.folders),
        ("databases", preflight.databases),
        ("recordings", preflight.recordings),
        ("what is requested", preflight.connectors),
        ("exported mart", preflight.exported_mart),
    )
    for subject, check in checks:
        problems = {problem.text: problem for problem in check(settings)}
        for problem in problems.values():
            yield wrong(subject, problem.text, problem.remedy)
        if not problems and subject == "data folder":
            yield ok(subject, f"{settings.data_dir} can be written")


def room(
    settings: Settings, free: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Iterator[Finding]:
    """Bytes that are free where the data folder is, against what the next build may need."""
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.is_dir())
    files = (settings.warehouse_path, settings.published_path)
    needed = _LEAST_ROOM + _TIMES_THE_DATABASES * sum(file.stat().st_size for file in files if file.is_file())
    left = free(folder)
    text = f"{left / 1e9:,.1f} GB are free where {folder} is"
    if left < needed:
        yield wrong("room", f"{text}, and a build may need {needed / 1e9:,.1f} GB", "vp maintain --remove")
    else:
        yield ok("room", text)


def lake(lake: Lake, denied: str, tried: tuple[str, ...] = _TRIED) -> Iterator[Finding]:
    """Writes, reads, lists and removes an object at each of `tried`. `denied`: what fixes a refusal."""
    problems: list[str] = []
    for path in tried:
        folder, _, name = path.rpartition("/")
        try:
            lake.write(path, b"vp doctor")
            if lake.read(path) != b"vp doctor" or [info.path for info in lake.list(folder, name)] != [path]:
                problems.append(f"{lake.location(path)} was written, and is not there as it was written.")
        except PipelineError as error:
            problems.append(str(error))
        try:
            lake.delete(path)
        except PipelineError as error:
            problems.append(str(error))
    for problem in dict.fromkeys(problems):
        yield wrong("lake", problem, denied)
    if not problems:
        yield ok("lake", f"{lake.location('')}: written, read, listed and removed in {len(tried)} places")


def warehouse_file(settings: Settings, lease: Lease) -> Iterator[Finding]:
    """The DuckDB file opens; while a run writes it, it is not looked at."""
    if not settings.warehouse_path.exists():
        return
    holder = lease.current()
    if holder is not None:
        yield unknown("warehouse", f"it is being written by {holder}")
        return
    aside = " && ".join(f"mv {file} {file}.aside" for file in _with_log(settings.warehouse_path))
    if (held := _held(settings.warehouse_path)) is not None:
        yield unknown("warehouse", f"another process has it open: {held}")
        return
    try:
        with DuckDBWarehouse(settings.warehouse_path).connect(read_only=True) as connection:
            (tables,) = connection.execute("select count(*) from information_schema.tables").fetchall()[0]
    except PipelineError as error:
        yield wrong("warehouse", str(error), aside)
    else:
        yield ok("warehouse", f"{settings.warehouse_path.name} opens, with {tables} tables and views")


def _held(file: Path) -> str | None:
    """Which process has locked it, by DuckDB's message: a connection of the pipeline would wait for it."""
    import duckdb

    try:
        duckdb.connect(str(file), read_only=True).close()
    except duckdb.Error as error:
        return str(error).partition("\n")[0] if "lock" in str(error).lower() else None
    return None


def _with_log(file: Path) -> list[Path]:
    return [each for each in (file, file.with_name(f"{file.name}.wal")) if each.exists()]
