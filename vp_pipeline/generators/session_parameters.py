"""The parameters of dbt's sessions on Snowflake (`dbt_project/macros/session_parameters.sql`)."""

from pathlib import Path

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.warehouse.snowflake import ASSIGNMENTS

MACRO = PROJECT_ROOT / "dbt_project" / "macros" / "session_parameters.sql"


def files() -> dict[Path, str]:
    """The file and the text that it should hold."""
    listed = "".join(f'        "{each}",\n' for each in ASSIGNMENTS)
    return {MACRO: _HEAD + f"    {{%- set parameters = [\n{listed}    ] -%}}\n" + _TAIL}


_HEAD = """\
{#- Written by `make generate` from SESSION_PARAMETERS of vp_pipeline/warehouse/snowflake.py, which says why: an account
    may have set these otherwise, and results depend on them. -#}
{% macro session_parameters() -%}
"""
_TAIL = """\
    {{ return(parameters | join(', ')) }}
{%- endmacro %}
"""
