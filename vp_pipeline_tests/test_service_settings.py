"""Production's settings: what is missing or contradicts is rejected by its variable's name, without any network."""

from pathlib import Path

import pytest

from vp_pipeline.settings import SettingsError, load_settings, variable_of
from vp_pipeline.sources.registry import SOURCES

COMPLETE = {
    "VP_ENV": "production",
    "VP_LAKE_URL": "s3://a-bucket/lake/",
    "VP_AIRBYTE_CLIENT_ID": "a-client",
    "VP_AIRBYTE_CLIENT_SECRET": "a-client-secret",
    "VP_AIRBYTE_WORKSPACE_ID": "a-workspace",
    "VP_AIRBYTE_CONNECTION_KEEPA": "a-connection",
    "VP_SNOWFLAKE_ACCOUNT": "org-account",
    "VP_SNOWFLAKE_USER": "PIPELINE",
    "VP_SNOWFLAKE_PASSWORD": "a-password",
}
# What connects every source.
CONNECTED = {
    **{variable_of(source, source.settings.NEEDED): "a-connection" for source in SOURCES},
    "VP_ORDER_EVENTS_TOPIC": "orders",
    "VP_ORDER_EVENTS_SECURITY_PROTOCOL": "SSL",
}


def test_a_complete_set_is_taken() -> None:
    settings = load_settings(COMPLETE)
    assert settings.env == "production"
    assert settings.lake_url == "s3://a-bucket/lake"


@pytest.mark.parametrize("variable", [name for name in COMPLETE if name not in ("VP_ENV", "VP_SNOWFLAKE_PASSWORD")])
def test_what_production_needs_is_named(variable: str) -> None:
    chosen = {"VP_SOURCES": "keepa"}
    with pytest.raises(SettingsError, match=rf"^{variable} is not set, and production needs it"):
        load_settings({**chosen, **{name: value for name, value in COMPLETE.items() if name != variable}})


def test_production_has_the_sources_with_a_connection() -> None:
    """Unless they are named: then each needs one."""
    assert names(COMPLETE) == ["keepa"]
    assert names({**COMPLETE, "VP_AIRBYTE_CONNECTION_SP_API": "another"}) == ["keepa", "sp_api"]
    assert names({**COMPLETE, "VP_AIRBYTE_CONNECTION_SP_API": "another", "VP_SOURCES": "sp_api"}) == ["sp_api"]
    with pytest.raises(SettingsError, match=r"^VP_AIRBYTE_CONNECTION_OPEN_METEO is not set, and production needs it"):
        load_settings({**COMPLETE, "VP_SOURCES": "keepa,open_meteo"})
    without = {name: value for name, value in COMPLETE.items() if name != "VP_AIRBYTE_CONNECTION_KEEPA"}
    with pytest.raises(SettingsError, match=r"^No source is connected.*: VP_AIRBYTE_CONNECTION_KEEPA, "):
        load_settings(without)


def names(variables: dict[str, str]) -> list[str]:
    return [source.name for source in load_settings(variables).enabled_sources]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"VP_LAKE_URL": "/data/lake"}, "^VP_LAKE_URL cannot be used: /data/lake is not a valid address on S3"),
        ({"VP_SNOWFLAKE_PASSWORD": ""}, "^VP_SNOWFLAKE_PRIVATE_KEY_PATH is not set, nor is VP_SNOWFLAKE_PASSWORD"),
        ({"VP_SNOWFLAKE_DATABASE": "a; drop"}, "^VP_SNOWFLAKE_DATABASE cannot be used: a; drop is not a plain name"),
        ({"VP_SNOWFLAKE_STAGE": "stage"}, "^VP_SNOWFLAKE_STAGE cannot be used: stage is not schema.name"),
        ({"VP_S3_KMS_KEY": "k"}, "^VP_S3_KMS_KEY is set without VP_S3_SSE=aws:kms"),
        ({"VP_S3_SSE": "none"}, "^VP_S3_SSE cannot be used"),
        ({"VP_AIRBYTE_API_URL": "airbyte"}, "^VP_AIRBYTE_API_URL cannot be used"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(changes: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings({**COMPLETE, **changes})


def test_a_key_must_be_there_and_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PASSWORD is set along with VP_SNOWFLAKE_PRIVATE_KEY_PATH"):
        load_settings({**COMPLETE, "VP_SNOWFLAKE_PRIVATE_KEY_PATH": str(tmp_path / "key.p8")})
    with pytest.raises(SettingsError, match=r"PRIVATE_KEY_PATH cannot be used: there is no file .*key\.p8"):
        load_settings(
            {**COMPLETE, "VP_SNOWFLAKE_PASSWORD": "", "VP_SNOWFLAKE_PRIVATE_KEY_PATH": str(tmp_path / "key.p8")}
        )


def test_secrets_are_not_shown() -> None:
    settings = load_settings(COMPLETE)
    shown = repr(settings) + str(settings) + settings.model_dump_json()
    for secret in ("a-client-secret", "a-password"):
        assert secret not in shown
