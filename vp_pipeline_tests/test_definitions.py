"""The code location: what it holds, and what it costs to load."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._config.pythonic_config.resource import get_resource_type_name

from vp_pipeline.assets.keys import GROUPS, LAYERS
from vp_pipeline.automation.jobs import LEASE_TAG
from vp_pipeline.build import build_definitions
from vp_pipeline.generators.asset_graph import names
from vp_pipeline.settings import PROJECT_ROOT, load_settings
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.test_service_settings import COMPLETE, CONNECTED

BIN = Path(sys.executable).parent

# Fails in whatever opens a socket to anywhere, and loads the code location all the same.
_WITHOUT_NETWORK = """
import socket

def refuse(*args, **kwargs):
    raise AssertionError(f"the network was used while loading: {args}")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.create_connection = socket.getaddrinfo = refuse
from vp_pipeline.definitions import defs
print(len(list(defs.resolve_all_asset_specs())))
"""


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(pipeline_settings(tmp_path_factory.mktemp("data")))


# With secrets that are nowhere.
_BY_REFERENCE = {
    **{name: value for name, value in COMPLETE.items() if name != "VP_AIRBYTE_CLIENT_SECRET"},
    "VP_AIRBYTE_CLIENT_SECRET_FILE": "/nowhere/airbyte",
    "VP_SNOWFLAKE_PASSWORD": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:vp/snowflake",
    "VP_SLACK_TOKEN_FILE": "/nowhere/slack",
    "VP_SLACK_CHANNEL": "C0123456789",
    "KEEPA_API_KEY_FILE": "/nowhere/keepa",
    "VP_ORDER_EVENTS_BOOTSTRAP_SERVERS": "nowhere:9093",
    "VP_ORDER_EVENTS_TOPIC": "orders",
    "VP_ORDER_EVENTS_USER": "reader",
    "VP_ORDER_EVENTS_PASSWORD_FILE": "/nowhere/kafka",
}


@pytest.mark.integration
@pytest.mark.parametrize("variables", [{}, _BY_REFERENCE], ids=["local", "production"])
def test_loading_reaches_no_network_and_needs_no_secret(environment: dict[str, str], variables: dict[str, str]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _WITHOUT_NETWORK],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout.split()[-1]) > 20
    assert not Path(environment["VP_DATA_DIR"]).exists()  # and it writes nothing


@pytest.mark.integration
@pytest.mark.parametrize("command", [["dagster", "definitions", "validate"], ["dg", "check", "defs"]])
def test_the_tools_find_nothing_wrong(command: list[str], environment: dict[str, str]) -> None:
    path = f"{BIN}{os.pathsep}{environment['PATH']}"
    checked = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env={**environment, "PATH": path, "VIRTUAL_ENV": str(BIN.parent)},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_layer_is_partitioned_by_day_and_described(definitions: dg.Definitions) -> None:
    specs = list(definitions.resolve_all_asset_specs())
    assert {s.key.path[0] for s in specs} == {*LAYERS} - {"topic"}  # none is on
    for spec in specs:
        assert isinstance(spec.partitions_def, dg.DailyPartitionsDefinition), spec.key
        assert spec.group_name == GROUPS[spec.key.path[0]]
        assert spec.description, spec.key
        assert spec.owners, spec.key
        # Two tags that are the same of all models would take the place of their names in the catalog.
        assert bool(spec.kinds) == (spec.key.path[0] not in ("stg", "core", "mart", "monitoring")), spec.key


def described(definitions: dg.Definitions) -> Iterator[tuple[str, str | None]]:
    """Everything that the UI shows a description of, which it reads as Markdown."""
    graph = definitions.resolve_asset_graph()
    for spec in definitions.resolve_all_asset_specs():
        yield spec.key.to_user_string(), spec.description
        for column in getattr(spec.metadata.get("dagster/column_schema"), "columns", ()):
            yield f"{spec.key.to_user_string()}.{column.name}", column.description
    for check in graph.asset_check_keys:
        yield f"{check.asset_key.to_user_string()}:{check.name}", graph.get_check_spec(check).description or "-"
    for job in definitions.resolve_all_job_defs():
        yield f"job {job.name}", "-" if job.name.startswith("__") else job.description
    for each in (*(definitions.schedules or ()), *(definitions.sensors or ())):
        yield each.name, each.description
    for name, resource in (definitions.resources or {}).items():
        yield f"resource {name}", getattr(resource, "description", None)


def test_every_description_is_there_and_is_text(definitions: dg.Definitions) -> None:
    for name, text in described(definitions):
        assert text, name
        # A tag, which Markdown reads as HTML and does not show. What is in backticks is shown as it is.
        assert not re.search(r"<[A-Za-z/!?]", re.sub(r"`[^`]*`", "", text)), f"{name}: {text}"
        assert "{{" not in text, f"{name} begins with SQL"
        assert "```" not in text, f"{name} begins with SQL"


def test_resources_show_what_they_are(definitions: dg.Definitions) -> None:
    shown = {name: get_resource_type_name(resource) for name, resource in (definitions.resources or {}).items()}
    assert shown["lake"] == "vp_pipeline.lake.objects.Lake"
    assert shown["warehouse"] == "vp_pipeline.warehouse.duckdb.DuckDBWarehouse"
    assert all(kind.startswith("vp_pipeline.") for kind in shown.values()), shown


def test_the_lineage_runs_from_the_sync_to_every_mart(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    sync = dg.AssetKey(["airbyte", "keepa", "product"])
    marts = {key for key in graph.materializable_asset_keys if key.path[0] == "mart"}
    assert {key.path[1] for key in marts} >= {"dim_product", "fct_price_history_daily", "fct_rank_history_daily"}
    # Lists that come with the project: they are the same on every day.
    fixed = {dg.AssetKey(["mart", name]) for name in ("dim_marketplace", "dim_price_type")}
    for mart in marts - fixed:
        assert sync in graph.get_ancestor_asset_keys(mart), mart


# What differs between the vendor's own histories, and what of its figures cannot be compared: known to occur in sound
# responses.
WARNINGS = {"fct_rank_history_daily_sales_is_its_category", "mon_keepa_reconciliation_has_no_exceptions"}
# The record of runs: no figure depends on it.
OF_RUNS = {
    "mon_day",
    "mon_excluded_answer",
    "mon_pipeline_run",
    "mon_test_result",
    "mon_model_run",
    "mon_rows_by_day",
    "mon_freshness",
}


def test_our_checks_block_and_are_evaluated_by_day(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    ours = [k for k in graph.asset_check_keys if k.asset_key.path[0] in ("airbyte", "bronze", "silver", "raw")]
    ours = [key for key in ours if key.name != "yesterday_is_there"]
    assert len(ours) == 1 + 7 + 6 * len(TABLES) + 2 * len(TABLES) + 1  # same_days, of the first table in RAW
    for key in graph.asset_check_keys:
        if key.name == "yesterday_is_there":  # of no partition: it is about the day just finished, whatever is run
            continue
        spec = graph.get_check_spec(key)
        assert spec.partitions_def is not None, key
        assert spec.blocking == (key.name not in WARNINGS and key.asset_key.path[-1] not in OF_RUNS), key


def test_the_graph_of_production_has_the_same_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("VP_SNOWFLAKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", {**os.environ})  # what it sets for dbt is not for the other tests
    made = build_definitions(load_settings({**COMPLETE, **CONNECTED, "VP_DATA_DIR": str(tmp_path)}))
    assert names(made) == (PROJECT_ROOT / "docs" / "names.txt").read_text()


def test_of_a_topic_that_is_off_nothing_is_there(definitions: dg.Definitions) -> None:
    assert not [name for name in names(definitions).splitlines() if "topic" in name or "order_events" in name]


def test_every_job_but_two_that_only_report_holds_the_lease(definitions: dg.Definitions) -> None:
    jobs = {job.name: job for job in definitions.resolve_all_job_defs()}
    assert "__ASSET_JOB" in jobs  # what the UI materializes, and what a backfill launches
    stock = {name for name, job in jobs.items() if job.executor_def is dg.in_process_executor}
    assert (
        stock == {name for name, job in jobs.items() if LEASE_TAG in job.tags} == {"freshness_checks", "health_report"}
    )
    assert len({id(job.executor_def) for name, job in jobs.items() if name not in stock}) == 1
