"""What production runs on: Airbyte, the bucket, Snowflake.

Here: requests that change nothing, or undo what they did. Not here: creating any of it (`vp deploy`, `infra/`).
"""

from collections.abc import Iterator

from vp_pipeline.airbyte.api import AirbyteApi
from vp_pipeline.airbyte.drift import drift, source_drift
from vp_pipeline.cli.doctor import services, storage
from vp_pipeline.cli.doctor.finding import Finding, ok, wrong
from vp_pipeline.environments.production import ProductionEnvironment
from vp_pipeline.failures import PermanentError, PipelineError
from vp_pipeline.lake.s3 import S3Store
from vp_pipeline.settings import Settings, variable_of
from vp_pipeline.sources.source import AirbyteSource, airbyte_sources
from vp_pipeline.warehouse.deploy import apply, places, steps
from vp_pipeline.warehouse.snowflake import SESSION_PARAMETERS, SnowflakeWarehouse

_DEPLOY_AIRBYTE = "vp deploy airbyte --region <the bucket's region> --apply"
_DEPLOY_SNOWFLAKE = "vp deploy snowflake --aws-role-arn <the role that reads silver> --apply"
_DEPLOY_AWS = "terraform -chdir=infra/aws apply"


def airbyte(api: AirbyteApi, settings: Settings, environment: ProductionEnvironment) -> Iterator[Finding]:
    """The application signs in, sees the workspace, and each connection is what the code expects."""
    try:
        api._single_request("GET", f"{api.rest_api_base_url}/workspaces/{settings.airbyte_workspace_id}")
    except PipelineError as error:
        of_id = "HTTP 404" in str(error) or "HTTP 403" in str(error)
        named = "VP_AIRBYTE_WORKSPACE_ID" if of_id else str(error)
        yield wrong("Airbyte", str(error), services.correction(named) or _DEPLOY_AIRBYTE)
        return
    yield ok("Airbyte", f"it signs in, and sees the workspace {settings.airbyte_workspace_id}")
    expected = environment.build_airbyte(environment.build_lake()).expected
    for source in airbyte_sources(settings.enabled_sources):
        yield from _connection(api, settings, source, dict(expected.get(source.name) or {}))


def _connection(
    api: AirbyteApi, settings: Settings, source: AirbyteSource, expected: dict[str, object]
) -> Iterator[Finding]:
    subject = f"Airbyte, {source.name}"
    connection_id = settings.of(source).airbyte_connection or ""
    try:
        found = api.get_connection_details(connection_id)
        destination = api.get_destination_details(found["destinationId"])
        differences = [
            difference
            for stream in source.streams
            for difference in drift(found, destination, stream, str(settings.lake_url))
        ]
        if expected:
            differences += source_drift(api.source_configuration(found["sourceId"]), expected)
    except PipelineError as error:
        yield wrong(subject, str(error), services.correction(variable_of(source, "airbyte_connection")) or "")
        return
    if differences:
        yield wrong(subject, f"its connection {connection_id} differs: {'; '.join(differences)}", _DEPLOY_AIRBYTE)
    else:
        yield ok(subject, f"its connection {connection_id} is as the code expects")


def bucket(environment: ProductionEnvironment) -> Iterator[Finding]:
    """Each permission of the pipeline's role: tried where it can be undone, and on silver by a write that never takes
    effect."""
    lake = environment.build_lake()
    for finding in storage.lake(lake, _DEPLOY_AWS):
        remedy = finding.remedy
        if "NoSuchBucket" in finding.text:
            remedy = services.correction("VP_LAKE_URL")
        elif "AWS_PROFILE" in finding.text:
            remedy = "export AWS_PROFILE=<the profile of the pipeline's role>"
        yield Finding(finding.subject, finding.state, finding.text, remedy)
        if finding.state == "wrong" and remedy != _DEPLOY_AWS:
            return
    store = lake.store
    assert isinstance(store, S3Store)
    try:
        store.try_to_write("silver/_doctor/probe")
    except PermanentError as error:
        yield wrong("lake, silver", str(error), _DEPLOY_AWS)
    else:
        yield ok("lake, silver", "may be written")


def snowflake(warehouse: SnowflakeWarehouse, settings: Settings) -> Iterator[Finding]:
    """Signs in with the role; then what `vp deploy snowflake --verify` checks, without what only an administrator sees;
    then who holds the lease."""
    try:
        with warehouse.session({"run": "doctor"}) as session:
            yield ok("Snowflake", f"{settings.snowflake_user} signs in as {settings.snowflake_role}")
            planned = steps(places(settings, "-"), verify=True)
            first = next(n for n, step in enumerate(planned) if step.statement.startswith("use role"))
            try:
                done = list(apply(session, planned[first:]))
            except PermanentError as error:
                yield wrong("Snowflake's objects", str(error), _DEPLOY_SNOWFLAKE)
            else:
                yield ok(
                    "Snowflake's objects", f"{len(done)} checks of role, warehouse, stage, schemas and grants pass"
                )
            yield from _parameters(session.execute("show parameters in session").fetchall())
    except PipelineError as error:
        yield wrong("Snowflake", str(error), _sign_in(settings, str(error)))


def _parameters(rows: list[tuple[object, ...]]) -> Iterator[Finding]:
    """`rows`: of `show parameters`: key, value, and more."""
    there = {str(row[0]).upper(): str(row[1]) for row in rows}
    others = [
        f"{name} is {there[name]} instead of {value}"
        for name, value in SESSION_PARAMETERS.items()
        if name in there and there[name].lower() != str(value).lower()
    ]
    if others:
        yield wrong("Snowflake's parameters", "; ".join(others), _DEPLOY_SNOWFLAKE)
    elif there:
        yield ok("Snowflake's parameters", "of a session: as results depend on them")


def lease(environment: ProductionEnvironment) -> Iterator[Finding]:
    """Whether somebody is writing now."""
    try:
        holder = environment.build_lease().current()
    except PipelineError as error:
        yield wrong("lease", str(error), _DEPLOY_SNOWFLAKE)
    else:
        yield ok("lease", f"held by {holder}" if holder else "free")


def _sign_in(settings: Settings, message: str) -> str:
    secret = "VP_SNOWFLAKE_PASSWORD" if settings.snowflake_password else "VP_SNOWFLAKE_PRIVATE_KEY_PATH"
    account = "VP_SNOWFLAKE_ACCOUNT" in message
    return services.correction("VP_SNOWFLAKE_ACCOUNT" if account else secret) or _DEPLOY_SNOWFLAKE
