"""What tests share: a whole pipeline on a folder of its own, green days, and the recorded answers."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

import dagster as dg
import hypothesis
import pytest
from filelock import FileLock

from vp_pipeline.build import build_definitions
from vp_pipeline.cli.local_runs.daily_run import daily_run
from vp_pipeline.cli.report import RunReport
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import partition_tags
from vp_pipeline.quality.waivers import TAG
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline_tests.contents import SCHEMAS, contents
from vp_pipeline_tests.dagster_dev import own_environment
from vp_pipeline_tests.recordings.folders import SETS, recordings_of

# Most tests are about the lineage of one source, in this process and in those that it starts; those about several name
# theirs (`VP_SOURCES`).
os.environ.setdefault("VP_SOURCES", "keepa")

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("vp", deadline=None)
hypothesis.settings.load_profile("vp")


@pytest.fixture(scope="session", params=SETS)
def recordings(request: pytest.FixtureRequest) -> Path:
    """A folder of recorded Keepa answers: the made-up ones, and the real ones beside the project where they are."""
    return recordings_of(request.param)


@pytest.fixture(scope="session")
def made_up() -> Path:
    """The folder of made-up answers."""
    return recordings_of("made_up")


@pytest.fixture(scope="session")
def real_answers() -> Path:
    """The folder of real answers, for facts of theirs; skips where there are none."""
    return recordings_of("real")


@dataclasses.dataclass
class Pipeline:
    """The whole graph on a folder and an instance of its own."""

    settings: Settings
    instance: dg.DagsterInstance

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_dir)

    @property
    def warehouse(self) -> DuckDBWarehouse:
        return DuckDBWarehouse(self.settings.warehouse_path)

    def run(self, *days: date, resync: bool = False, waive: str | None = None) -> RunReport:
        """One run of the daily job over consecutive days."""
        report = RunReport()
        tags = {TAG: waive} if waive else {}
        definitions = build_definitions(self.settings)
        _, events = daily_run(self.instance, definitions, sorted(days), resync=resync, tags=tags)
        for event in events:
            report.take(event)
        return report

    def materialize(self, selection: str, *days: date) -> dg.ExecuteInProcessResult:
        """Some assets on their own, as someone would launch them from the UI."""
        definitions = build_definitions(self.settings)
        graph = definitions.resolve_asset_graph()
        keys = dg.AssetSelection.from_string(selection).resolve(graph)
        job = definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=list(keys), tags=partition_tags(days), raise_on_error=False
        )

    def contents(self, schemas: Sequence[str] = SCHEMAS) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table and view, sorted, without the moment of loading."""
        return contents(self.settings.warehouse_path, schemas)

    def lake_contents(self, folder: str = "") -> dict[str, bytes]:
        """Every object of the lake."""
        return {info.path: self.lake.read(info.path) for info in self.lake.list(folder)}

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with self.warehouse.connect(read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline on an empty folder, on the sandbox."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(pipeline_settings(tmp_path / "data"), instance)


def pipeline_settings(data_dir: Path, **overrides: object) -> Settings:
    """Settings that take nothing from the environment of the tests, of one source unless the test names more. Tests run
    days in any order, on empty folders."""
    defaults: dict[str, object] = {"start_date": date(2025, 1, 1), "chosen_sources": ("keepa",)}
    return load_settings({}, data_dir=data_dir, **{**defaults, **overrides})


AnyPipeline = TypeVar("AnyPipeline", bound=Pipeline)


@contextmanager
def pipeline_in(folder: Path, kind: type[AnyPipeline], **overrides: object) -> Iterator[AnyPipeline]:
    """A pipeline in this process on the data and the Dagster home in `folder`."""
    with dg.DagsterInstance.from_config(own_environment(folder)["DAGSTER_HOME"]) as instance:
        yield kind(pipeline_settings(folder / "data", **overrides), instance)


@dataclasses.dataclass(frozen=True)
class GreenDays:
    """A pipeline of two products, as it is after one, two or more days: DAYS in order, a run each. A folder is made by
    the first test that needs it, once for all workers of the session, and each test gets a copy."""

    DAYS = tuple(date(2026, 3, n) for n in (10, 11, 12, 13))
    PRODUCTS = "1:B0SBXTWO06,3:B0SBXTWO06"

    root: Path

    def copy(self, days: int, folder: Path) -> dict[str, str]:
        """A copy in `folder`: the environment of a command on it."""
        shutil.copytree(self.after(days), folder, dirs_exist_ok=True)
        return {**own_environment(folder), "VP_KEEPA_ASINS": self.PRODUCTS}

    @contextmanager
    def pipeline(self, days: int, folder: Path, kind: type[AnyPipeline]) -> Iterator[AnyPipeline]:
        """A pipeline in this process on a copy in `folder`."""
        self.copy(days, folder)
        with pipeline_in(folder, kind, keepa_asins=self.PRODUCTS) as pipeline:
            yield pipeline

    def after(self, days: int) -> Path:
        """The folder itself, for reading."""

        def make(folder: Path) -> None:
            if days > 1:
                self.copy(days - 1, folder)
            with pipeline_in(folder, Pipeline, keepa_asins=self.PRODUCTS) as pipeline:
                report = pipeline.run(self.DAYS[days - 1])
                assert report.succeeded, report.reasons

        return self.made_once(f"after_{days}_days", make)

    def made_once(self, name: str, make: Callable[[Path], None]) -> Path:
        """The folder that `make` fills, whichever worker comes first."""
        folder, unfinished = self.root / name, self.root / f"{name}.unfinished"
        with FileLock(self.root / f"{name}.lock"):
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(folder)
        return folder


@pytest.fixture(scope="session")
def green_days(tmp_path_factory: pytest.TempPathFactory) -> GreenDays:
    """Days that are done, for tests that begin with them."""
    own = tmp_path_factory.getbasetemp()
    # Each worker has a folder of its own, within the session's.
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "green_days"
    root.mkdir(exist_ok=True)
    return GreenDays(root)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a command on a folder and a Dagster home of its own, without any variable of the project's."""
    return own_environment(tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: the workers end together, and not one of them alone with the last long test. With `--dist
    loadgroup`, what is set up once a module is set up once: its tests stay with one worker. All that is exhaustive
    is slow."""
    of_slow = ("any_edits", "test_killed", "test_upgrades", "test_production_dbt", "test_gates_hold")
    longest = (*of_slow, "change_tables", "daily_tables", "browser", "end_to_end")
    items.sort(key=lambda item: next((n for n, part in enumerate(longest) if part in item.nodeid), len(longest)))
    for item in items:
        if item.get_closest_marker("exhaustive"):
            item.add_marker(pytest.mark.slow)
        found = (
            item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
        )  # there is no public way
        if any(fixture.scope == "module" for fixtures in found.values() for fixture in fixtures):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_unconfigure() -> None:
    """At exit DuckDB's binding lists on stderr what Python had not freed: fifty lines below the result, of no use."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
