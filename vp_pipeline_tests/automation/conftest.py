"""What tests of the automation share: a light graph of the same names, and an instance."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.build import build_definitions
from vp_pipeline.quality.freshness import CHECK
from vp_pipeline.settings import Settings
from vp_pipeline_tests.conftest import pipeline_settings


@pytest.fixture(scope="session")
def shared_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return pipeline_settings(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def definitions(shared_settings: Settings) -> dg.Definitions:
    """The whole graph; nothing of it is executed."""
    return build_definitions(shared_settings)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        yield instance


def freshness_of(definitions: dg.Definitions) -> dg.AssetChecksDefinition:
    """The checks of freshness of a graph."""
    (checks,) = (each for each in definitions.asset_checks or () if {spec.name for spec in each.check_specs} == {CHECK})
    return checks
