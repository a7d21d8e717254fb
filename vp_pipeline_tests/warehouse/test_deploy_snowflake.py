"""What `vp deploy snowflake` runs: in order, idempotent, the least that each role needs."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.environments.production import ProductionEnvironment
from vp_pipeline.failures import PermanentError
from vp_pipeline.publishing.snowflake import SnowflakePublications
from vp_pipeline.service_settings import ProductionSettings
from vp_pipeline.settings import load_settings
from vp_pipeline.warehouse.deploy import FOLDER, Step, apply, places, steps
from vp_pipeline.warehouse.snowflake import SESSION_PARAMETERS
from vp_pipeline_tests.test_service_settings import COMPLETE

PLACES = places(load_settings(COMPLETE), "arn:aws:iam::1:role/snowflake")
GRANT = re.compile(r"grant (?P<what>.+) on (?P<object>.+) to role (?P<role>\w+)", re.DOTALL)


@pytest.fixture(scope="module")
def planned() -> list[Step]:
    return steps(PLACES)


def test_files_run_in_the_order_of_their_numbers(planned: list[Step]) -> None:
    files = [step.file for step in planned]
    assert files == sorted(files)
    assert set(files) == {f.name for f in FOLDER.glob("*.sql")} - {"90_verify.sql"}
    assert {step.file for step in steps(PLACES, verify=True)} == {"90_verify.sql"}


def test_every_statement_may_run_again(planned: list[Step]) -> None:
    for step in planned:
        verb = step.statement.split()[0]
        assert verb in ("use", "create", "alter", "grant"), step
        if verb == "create":
            assert "if not exists" in step.statement, step
        assert "or replace" not in step.statement, step
        assert "${" not in step.statement, step


def test_what_is_missing_fails_the_verification() -> None:
    class Empty:
        def execute(self, query: str, *_: Any) -> "Empty":
            return self

        def fetchone(self) -> None: ...

        def fetchall(self) -> None: ...

    with pytest.raises(PermanentError, match=r"90_verify\.sql: no row for `show parameters"):
        list(apply(Empty(), steps(PLACES, verify=True)))


def grants(planned: list[Step], role: str) -> list[tuple[str, str]]:
    found = [GRANT.fullmatch(step.statement) for step in planned]
    return [(g["what"], g["object"]) for g in found if g and g["role"] == role]


def test_only_a_publication_grants_to_the_reader(planned: list[Step]) -> None:
    found = {("usage", "database veracitypro"), ("usage", "warehouse vp_read")}
    assert set(grants(planned, "vp_reader")) == found
    made = "\n".join(step.statement for step in planned)
    assert f"create role if not exists {SnowflakePublications.reader} " in made


def test_another_environment_of_the_account_shares_no_name() -> None:
    """Every object that is created, every grant, and what the publisher grants to."""
    other = {
        **COMPLETE,
        "VP_SNOWFLAKE_DATABASE": "STAGING",
        "VP_SNOWFLAKE_ROLE": "STAGING_PIPELINE",
        "VP_SNOWFLAKE_READER_ROLE": "STAGING_READER",
        "VP_SNOWFLAKE_WAREHOUSE": "STAGING_LOAD",
    }
    settings = load_settings(other)
    for verify in (False, True):
        for step in steps(places(settings, "arn:aws:iam::1:role/x"), verify=verify):
            assert not re.search(r"\bvp_(?!snowflake_)|veracitypro", step.statement, re.IGNORECASE), step
    publications = ProductionEnvironment(settings).build_publisher().engine
    assert isinstance(publications, SnowflakePublications)
    assert publications.reader == "staging_reader"


def test_the_loader_writes_raw_alone(planned: list[Step]) -> None:
    for _, where in grants(planned, "vp_loader"):
        assert where in ("database veracitypro", "warehouse vp_load") or "veracitypro.raw" in where, where


def test_the_transformer_does_not_write_raw(planned: list[Step]) -> None:
    on_raw = [what for what, where in grants(planned, "vp_transformer") if "veracitypro.raw" in where]
    assert set(on_raw) == {"usage", "select"}


def test_snowflake_may_read_silver_and_nothing_else(planned: list[Step]) -> None:
    (integration,) = [s.statement for s in planned if "create storage integration" in s.statement]
    assert "storage_allowed_locations = ('s3://a-bucket/lake/silver/')" in integration
    (stage,) = [s.statement for s in planned if "create stage" in s.statement]
    assert "url = 's3://a-bucket/lake/silver/'" in stage


def test_the_settings_name_what_is_made(planned: list[Step]) -> None:
    made = "\n".join(step.statement for step in planned)
    defaults = {name: str(field.default).lower() for name, field in ProductionSettings.model_fields.items()}
    for kind in ("role", "warehouse", "database"):
        assert re.search(rf"create {kind} if not exists {defaults[f'snowflake_{kind}']}\b", made), kind
    assert f"create stage if not exists veracitypro.{defaults['snowflake_stage']}\n" in made
    assert f"create file format if not exists veracitypro.{defaults['snowflake_file_format']}\n" in made


def test_users_have_the_parameters_of_the_pipelines_sessions(planned: list[Step]) -> None:
    """And `--verify` compares each of them."""
    made = [s.statement for s in planned if re.match(r"alter user \w+ set", s.statement)]
    assert [statement.split()[2] for statement in made] == ["vp_pipeline_user", "vp_reader_user"]
    for statement in made:
        found = dict(re.findall(r"(\w+) = ('[^']*'|\w+)", statement))
        assert {name.upper(): value.strip("'") for name, value in found.items()} == parameters()
    compared = [s.statement for s in steps(PLACES, verify=True) if "result_scan" in s.statement]
    assert len(compared) == len(made)
    for statement in compared:
        assert dict(re.findall(r"""\("key" = '(\w+)' and "value" = '([^']*)'\)""", statement)) == parameters()
        assert f"having count(*) = {len(parameters())}" in statement


