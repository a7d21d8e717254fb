"""The examination: every probe, in order, and what one has to wait for.

Here: the table of probes, and what becomes of one that cannot be carried out. Not here: the probes, and how findings
are printed (`command.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vp_pipeline.cli.doctor import configuration, installation
from vp_pipeline.cli.doctor.configuration import Variables
from vp_pipeline.cli.doctor.finding import Finding, unknown, wrong
from vp_pipeline.failures import PipelineError, StartError
from vp_pipeline.redaction import Redaction
from vp_pipeline.settings import PROJECT_ROOT, Settings, load_settings
from vp_pipeline.sources.source import airbyte_sources
from vp_pipeline.sources.topic import topic_sources
from vp_pipeline.variables import read_env_file

if TYPE_CHECKING:
    import dagster as dg

    from vp_pipeline.environments.environment import Environment
    from vp_pipeline.environments.production import ProductionEnvironment

Probe = Callable[["Installation"], Iterator[Finding]]


@dataclass(frozen=True)
class Installation:
    """What is examined: the settings in their environment, and Dagster's records."""

    settings: Settings
    variables: Variables

    @cached_property
    def environment(self) -> "Environment":
        from vp_pipeline.environments.environment import build_environment

        return build_environment(self.settings)

    @property
    def production(self) -> "ProductionEnvironment":
        return cast("ProductionEnvironment", self.environment)


def examine(environ: Mapping[str, str], root: Path = PROJECT_ROOT) -> Iterator[Finding]:
    """Everything that is found, in order, without a secret. `environ`: the process's variables; `root`: has `.env`."""
    yield from installation.python()
    yield from installation.packages()
    problems = read_env_file(root / ".env")[1]
    variables = Variables.of(environ, root)
    settings: Settings | None = None
    try:
        settings = load_settings(variables.values)
    except StartError as error:
        problems += error.problems
    if problems or settings is None:
        mask = Redaction(_secret_values(variables))
        for finding in configuration.unusable(tuple(problems), variables):
            yield _masked(finding, mask)
        yield unknown("the rest", "it is examined when the settings can be read")
        return
    yield from configuration.usable(settings, variables)
    place, mask = Installation(settings, variables), Redaction(settings.secrets)
    for finding in _of_probes(place):
        yield _masked(finding, mask)


def _of_probes(place: Installation) -> Iterator[Finding]:
    production = place.settings.env == "production"
    probes = (*((production_services,) if production else (_storage,)), _services, _bronze, _published, _code, _dagster)
    stopped: set[str] = set()
    for subject, probe in ((probe.__name__.strip("_"), probe) for probe in probes):
        if subject in ("code", "dagster", "bronze") and stopped & {"storage", "production_services"}:
            yield unknown(subject, "it is examined when what is wrong above is fixed")
            continue
        for finding in _carried_out(subject, probe, place):
            # A lake that cannot be read, or a warehouse that cannot be opened, fails everything that reads it.
            if finding.state in ("wrong", "unknown") and finding.subject in _FOUNDATIONS:
                stopped.add(subject)
            yield finding


_FOUNDATIONS = ("data folder", "databases", "lake", "warehouse", "Snowflake")


def _carried_out(subject: str, probe: Probe, place: Installation) -> Iterator[Finding]:
    """What a probe finds; a failure of its own is a finding too."""
    try:
        yield from probe(place)
    except PipelineError as error:
        yield wrong(subject, str(error), "vp doctor # again, after what it names is done")
    except Exception as error:  # one probe that has a bug must not hide what the others find
        yield unknown(subject, f"it could not be examined: {type(error).__name__}: {error}")


def _storage(place: Installation) -> Iterator[Finding]:
    from vp_pipeline.cli.doctor import storage

    found = list(storage.data_folder(place.settings))
    yield from found
    yield from storage.room(place.settings)
    if any(finding.state == "wrong" and finding.subject in ("data folder", "databases") for finding in found):
        return
    denied = "export VP_DATA_DIR=<a folder that can be written>"
    if place.settings.lake_dir.is_dir():  # it is made when it is needed
        yield from storage.lake(place.environment.build_lake(), denied, ("_doctor_probe",))
    yield from storage.warehouse_file(place.settings, place.environment.build_lease())


