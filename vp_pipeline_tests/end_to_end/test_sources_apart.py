"""Sources do not hold each other back: one that is red, at any layer, costs its own rows of the day, nobody else's."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import product
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.cli.report import RunReport
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.source import Stream
from vp_pipeline.sources.stream_days import StreamDay
from vp_pipeline.warehouse import ledger
from vp_pipeline_tests.conftest import GreenDays, Pipeline, pipeline_in

pytestmark = pytest.mark.slow
# Those that are ingested where nobody has configured anything; a fourth one would only make it slower.
SOURCES = load_settings({}).wanted_sources
NAMES = tuple(source.name for source in SOURCES)
ONE, TWO, THREE = (date(2026, 3, n) for n in (10, 11, 12))
PLAYED_UNTIL = date(2026, 4, 1)
OVERRIDES = {"chosen_sources": NAMES, "keepa_asins": "3:B0SBXTWO06"}
# What every row of a source's first table has, and a test of staging does not let be null.
REQUIRED = {"keepa": "snapshot_at", "open_meteo": "snapshot_at", "sp_api": "last_updated_at"}


def stream_of(source: str) -> Stream:
    return next(stream for each in SOURCES if each.name == source for stream in each.streams)


@contextmanager
def world(folder: Path) -> Iterator[Pipeline]:
    with pipeline_in(folder, Pipeline, **OVERRIDES) as pipeline:
        yield pipeline


@pytest.fixture(scope="session")
def healthy(green_days: GreenDays) -> Callable[[int], Path]:
    """The folder of a world in which nothing is wrong, after so many days."""

    def after(days: int) -> Path:
        def make(folder: Path) -> None:
            if days > 1:
                shutil.copytree(after(days - 1), folder, dirs_exist_ok=True)
            with world(folder) as pipeline:
                report = pipeline.run((ONE, TWO, THREE)[days - 1])
                assert report.succeeded, report.reasons

        return green_days.made_once(f"three_sources_{days}", make)

    return after


def sick_at_airbyte(pipeline: Pipeline, source: str, day: date) -> RunReport:
    """Its API does not answer: there is nothing at its address."""
    settings = pipeline.settings
    own = settings.of(next(each for each in SOURCES if each.name == source))
    away = own.model_copy(update={"recordings": settings.data_dir / "nothing"})
    moved = settings.model_copy(update={"sources": {**settings.sources, source: away}})
    (settings.data_dir / "nothing").mkdir(exist_ok=True)
    return Pipeline(moved, pipeline.instance).run(day)


def sick_at_bronze(pipeline: Pipeline, source: str, day: date) -> RunReport:
    """A landed object ends too early."""
    stream = stream_of(source)
    pipeline.materialize(f'key:"airbyte/{source}/{stream.name}"', day)
    cut(pipeline.settings.lake_dir / "bronze" / source / stream.name, "*.jsonl.gz")
    return pipeline.run(day)


def sick_at_silver(pipeline: Pipeline, source: str, day: date) -> RunReport:
    """The object is not the one that the manifest of bronze lists."""
    stream = stream_of(source)
    names = [f'key:"{layer}/{source}/{stream.name}"' for layer in ("airbyte", "bronze")]
    pipeline.materialize(" or ".join(names), day)
    cut(pipeline.settings.lake_dir / "bronze" / source / stream.name, "*.jsonl.gz")
    everything = f'* and not key:"airbyte/{source}/{stream.name}" and not key:"bronze/{source}/{stream.name}"'
    return taken(pipeline.materialize(everything, day))


def sick_at_raw(pipeline: Pipeline, source: str, day: date) -> RunReport:
    """A file of silver is damaged after it was written."""
    stream = stream_of(source)
    ingestion = f'key:"airbyte/{source}/*" or key:"bronze/{source}/*" or key:"silver/{source}/*"'
    pipeline.materialize(ingestion, day)
    cut(pipeline.settings.lake_dir / "silver" / source / stream.tables[0].name, f"run_date={day}/*.parquet")
    return taken(pipeline.materialize(f"* and not ({ingestion})", day))


def sick_at_the_models(pipeline: Pipeline, source: str, day: date) -> RunReport:
    """Rows of RAW that a test of staging refuses, of everything that the source has on the day."""
    table = stream_of(source).tables[0].raw_name
    ingestion = (
        f'key:"airbyte/{source}/*" or key:"bronze/{source}/*" or key:"silver/{source}/*" or key:"raw/{source}_*"'
    )
    pipeline.materialize(ingestion, day)
    with pipeline.warehouse.connect() as connection:
        connection.execute(f"alter table raw.{table} alter column {REQUIRED[source]} drop not null")
        connection.execute(f"update raw.{table} set {REQUIRED[source]} = null where _run_date = '{day}'")
    return taken(pipeline.materialize(f"* and not ({ingestion})", day))


LAYERS = (sick_at_airbyte, sick_at_bronze, sick_at_silver, sick_at_raw, sick_at_the_models)


def cut(folder: Path, pattern: str) -> None:
    """The newest file that the pattern matches ends too early."""
    newest = max(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    newest.chmod(0o644)
    newest.write_bytes(newest.read_bytes()[:-20])


def taken(result: dg.ExecuteInProcessResult) -> RunReport:
    report = RunReport()
    for event in result.all_events:
        report.take(event)
    return report


def tables_of(pipeline: Pipeline, wanted: Callable[[frozenset[str]], bool]) -> Mapping[str, list[tuple[object, ...]]]:
    """The tables whose sources are `wanted`, but for what was recorded of runs and when a build was."""
    manifest = json.loads(manifest_path(pipeline.settings).read_bytes())
    found: dict[str, frozenset[str]] = {}

    def sources(unique_id: str) -> frozenset[str]:
        if unique_id.startswith("source."):
            table = unique_id.rpartition(".")[2]
            return frozenset(name for name in NAMES if table.startswith(f"{name}_"))
        if unique_id not in found:
            above = manifest["nodes"][unique_id]["depends_on"].get("nodes", ())  # a seed has none
            found[unique_id] = frozenset().union(*map(sources, above))
        return found[unique_id]

    names = {
        f"{node['schema']}.{node['name']}"
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and sources(key) and wanted(sources(key))
    }
    assert names
    return {
        name: sorted(map(without_syncs, rows), key=repr) for name, rows in pipeline.contents().items() if name in names
    }


def without_syncs(row: tuple[object, ...]) -> tuple[object, ...]:
    """Without moments of this very test: of weather it is kept when it was requested."""
    return tuple(None if isinstance(value, datetime) and value.date() > PLAYED_UNTIL else value for value in row)


def require_apart(pipeline: Pipeline, sick: str, days: Sequence[date], healthy: Callable[[int], Path]) -> None:
    """The other sources' tables are as in a world in which nothing is wrong, the sick one's as before it was; both are
    published, with a record of what is missing."""
    with world(healthy(1 + len(days))) as sound, world(healthy(1)) as before:
        assert tables_of(pipeline, lambda of: sick not in of) == tables_of(sound, lambda of: sick not in of)
        assert tables_of(pipeline, lambda of: of == {sick}) == tables_of(before, lambda of: of == {sick})
    environment = build_environment(pipeline.settings)
    published = environment.build_published_marts().current()
    assert published is not None
    assert set(published.days) == {ONE, *days}
    with environment.build_warehouse().connect(read_only=True) as connection:
        there = set(ledger.stream_days_of(connection, published.build_id))
    every = {StreamDay(day, each.name, stream.name) for each in SOURCES for stream in each.streams for day in days}
    assert every - there == {each for each in every if each.source == sick}


# `make slow` plays the first layer, the last one and one between them, each with another source.
PLAYED = [*zip(NAMES, LAYERS[::2], strict=False)]
assert len(PLAYED) == len(LAYERS[::2])


@pytest.mark.parametrize(
    ("sick", "make_sick"),
    [
        pytest.param(
            *case,
            id=f"{case[0]}-{case[1].__name__.removeprefix('sick_at_')}",
            marks=() if case in PLAYED else pytest.mark.exhaustive,
        )
        for case in product(NAMES, LAYERS)
    ],
)
def test_a_red_source_costs_its_own_rows_of_the_day(
    healthy: Callable[[int], Path], tmp_path: Path, sick: str, make_sick: Callable[[Pipeline, str, date], RunReport]
) -> None:
    """What a layer does with a source that is red is code of all sources, so each layer is played with one of them, and
    each source somewhere; `make exhaustive` plays the other pairs."""
    shutil.copytree(healthy(1), tmp_path, dirs_exist_ok=True)
    with world(tmp_path) as pipeline:
        report = make_sick(pipeline, sick, TWO)
        assert not report.succeeded
        assert any(sick in reason for reason in report.reasons), report.reasons
        require_apart(pipeline, sick, [TWO], healthy)


@pytest.mark.exhaustive
@pytest.mark.parametrize("sick", NAMES)
def test_two_days_in_a_row_and_then_it_is_well(healthy: Callable[[int], Path], tmp_path: Path, sick: str) -> None:
    shutil.copytree(healthy(1), tmp_path, dirs_exist_ok=True)
    with world(tmp_path) as pipeline:
        for day in (TWO, THREE):
            assert not sick_at_the_models(pipeline, sick, day).succeeded
        require_apart(pipeline, sick, [TWO, THREE], healthy)
        with pipeline.warehouse.connect() as connection:  # RAW is loaded again from silver
            for table in stream_of(sick).tables:
                connection.execute(
                    "delete from raw._loads where table_name = ? and run_date > ?", [table.raw_name, ONE]
                )
        report = pipeline.run(TWO, THREE)
        assert report.succeeded, report.reasons
        with world(healthy(3)) as sound:
            assert tables_of(pipeline, bool) == tables_of(sound, bool)
