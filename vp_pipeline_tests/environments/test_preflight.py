"""What would stop a run is found before its first step: each thing by name, and all of it at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.assets.exclusive import exclusive_executor
from vp_pipeline.dagster_internals.run_execution import create_run, execute
from vp_pipeline.environments.preflight import require_ready
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline.warehouse.lease.file import LeaseFile
from vp_pipeline.warehouse.lease.lease import Lease


def touch(name: str, content: bytes = b"buy milk, and eggs") -> Callable[[Path], None]:
    def make(data: Path) -> None:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)

    return make


def nothing(_: Path) -> None: ...


CASES: Mapping[str, tuple[Mapping[str, str], Callable[[Path], None], str]] = {
    "mart": ({"VP_EXPORT_MART": "mart_deal"}, nothing, r"VP_EXPORT_MART is mart_deal, .* Did you mean mart_deals\?"),
    "no mart": ({"VP_EXPORT_MART": "nope"}, nothing, r"VP_EXPORT_MART is nope, .* Known: .*mart_deals"),
    "no grain": ({"VP_EXPORT_MART": "stg_keepa_price"}, nothing, r"VP_EXPORT_MART is stg_keepa_price, .* Known: "),
    "products": ({"KEEPA_API_KEY": "k"}, nothing, r"KEEPA_API_KEY is set, but VP_KEEPA_ASINS names no product"),
    "recordings": ({"VP_KEEPA_RECORDINGS": "/nowhere"}, nothing, r"/nowhere is not a folder: set VP_KEEPA_RECORDINGS"),
    "topic": (
        {"VP_SOURCES": "keepa,order_events"},
        nothing,
        r"order_events is a Kafka topic, and VP_ORDER_EVENTS_BOOTSTRAP_SERVERS does not name its brokers",
    ),
    "warehouse": ({}, touch("warehouse.duckdb"), r"warehouse\.duckdb is no DuckDB database\. Restore .* or move"),
    "short": ({}, touch("warehouse.duckdb", b"a"), r"warehouse\.duckdb is no DuckDB database"),
    "published": ({}, touch("published.duckdb"), r"published\.duckdb is no DuckDB database\. .* published again"),
    "lake": ({}, touch("lake"), r"lake is a file, and a folder is needed there: move it away, or set VP_DATA_DIR"),
    "outbox": ({}, touch("outbox"), r"outbox is a file, and a folder is needed there"),
    "unwritable": ({"VP_DATA_DIR": "/proc/nowhere"}, nothing, r"The data folder cannot be written: .* VP_DATA_DIR"),
    "a file": ({"VP_DATA_DIR": "/dev/null"}, nothing, r"/dev/null is a file, and a folder is needed there"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_is_named_with_what_to_do(tmp_path: Path, case: str) -> None:
    variables, make, message = CASES[case]
    make(tmp_path)
    with pytest.raises(PermanentError, match=rf"{message}(?s:.*)\nNothing was run\.$"):
        require_ready(load_settings({"VP_DATA_DIR": str(tmp_path), **variables}))


def test_a_new_folder_and_one_with_a_warehouse_are_ready_and_stay_as_they_are(tmp_path: Path) -> None:
    settings = load_settings({}, data_dir=tmp_path / "new")
    require_ready(settings)
    assert list((tmp_path / "new").iterdir()) == []
    with DuckDBWarehouse(settings.warehouse_path).connect():  # also while someone has it open
        require_ready(settings)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "warehouse.duckdb").touch()
    require_ready(load_settings({}, data_dir=tmp_path / "other"))


def test_a_key_is_no_matter_where_recordings_are_read(tmp_path: Path) -> None:
    require_ready(
        load_settings({"KEEPA_API_KEY": "k", "VP_KEEPA_RECORDINGS": str(tmp_path)}, data_dir=tmp_path / "data")
    )


def test_everything_is_reported_at_once(tmp_path: Path) -> None:
    touch("warehouse.duckdb")(tmp_path)
    touch("lake")(tmp_path)
    wrong = {"VP_EXPORT_MART": "nope", "KEEPA_API_KEY": "k", "VP_DATA_DIR": str(tmp_path)}
    with pytest.raises(PermanentError) as error:
        require_ready(load_settings(wrong))
    assert str(error.value).count("\n- ") == 3
    assert str(error.value).startswith("- ")


def test_a_run_that_another_launcher_starts_is_stopped_before_its_first_step(tmp_path: Path) -> None:
    ran = []

    def refuse() -> None:
        raise PermanentError("VP_EXPORT_MART is nope.")

    @dg.asset
    def deals() -> None:
        ran.append(1)

    executor = exclusive_executor(Lease(LeaseFile(tmp_path)), refuse)
    job = dg.Definitions([deals], executor=executor).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        run = create_run(instance, job, PROJECT_ROOT / "workspace.yaml", run_config={}, tags={})
        events = list(execute(instance, job, run))
        assert events[-1].event_type == dg.DagsterEventType.RUN_FAILURE
        assert any("VP_EXPORT_MART is nope." in str(event.event_specific_data) for event in events)
    assert ran == []
