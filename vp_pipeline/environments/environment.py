"""Which implementations each environment gets.

Here: what an environment has to offer, and the one table of them. Not here: how one is built from the settings
(`local.py`, `production.py`). A new environment is a file beside those and a line in the table.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from vp_pipeline.airbyte.interface import Airbyte
from vp_pipeline.delivery.export_endpoint import build_endpoint
from vp_pipeline.delivery.power_bi import build_power_bi
from vp_pipeline.lake.objects import Lake
from vp_pipeline.planning.diff_engine import Engine as DiffEngine
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.lease.lease import Lease, Report
from vp_pipeline.warehouse.loading import Warehouse


class Environment(Protocol):
    """The outside world of one environment; nothing is opened before a step needs it."""

    def build_lake(self) -> Lake: ...

    def build_airbyte(self, lake: Lake) -> Airbyte: ...

    def build_warehouse(self) -> Warehouse: ...

    def build_lease(self) -> Lease:
        """The right to write the lake, the warehouse and the publication, of one process at a time."""

    def build_publisher(self) -> Publisher:
        """Where its consumers read, replaced as a whole."""

    def build_diff(self, report: Report) -> DiffEngine:
        """A copy of the warehouse to try code on; `report` is called with for whom it waits."""

    def build_published_marts(self) -> PublishedMarts:
        """What its consumers read."""


def _local(settings: Settings) -> Environment:
    from vp_pipeline.environments.local import LocalEnvironment

    return LocalEnvironment(settings)


def _production(settings: Settings) -> Environment:
    # Deferred import: boto3 and Snowflake's connector take a second, which a local process does not need.
    from vp_pipeline.environments.production import ProductionEnvironment

    return ProductionEnvironment(settings)


ENVIRONMENTS: Mapping[str, Callable[[Settings], Environment]] = {"local": _local, "production": _production}


def build_environment(settings: Settings) -> Environment:
    """The environment that VP_ENV names; there is no fallback."""
    return ENVIRONMENTS[settings.env](settings)


def build_resources(settings: Settings) -> dict[str, object]:
    """The resources of the asset graph, under the names by which the assets take them."""
    # Deferred import: dagster-dbt takes a second, which commands that only look do not need.
    from vp_pipeline.dbt.invocation import build_dbt

    environment = build_environment(settings)
    lake = environment.build_lake()
    return {
        "lake": lake,
        "airbyte": environment.build_airbyte(lake),
        "warehouse": environment.build_warehouse(),
        "publisher": environment.build_publisher(),
        "marts": environment.build_published_marts(),
        # The same services everywhere; whether they are on, and where, is a matter of settings.
        "power_bi": build_power_bi(settings),
        "endpoint": build_endpoint(settings),
        "dbt": build_dbt(settings),
    }