def production_services(place: Installation) -> Iterator[Finding]:
    """What production runs on."""
    from vp_pipeline.cli.doctor import production, storage

    environment = place.production
    yield from storage.data_folder(place.settings)
    yield from production.airbyte(environment.build_airbyte_client(), place.settings, environment)
    yield from production.bucket(environment)
    snowflake = list(production.snowflake(environment.build_warehouse(), place.settings))
    yield from snowflake
    if not any(finding.state == "wrong" for finding in snowflake):
        yield from production.lease(environment)


def _services(place: Installation) -> Iterator[Finding]:
    from vp_pipeline.cli.doctor import services

    local = place.settings.env == "local"
    for source in airbyte_sources(place.settings.enabled_sources):
        if local:
            from vp_pipeline.airbyte.local import LocalAirbyte

            airbyte = LocalAirbyte(place.settings, place.environment.build_lake())
            yield from services.vendor(place.settings, source, airbyte)
        else:
            yield from services.account(place.settings, source)
    for each in topic_sources(place.settings.enabled_sources):
        yield from services.topic(place.settings, each)
    yield from services.slack(place.settings)
    yield from services.power_bi(place.settings)


def _published(place: Installation) -> Iterator[Finding]:
    from vp_pipeline.cli.doctor import days

    yield from days.published(place.environment.build_published_marts())


def _code(place: Installation) -> Iterator[Finding]:
    """dbt parses what it has not parsed yet."""
    from vp_pipeline.cli.doctor import days
    from vp_pipeline.planning.report import plan_of

    environment = place.environment
    try:
        plan = plan_of(place.settings, environment.build_warehouse(), environment.build_lake())
    except PipelineError as error:
        yield wrong("dbt", str(error), "git diff dbt_project")
        return
    yield from days.code(plan)


def _bronze(place: Installation) -> Iterator[Finding]:
    from vp_pipeline.cli.doctor import days
    from vp_pipeline.lake import bronze

    lake, streams = place.environment.build_lake(), place.settings.streams
    newest = max((day for stream in streams for day in bronze.days(lake, stream)), default=None)
    if newest is not None:
        yield from days.landed_objects(lake, streams, newest)


def _dagster(place: Installation) -> Iterator[Finding]:
    from vp_pipeline.automation.day_overview import day_overviews
    from vp_pipeline.cli.doctor import days, records

    environ = place.variables.values
    needed = list(records.home_is_set(place.settings, environ))
    yield from needed
    if needed:
        return
    folder = records.home(environ)
    try:
        opened = _instance(place.settings)
    except Exception as error:  # of the operating system, of Dagster, of the database that the records are in
        yield records.storage_failure(folder, error)
        return
    with opened as instance:
        try:
            yield from records.storage(instance, folder)
        except Exception as error:
            yield records.storage_failure(folder, error)
            return
        yield from records.daemon(instance, place.settings)
        yield from records.schedules(instance, place.settings)
        lake = place.environment.build_lake()
        yield from days.records(instance, lake, place.settings.streams)
        yield from days.layers(day_overviews(place.environment, instance, ()))


def _instance(settings: Settings) -> "dg.DagsterInstance":
    from vp_pipeline.cli.local_runs.instance import project_instance

    return project_instance(settings)


def _masked(finding: Finding, mask: Redaction) -> Finding:
    remedy = mask(finding.remedy) if finding.remedy else finding.remedy
    return Finding(finding.subject, finding.state, mask(finding.text), remedy)


def _secret_values(variables: Variables) -> Sequence[str]:
    """What may be secret where the settings cannot be read."""
    from vp_pipeline.settings import all_settings

    return [variables.values.get(each.variable, "") for each in all_settings() if each.is_secret]
