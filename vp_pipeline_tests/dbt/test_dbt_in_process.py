"""dbt in this process: the arguments of a command, its events and results, and what it must not cost."""

import dataclasses
import inspect
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from dbt_common.events.functions import get_metadata_vars

from vp_pipeline.dagster_internals import dbt_invocation as private
from vp_pipeline.dbt import project as dbt
from vp_pipeline.dbt.environment import dbt_environment
from vp_pipeline.dbt.in_process import DbtThread, _read_project, alone
from vp_pipeline.dbt.invocation import build_arguments, build_dbt
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.dbt.results import NodeResult, clear_results, results
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.test_service_settings import COMPLETE


def test_the_window_is_half_open_and_no_var() -> None:
    days = [date(2026, 2, 27) + timedelta(days=n) for n in range(3)]
    assert build_arguments(days) == [
        "build",
        "--event-time-start",
        "2026-02-27",
        "--event-time-end",
        "2026-03-02",
        "--exclude-resource-type",
        "unit_test",
    ]


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., DbtThread]:
    """Starts a dbt command on an empty warehouse in this process."""
    settings = pipeline_settings(tmp_path)
    manifest_path(settings)

    def start(*arguments: str) -> DbtThread:
        return build_dbt(settings).start(arguments, tmp_path / "artefacts", "the-run")

    return start


def test_a_command_reports_its_events_and_releases_the_warehouse(
    in_process: Callable[..., DbtThread], tmp_path: Path
) -> None:
    command = in_process("seed", "--select", "seed_marketplaces")
    names = [event["info"]["name"] for event in command.events()]
    assert command.wait() == 0
    assert "LogSeedResult" in names
    assert list(command.events()) == []
    assert {result["status"] for result in _results(tmp_path)} == {"success"}
    # A file that is still open takes no second connection with another configuration.
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from core.seed_marketplaces").fetchone() > (0,)


def test_a_command_that_fails_reports_the_reason(in_process: Callable[..., DbtThread], tmp_path: Path) -> None:
    command = in_process("build", "--select", "stg_keepa_price")  # there is no RAW in this warehouse
    errors = [event["info"]["msg"] for event in command.events() if event["info"]["level"] == "error"]
    assert command.wait() == 1
    assert any("raw.keepa_price" in message or "keepa_price does not exist" in message for message in errors)
    assert "error" in [result["status"] for result in _results(tmp_path)]


def test_variables_of_a_command_end_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VP_A", "before")
    monkeypatch.delenv("VP_B", raising=False)
    with alone({"VP_A": "during", "VP_B": "secret"}):
        assert (os.environ["VP_A"], os.environ["VP_B"]) == ("during", "secret")
    assert os.environ["VP_A"] == "before"
    assert "VP_B" not in os.environ


def test_dbt_keeps_no_variable_of_a_command(in_process: Callable[..., DbtThread]) -> None:
    command = in_process("seed", "--select", "seed_marketplaces")
    assert list(command.events())
    assert command.wait() == 0
    assert get_metadata_vars() == {}


def test_parsing_the_project_gets_no_secret() -> None:
    settings = load_settings(COMPLETE)
    password = COMPLETE["VP_SNOWFLAKE_PASSWORD"]
    assert password in dbt_environment(settings, connects=True).values()
    assert password not in dbt_environment(settings, connects=False).values()
    assert password not in repr(build_dbt(settings))


def test_each_target_and_database_has_its_own_manifest() -> None:
    other = {**COMPLETE, "VP_SNOWFLAKE_DATABASE": "ANOTHER"}
    folders = {build_dbt(load_settings(variables)).manifest for variables in ({}, COMPLETE, other)}
    assert len(folders) == 3


def test_an_unknown_command_is_an_error(in_process: Callable[..., DbtThread]) -> None:
    command = in_process("bild")
    assert [event["info"]["level"] for event in command.events()] == ["error"]
    assert command.wait() != 0


def _results(tmp_path: Path) -> list[dict[str, str]]:
    return list(json.loads((tmp_path / "artefacts" / "run_results.json").read_text())["results"])


