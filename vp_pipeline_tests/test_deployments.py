"""Production, staging and branches from one set of variables: nothing of one reaches what is another's."""

from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from vp_pipeline.environments.environment import build_environment
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import PROJECT_ROOT, Setting, Settings, SettingsError, all_settings, load_settings
from vp_pipeline.warehouse.deploy import places
from vp_pipeline_tests.test_service_settings import COMPLETE

DEPLOYMENTS = ("production", "staging", "stagingloader", "feature7")
# What deployments may have in common: addresses of services, how much and how long. A new setting is put here, or is
# declared as `OfOne` or `Named`.
SHARED = {
    *("VP_ENV", "VP_SOURCES", "VP_UI_URL", "VP_START_DATE", "VP_ON_CODE_CHANGE", "VP_DBT_EXECUTABLE"),
    *("VP_SLACK_API_URL", "VP_POWER_BI_API_URL", "VP_POWER_BI_LOGIN_URL", "VP_S3_ENDPOINT_URL", "VP_S3_SSE"),
    *("VP_AIRBYTE_API_URL", "VP_AIRBYTE_CONFIGURATION_API_URL", "VP_SNOWFLAKE_ACCOUNT", "VP_SNOWFLAKE_HOST"),
    *("VP_SNOWFLAKE_PORT", "VP_SNOWFLAKE_PROTOCOL", "VP_EXPORT_MART"),
    # In the database of each.
    *("VP_SNOWFLAKE_STAGE", "VP_SNOWFLAKE_FILE_FORMAT"),
}
_NUMBERS = (bool, int, float)
OWN = [setting for setting in all_settings() if setting.is_of_one and setting.field != "snowflake_private_key_path"]


def value_of(variable: str, deployment: str) -> str:
    """A value that no other deployment has."""
    return (
        f"https://{deployment}.example/"
        if variable in ("VP_EXPORT_URL", "VP_OPENLINEAGE_URL")
        else f"{variable}-of-{deployment}"
    )


def variables() -> dict[str, str]:
    """One set for all: what is of one deployment has its ending, and everything that can be set is set."""
    shared = {name: value for name, value in COMPLETE.items() if name not in {setting.variable for setting in OWN}}
    found = {**shared, "VP_S3_SSE": "aws:kms", "VP_SNOWFLAKE_WAREHOUSE_LARGE": "VP_LARGE", "VP_SOURCES": "keepa"}
    for deployment in DEPLOYMENTS:
        ending = "" if deployment == "production" else f"__{deployment.upper()}"
        found |= {f"{s.variable}{ending}": value_of(s.variable, deployment) for s in OWN}
    return found


def of(deployment: str, **more: str) -> Settings:
    return load_settings({**variables(), "VP_DEPLOYMENT": deployment, **more})


def values(settings: Settings) -> dict[str, object]:
    def owner(setting: Setting) -> object:
        return settings if setting.source is None else settings.of(setting.source)

    return {setting.variable: getattr(owner(setting), setting.field) for setting in all_settings()}


@pytest.mark.parametrize(("one", "other"), combinations(DEPLOYMENTS, 2))
def test_no_setting_of_one_reaches_what_is_the_others(one: str, other: str) -> None:
    first, second = values(of(one)), values(of(other))
    common = {
        name
        for name, value in first.items()
        if value == second[name] and value not in (None, "", ()) and not isinstance(value, _NUMBERS)
    }
    of_sources = {s.variable for s in all_settings() if s.source is not None and not s.is_of_one}
    assert common - of_sources <= SHARED
    for name in ("VP_LAKE_URL", "VP_DATA_DIR"):
        folders = [f"{found[name]}/" for found in (first, second)]
        assert not folders[0].startswith(folders[1])
        assert not folders[1].startswith(folders[0])


