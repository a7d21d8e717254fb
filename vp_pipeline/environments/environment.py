"""Which implementations each environment gets.

Here: what an environment has to offer, and the one table of them. Not here: how one is built from the settings
(`local.py`, `production.py`). A new environment is a file beside those and a line in the table.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from vp_pipeline.airbyte.interface import Airbyte
from vp_pipeline.delivery.export_endpoint import build_endpoint
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.postgres import build_postgres
from vp_pipeline.delivery.power_bi import build_power_bi
from vp_pipeline.delivery.slack import build_slack
from vp_pipeline.lake.objects import Lake
from vp_pipeline.planning.diff_engine import Engine as DiffEngine
from vp_pipeline.publishing.publisher import Publisher
from vp_pipeline.publishing.reader import PublishedMarts
from vp_pipeline.settings import Settings
from vp_pipeline.topics.intake import TopicIntake
from vp_pipeline.warehouse.lease.lease import Lease, Report
from vp_pipeline.warehouse.loading import Warehouse

if TYPE_CHECKING:
    import dagster as dg


class Environment(Protocol):
    """The outside world of one environment; nothing is opened before a step needs it."""

    @property
    def settings(self) -> Settings: ...

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

    def build_box(self, name: str) -> Box:
        """An outbox: `slack`, `power_bi` or `export`; the same for every process of the environment."""

    def build_services(self) -> "Mapping[str, dg.ConfigurableResource[Any]]":
        """Resources that only this environment has, under the others: they are shown in the UI, with their fields."""

    def first_day(self) -> date:
        """The first daily partition."""


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


def build_resources(settings: Settings) -> "dict[str, dg.ResourceDefinition | dg.ConfigurableResource[Any]]":
    """The resources of the asset graph, under the names by which the assets take them; and the services under them,
    whose fields Dagster's UI shows: no secret is in one."""
    # Deferred import: dagster-dbt takes a second, which commands that only look do not need.
    from vp_pipeline.dbt.invocation import build_dbt

    environment = build_environment(settings)
    lake = environment.build_lake()
    publisher = environment.build_publisher()
    # The services are the same everywhere; whether they are on, and where, is a matter of settings.
    resources: Mapping[str, tuple[object, str]] = {
        "lake": (lake, f"Bronze, silver, quarantine and change exports: {lake.location('')}."),
        "airbyte": (environment.build_airbyte(lake), "Starts the syncs of the APIs, or attaches to those that run."),
        "topic": (TopicIntake(settings, lake), "Consumes the Kafka topics that the settings name; off without one."),
        "warehouse": (environment.build_warehouse(), "RAW and the schemas that dbt builds; one writer at a time."),
        "publisher": (publisher, f"Replaces, as a whole, what consumers read: {publisher.marts.address}."),
        "marts": (environment.build_published_marts(), "What consumers read; deliveries read it as they do."),
        "power_bi": (build_power_bi(settings), "Refreshes the Power BI model. Off without the settings VP_POWER_BI_…."),
        "postgres": (
            build_postgres(settings),
            "Takes a copy of each publication. Off without VP_POSTGRES_URL.",
        ),
        "endpoint": (build_endpoint(settings), "Takes exported rows over HTTP. Off without the setting VP_EXPORT_URL."),
        "dbt": (build_dbt(settings), "Runs dbt on the project in dbt_project/: in this process, or VP_DBT_EXECUTABLE."),
    }
    made = {name: _resource(value, description) for name, (value, description) in resources.items()}
    slack = build_slack(settings)
    off = _resource(slack, "Sends the outbox's messages to Slack. Off without the setting VP_SLACK_TOKEN.")
    return {**made, "slack": slack.resource if slack.is_on else off, **environment.build_services()}


def _resource(value: object, description: str) -> "dg.ResourceDefinition":
    import dagster as dg

    def provide(_: object) -> object:
        return value

    # What the UI shows as its type.
    provide.__module__, provide.__name__ = type(value).__module__, type(value).__name__
    return dg.ResourceDefinition(provide, description=description)