def parameters() -> dict[str, str]:
    """As Snowflake shows them."""
    return {name: str(value).lower() if value is False else str(value) for name, value in SESSION_PARAMETERS.items()}


class _Recorder:
    """A session that responds as Snowflake would."""

    def __init__(self, *responses: str | Exception) -> None:
        self.responses = list(responses)
        self.ran: list[str] = []

    def execute(self, query: str, parameters: Any = (), /) -> Any:
        self.ran.append(query)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        self.response = response
        return self

    def fetchone(self) -> tuple[str]:
        return (self.response,)

    def fetchall(self) -> list[tuple[str]]:
        return [(self.response,)]


def test_changes_are_reported_and_a_failure_names_its_file() -> None:
    planned = [Step("01_a.sql", "create role if not exists a"), Step("02_b.sql", "b"), Step("02_b.sql", "c")]
    session = _Recorder("Role A successfully created.", "B already exists, statement succeeded.", PermanentError("no"))
    done = apply(session, planned)
    assert next(done).changed
    assert not next(done).changed
    with pytest.raises(PermanentError, match=r"^02_b\.sql: no Fix it"):
        next(done)


def test_a_placeholder_without_a_value_is_named() -> None:
    with pytest.raises(
        PermanentError, match=r"04_storage\.sql needs a value for \$\{aws_role_arn\}: pass --aws-role-arn"
    ):
        steps({name: value for name, value in PLACES.items() if name != "aws_role_arn"})


def test_a_dry_run_shows_everything_and_connects_to_nothing(environment: dict[str, str]) -> None:
    command = [
        str(Path(sys.executable).with_name("vp")),
        "deploy",
        "snowflake",
        "--aws-role-arn",
        "arn:aws:iam::1:role/x",
    ]
    ran = subprocess.run(
        command, env={**os.environ, **environment, **COMPLETE}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "create database if not exists veracitypro" in ran.stdout
    assert f"{len(steps(PLACES))} statements; nothing was run." in ran.stdout
    assert "a-password" not in ran.stdout