def test_the_project_is_parsed_again_when_a_model_is_newer_or_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbt, "DBT_PROJECT_DIR", tmp_path)
    manifest = tmp_path / "target" / "manifest.json"
    model = tmp_path / "models" / "a.sql"
    model.parent.mkdir()
    model.write_text("select 1")
    assert not dbt._is_fresh(manifest)
    manifest.parent.mkdir()
    manifest.write_text("{}")
    assert dbt._is_fresh(manifest)
    os.utime(manifest, (time.time() - 60, time.time() - 60))
    os.utime(model, (0, 0))
    os.utime(model.parent, (0, 0))
    assert dbt._is_fresh(manifest)
    model.unlink()  # its folder is newer now
    assert not dbt._is_fresh(manifest)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"metadata": {}}', bytes(range(256)), None])
@pytest.mark.parametrize("name", ["manifest.json", dbt.SEMANTIC_MANIFEST, "parse/partial_parse.msgpack"])
def test_a_parsed_project_that_is_not_whole_is_parsed_again_or_named(
    tmp_path: Path, name: str, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = tmp_path / "manifest.json"
    (tmp_path / "parse").mkdir()
    manifest.write_text('{"nodes": {}}')
    (tmp_path / dbt.SEMANTIC_MANIFEST).write_text('{"semantic_models": []}')
    parsed = tmp_path / "parse" / "partial_parse.msgpack"
    parsed.write_bytes(b"")
    assert dbt._is_whole(manifest)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    if name.startswith("parse") and content is not None:
        with pytest.raises(
            PermanentError, match=rf"{parsed} cannot be read as the parsed dbt project .*Remove the folder"
        ):
            _read_project(parsed, 0)
    else:
        assert not dbt._is_whole(manifest)
        assert name.startswith("parse") or f"{tmp_path / name} " in caplog.text


def test_dagster_dbt_has_the_private_parts_that_are_used() -> None:
    """What `InProcessInvocation` overrides and reads, and what a selection takes."""
    fields = {field.name for field in dataclasses.fields(private.DbtCliInvocation)}
    assert {"process", "target_path", "_error_messages"} <= fields
    assert inspect.isgeneratorfunction(private.DbtCliInvocation._stream_stdout)
    parameters = inspect.signature(private.get_updated_cli_invocation_params_for_context).parameters
    assert {"context", "manifest", "dagster_dbt_translator", "runtime_selects", "runtime_excludes"} == set(parameters)
    arguments = ["build", "--exclude", "a_test", "--full-refresh"]
    assert private.extract_runtime_selection_from_args(arguments) == (["build", "--full-refresh"], [], ["a_test"])


def test_what_failed_is_reported_by_name(tmp_path: Path) -> None:
    assert results(tmp_path) == []
    found = [
        {"unique_id": "model.vp_pipeline.a", "status": "success", "message": "OK"},
        {"unique_id": "test.vp_pipeline.b.123", "status": "fail", "message": "Got 2 results,\n configured to fail"},
        {"unique_id": "model.vp_pipeline.c", "status": "skipped", "message": None},
    ]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": found}))
    (failed,) = [result for result in results(tmp_path) if result.failed]
    assert (failed.name, failed.message, failed.is_bug) == ("b", "Got 2 results, configured to fail", False)
    clear_results(tmp_path)  # an invocation that dies early is not mistaken for the previous one
    assert results(tmp_path) == []


@pytest.mark.parametrize(
    ("message", "is_bug"),
    [
        ("Compilation Error in model x: 'nonesuch' is undefined", True),
        ("Runtime Error in model x Binder Error: Referenced column nonesuch not found", True),
        ("SQL compilation error: invalid identifier", True),
        ("Runtime Error in model x Conversion Error: Could not convert string 'a' to INT64", False),
    ],
)
def test_a_bug_is_distinguished_from_bad_data(message: str, is_bug: bool) -> None:
    assert NodeResult("model.vp_pipeline.x", "error", message, None).is_bug is is_bug


@pytest.mark.integration
@pytest.mark.parametrize(("days_ago", "expected"), [(1, "pass"), (3, "error")])
def test_source_freshness_answers(
    in_process: Callable[..., DbtThread], tmp_path: Path, days_ago: int, expected: str
) -> None:
    """By the newest day, whenever it was loaded: of yesterday fresh all day, of three days ago stale."""
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema raw")
        for table in TABLES:
            connection.execute(f"create table raw.{table.raw_name} as select date '{day}' as _run_date")
    assert in_process("source", "freshness").wait() == (expected == "error")
    results = json.loads((tmp_path / "artefacts" / "run_results.json").read_text())["results"]
    assert {result["unique_id"].split(".")[-1] for result in results} == {table.raw_name for table in TABLES}
    assert {result["status"] for result in results} == {expected}