@pytest.mark.parametrize(("one", "other"), combinations(DEPLOYMENTS, 2))
def test_what_is_made_in_snowflake_for_one_is_not_the_others(one: str, other: str) -> None:
    first, second = (places(of(name), "arn:aws:iam::1:role/snowflake") for name in (one, other))
    same = {name for name, value in first.items() if value == second[name]}
    assert same == {"stage", "file_format", "aws_role_arn"}
    names = [
        {
            *(found["role"], found["reader_role"], found["warehouse"]),
            *(f"{found['prefix']}_{kind}" for kind in ("loader", "read", "user", "transform")),
        }
        for found in (first, second)
    ]
    assert names[0] & names[1] == set()
    databases = [{found["database"], f"{found['database']}_diff"} for found in (first, second)]
    assert databases[0] & databases[1] == set()


def test_names_end_with_the_deployments() -> None:
    staging = of("staging")
    assert staging.snowflake_database == "VERACITYPRO_STAGING"
    assert staging.snowflake_role == "VP_PIPELINE_STAGING"
    assert staging.lake_url == "s3://a-bucket/lake-staging"
    assert staging.data_dir == PROJECT_ROOT / "data-staging"
    assert staging.postgres_schema == "veracitypro_staging"
    assert of("production").snowflake_database == "VERACITYPRO"
    assert of("staging", VP_SNOWFLAKE_DATABASE="acme").snowflake_database == "acme_staging"
    assert of("staging", VP_SNOWFLAKE_DATABASE__STAGING="TRIAL").snowflake_database == "TRIAL"


def test_there_is_no_fallback_to_what_is_productions() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({**COMPLETE, "VP_SOURCES": "keepa", "VP_DEPLOYMENT": "staging"})
    message = str(refused.value)
    for variable in ("VP_AIRBYTE_WORKSPACE_ID", "VP_AIRBYTE_CLIENT_SECRET", "VP_SNOWFLAKE_USER"):
        assert f"{variable} is not set" in message
    assert message.endswith("The deployment staging reads them with the ending __STAGING.")
    local = load_settings({"VP_DEPLOYMENT": "feature7", "KEEPA_API_KEY": "k", "VP_SLACK_TOKEN_FILE": "/x"})
    assert (local.secrets, local.slack_token) == ((), None)
    assert local.data_dir == PROJECT_ROOT / "data-feature7"


def test_any_setting_can_be_of_one_deployment() -> None:
    both = {"VP_SNOWFLAKE_THREADS": "8", "VP_SNOWFLAKE_THREADS__STAGING": "2"}
    assert [of(name, **both).snowflake_threads for name in ("production", "staging", "feature7")] == [8, 2, 8]
    with pytest.raises(SettingsError, match=r"VP_SLACK_CHANEL__STAGING is not a setting.* Did you mean VP_SLACK_CH"):
        of("staging", VP_SLACK_CHANEL__STAGING="C1")


def test_a_whole_bucket_has_no_place_beside_it() -> None:
    with pytest.raises(SettingsError, match="VP_LAKE_URL is a whole bucket, and the deployment staging would be in it"):
        of("staging", VP_LAKE_URL="s3://a-bucket")
    assert (
        of("staging", VP_LAKE_URL="s3://a-bucket", VP_LAKE_URL__STAGING="s3://another-bucket").lake_url
        == "s3://another-bucket"
    )
    assert of("production", VP_LAKE_URL="s3://a-bucket").lake_url == "s3://a-bucket"


@pytest.mark.parametrize("name", ["diff", "a_b", "Prod", "feature/x", "7up", "x" * 31])
def test_a_name_that_others_could_derive_from_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="is no name of a deployment"):
        of(name)


def test_but_production_has_a_short_window_and_restates(tmp_path: Path) -> None:
    first = {name: build_environment(of(name)).first_day() for name in DEPLOYMENTS}
    assert first["production"] == date(2025, 1, 1)
    assert first["staging"] == first["feature7"] == newest_finished_day() - timedelta(days=13)
    assert [of(name).refuses_code_changes for name in DEPLOYMENTS] == [True, False, False, False]
