"""The table of environments: each that the settings know, and what belongs to it."""

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import get_args

import dagster as dg
import pytest

from vp_pipeline.build import build_definitions
from vp_pipeline.environments.environment import ENVIRONMENTS, build_environment, build_resources
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.test_service_settings import COMPLETE


def test_every_environment_of_the_settings_has_an_implementation() -> None:
    assert set(get_args(Settings.model_fields["env"].annotation)) == set(ENVIRONMENTS)


@pytest.mark.parametrize(
    ("variables", "implementations"),
    [
        ({}, ["LocalAirbyte", "DuckDBWarehouse", "DuckDBPublications"]),
        (COMPLETE, ["RemoteAirbyte", "SnowflakeWarehouse", "SnowflakePublications"]),
    ],
    ids=["local", "production"],
)
def test_the_graph_has_the_same_resources_everywhere(
    variables: dict[str, str], implementations: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({**variables, "VP_DATA_DIR": str(tmp_path)})
    definitions = build_resources(settings)
    services = set(build_environment(settings).build_services())
    assert set(definitions) - services == set(build_resources(pipeline_settings(tmp_path)))
    made_by_dagster = {name: each for name, each in definitions.items() if isinstance(each, dg.ResourceDefinition)}
    resources = {name: each.resource_fn(dg.build_init_resource_context()) for name, each in made_by_dagster.items()}
    made = (resources["airbyte"], resources["warehouse"], resources["publisher"].engine)
    assert [type(resource).__name__ for resource in made] == implementations
    assert type(build_environment(settings).build_lake()) is type(resources["lake"])
    assert list(tmp_path.iterdir()) == []


def test_the_first_partition_is_the_oldest_day_that_is_there(tmp_path: Path) -> None:
    """So the first screen has no day that nobody asked for."""
    settings = load_settings({"VP_DATA_DIR": str(tmp_path)})
    assert build_environment(settings).first_day() == newest_finished_day()
    lake = build_environment(settings).build_lake()
    lake.write("bronze/keepa/product/_syncs/run_date=2026-03-02.json", b"{}")
    assert build_environment(settings).first_day() == date(2026, 3, 2)
    lake.write("silver/keepa/product/_manifests/run_date=2026-03-01.json", b"{}")  # the rest of bronze was deleted
    assert build_environment(settings).first_day() == date(2026, 3, 1)
    (asset, *_) = build_definitions(settings).resolve_all_asset_specs()
    assert asset.partitions_def is not None
    assert asset.partitions_def.get_first_partition_key() == "2026-03-01"


@pytest.mark.parametrize("variables", [{}, COMPLETE], ids=["local", "production"])
def test_the_first_partition_is_what_a_person_sets(variables: dict[str, str], tmp_path: Path) -> None:
    settings = load_settings({**variables, "VP_DATA_DIR": str(tmp_path), "VP_START_DATE": "2026-02-01"})
    assert build_environment(settings).first_day() == date(2026, 2, 1)


def test_production_begins_where_it_always_has(tmp_path: Path) -> None:
    settings = load_settings({**COMPLETE, "VP_DATA_DIR": str(tmp_path)})
    assert build_environment(settings).first_day() == date(2025, 1, 1)


@pytest.mark.integration
def test_a_local_process_does_not_load_what_production_needs() -> None:
    script = (
        "import sys\n"
        "from vp_pipeline.environments.environment import build_resources\n"
        "from vp_pipeline.settings import load_settings\n"
        "build_resources(load_settings({}))\n"
        "heavy = {'boto3', 'dagster_aws', 'slack_sdk', 'snowflake.connector', 'dagster_airbyte'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
