"""The table of environments: each that the settings know, and what belongs to it."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from vp_pipeline.environments.environment import ENVIRONMENTS, build_environment, build_resources
from vp_pipeline.settings import Settings, load_settings
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.test_production_settings import COMPLETE


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
    resources = build_resources(settings)
    assert set(resources) == set(build_resources(pipeline_settings(tmp_path)))
    made = (resources["airbyte"], resources["warehouse"], resources["publisher"].engine)
    assert [type(resource).__name__ for resource in made] == implementations
    assert type(build_environment(settings).build_lake()) is type(resources["lake"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_a_local_process_does_not_load_what_production_needs() -> None:
    script = (
        "import sys\n"
        "from vp_pipeline.environments.environment import build_resources\n"
        "from vp_pipeline.settings import load_settings\n"
        "build_resources(load_settings({}))\n"
        "print(sorted({'boto3', 'snowflake.connector', 'dagster_airbyte'} & set(sys.modules)))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
