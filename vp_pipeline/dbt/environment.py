"""What dbt gets from the settings of an environment: the target, and the variables that profiles.yml reads.

Here: names and values. Not here: setting them (`in_process.py`), and the profile itself (`dbt_project/profiles.yml`).
"""

from vp_pipeline.settings import Settings

# The outputs of profiles.yml. There is no fallback: an environment without one cannot run.
TARGETS = {"local": "local", "production": "snowflake"}
WAREHOUSE_VARIABLE = "VP_WAREHOUSE_PATH"
# The sources whose models the project has (`+enabled` in dbt_project.yml); unset: all.
SOURCES_VARIABLE = "VP_SOURCES"
# The run, for the query tag of each statement (`macros/query_tag.sql`). dbt does not parse the project again when a
# variable changes whose name begins like this.
RUN_VARIABLE = "DBT_ENV_CUSTOM_ENV_VP_RUN"
# The models to build as a whole, with the code to record for each (`macros/restating.sql`).
RESTATE_VARIABLE = "DBT_ENV_CUSTOM_ENV_VP_RESTATE"


def dbt_environment(settings: Settings, *, connects: bool) -> dict[str, str]:
    """The variables of profiles.yml, also where `.env` has set them. Without `connects`: enough to parse, without
    secrets and the same for each data folder, because dbt parses the whole project again when one of them changes."""
    enabled = {SOURCES_VARIABLE: ",".join(source.name for source in settings.enabled_sources)}
    if settings.env == "local":
        path = settings.warehouse_path
        return {WAREHOUSE_VARIABLE: str(path if connects else path.name), **enabled}
    passphrase, password = settings.snowflake_private_key_passphrase, settings.snowflake_password
    found = {
        "ACCOUNT": settings.snowflake_account,
        "USER": settings.snowflake_user,
        "ROLE": settings.snowflake_role,
        "WAREHOUSE": settings.snowflake_warehouse,
        "WAREHOUSE_LARGE": large_warehouse(settings),
        "DATABASE": settings.snowflake_database,
        "THREADS": settings.snowflake_threads,
        "TIMEOUT_SECONDS": settings.snowflake_timeout_seconds,
        "PRIVATE_KEY_PATH": settings.snowflake_private_key_path,
        "PRIVATE_KEY_PASSPHRASE": passphrase.get_secret_value() if passphrase and connects else None,
        "PASSWORD": password.get_secret_value() if password and connects else None,
        "HOST": settings.snowflake_host,
        "PORT": settings.snowflake_port,
        "PROTOCOL": settings.snowflake_protocol,
    }
    return {**enabled, **{f"VP_SNOWFLAKE_{name}": str(value) for name, value in found.items() if value is not None}}


def large_warehouse(settings: Settings) -> str | None:
    """Snowflake's warehouse for the large models."""
    return settings.snowflake_warehouse_large or settings.snowflake_warehouse
