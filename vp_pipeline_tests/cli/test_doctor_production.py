"""`vp doctor` with production's settings, on stand-ins: each service that refuses, and what fixes it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from vp_pipeline.cli.doctor.configuration import Variables
from vp_pipeline.cli.doctor.examination import Installation, production_services
from vp_pipeline.cli.doctor.finding import Finding
from vp_pipeline.settings import load_settings
from vp_pipeline_tests.cli.typed import Shell
from vp_pipeline_tests.stand_ins.production import SECRETS, Production, production
from vp_pipeline_tests.stand_ins.s3 import KEYS, Fault, refusal
from vp_pipeline_tests.stand_ins.snowflake import refusal as snowflake_refusal

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("production")) as made:
        yield made


@pytest.fixture
def signed_in(shell: Shell, stand_ins: Production) -> Iterator[Shell]:
    """A shell with production's variables, in which nothing is wrong but the daemon and the schedule."""
    shell.variables |= {**stand_ins.variables, **KEYS, "AWS_EC2_METADATA_DISABLED": "true"}
    stand_ins.snowflake.faults.append(_emulated)
    yield shell
    stand_ins.snowflake.faults.clear()
    stand_ins.s3.faults.clear()


def _emulated(statement: str) -> str | None:
    """Of what is checked the emulator has no listing of a stage, no grants and no parameters."""
    if statement.startswith(("list @", "show grants", "show parameters")):
        return "select 'TIMEZONE' as key, 'UTC' as value"
    return "select 5" if "as layers" in statement else None


@dataclass(frozen=True)
class Wrong:
    """What is set, or made of the stand-ins; the text that is found; the remedy, which names what a person knows."""

    text: str
    remedy: str
    variables: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Production], None] = lambda _: None


def without_stage(made: Production) -> None:
    def refuse(statement: str) -> Exception | str | None:
        return snowflake_refusal(2003, "Stage does not exist") if statement.startswith("list @") else None

    made.snowflake.faults.insert(0, refuse)


def without_grants(made: Production) -> None:
    made.snowflake.faults.insert(0, lambda s: "select 1 where 1 = 0" if s.startswith("show grants") else None)


def another_time_zone(made: Production) -> None:
    def answer(statement: str) -> str | None:
        parameters = "select 'TIMEZONE' as key, 'America/Los_Angeles' as value"
        return parameters if statement == "show parameters in session" else None

    made.snowflake.faults.insert(0, answer)


def denied(method: str, part: str) -> Callable[[Production], None]:
    def make(made: Production) -> None:
        def refuse(request: Request) -> Response | None:
            named = request.path if method != "LIST" else request.args.get("prefix", "")
            of_kind = request.method == ("GET" if method == "LIST" else method)
            return refusal(403, "AccessDenied") if of_kind and part in named else None

        fault: Fault = refuse
        made.s3.faults.append(fault)

    return make


def examined(shell: Shell) -> list[Finding]:
    """What is found of the services that production runs on."""
    variables = Variables(shell.variables, {}, shell.folder / ".env")
    return list(production_services(Installation(load_settings(shell.variables), variables)))


AWS = "terraform -chdir=infra/aws apply"
SNOWFLAKE = "vp deploy snowflake --aws-role-arn <the role that reads silver> --apply"
CASES: Mapping[str, Wrong] = {
    "Airbyte's secret": Wrong(
        "HTTP 401", "VP_AIRBYTE_CLIENT_SECRET", {"VP_AIRBYTE_CLIENT_SECRET": "an-old-secret-of-airbyte"}
    ),
    "Airbyte's workspace": Wrong("HTTP 404", "VP_AIRBYTE_WORKSPACE_ID", {"VP_AIRBYTE_WORKSPACE_ID": "another"}),
    "a connection": Wrong("HTTP 404", "VP_AIRBYTE_CONNECTION_KEEPA", {"VP_AIRBYTE_CONNECTION_KEEPA": "another"}),
    "a bucket": Wrong("NoSuchBucket", "VP_LAKE_URL", {"VP_LAKE_URL": "s3://there-is-no-such-bucket"}),
    "writing quarantine": Wrong("cannot be written: S3 responds AccessDenied", AWS, make=denied("PUT", "/quarantine/")),
    "writing silver": Wrong("cannot be written: S3 responds AccessDenied", AWS, make=denied("PUT", "/silver/")),
    "reading": Wrong("cannot be read: S3 responds AccessDenied", AWS, make=denied("GET", "_doctor/probe")),
    "listing": Wrong("cannot be listed: S3 responds AccessDenied", AWS, make=denied("LIST", "quarantine")),
    "deleting": Wrong("cannot be deleted: S3 responds", AWS, make=denied("DELETE", "_state/")),
    "the stage": Wrong("Stage does not exist", SNOWFLAKE, make=without_stage),
    "the grants": Wrong("no row for `show grants", SNOWFLAKE, make=without_grants),
    "the time zone": Wrong("TIMEZONE is America/Los_Angeles instead of UTC", SNOWFLAKE, make=another_time_zone),
}


@pytest.mark.parametrize("name", CASES)
def test_what_production_lacks_is_found_and_fixed(signed_in: Shell, stand_ins: Production, name: str) -> None:
    case = CASES[name]
    right = dict(signed_in.variables)
    signed_in.variables |= case.variables
    case.make(stand_ins)
    found = [each for each in examined(signed_in) if case.text in each.text]
    assert len({each.remedy for each in found}) == 1, examined(signed_in)
    remedy = str(found[0].remedy)
    if not case.variables:
        assert remedy == case.remedy
        return
    assert case.remedy in remedy
    signed_in.type(remedy, right)
    assert [each for each in examined(signed_in) if each.state == "wrong"] == []


def test_a_connection_that_differs_is_found(signed_in: Shell, stand_ins: Production) -> None:
    stand_ins.airbyte.connection["scheduleType"] = "cron"
    try:
        (found,) = [each for each in examined(signed_in) if each.subject == "Airbyte, keepa"]
    finally:
        stand_ins.airbyte.connection["scheduleType"] = "manual"
    assert "Airbyte runs it on a cron schedule" in found.text
    assert found.remedy == "vp deploy airbyte --region <the bucket's region> --apply"


def test_records_of_this_machine_are_not_those_of_the_deployment(signed_in: Shell) -> None:
    home = signed_in.variables.pop("DAGSTER_HOME")
    (found,) = signed_in.wrong().values()
    assert found.remedy == "export DAGSTER_HOME=<a folder with the deployment's dagster.yaml>"
    signed_in.type(found.remedy, {"DAGSTER_HOME": home})
    assert "DAGSTER_HOME" not in {each.subject for each in signed_in.examine()}


def test_what_is_as_it_should_be_leaves_nothing_behind_and_no_secret(
    signed_in: Shell, stand_ins: Production, tmp_path: Path
) -> None:
    before = {info.path for info in stand_ins.lake.list("")}
    found = signed_in.examine()
    assert {each.subject for each in found if each.state == "wrong"} == {"daemon", "daily schedule"}
    states = {each.subject: each.state for each in found}
    for subject in ("Airbyte", "Airbyte, keepa", "lake", "lake, silver", "Snowflake", "Snowflake's objects", "lease"):
        assert states[subject] == "ok", (subject, found)
    # moto compares no checksums: what S3 would refuse is there.
    assert {info.path for info in stand_ins.lake.list("")} - before <= {"silver/_doctor/probe"}
    assert not [secret for secret in SECRETS for each in found if secret in f"{each}"]
    assert stand_ins.airbyte.jobs == []
