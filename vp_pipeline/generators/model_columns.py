"""The columns of the dbt models and what each is derived from (`dbt_project/columns.json`), for the Dagster UI."""

from pathlib import Path

from vp_pipeline.dbt.column_lineage import text
from vp_pipeline.dbt.project import COLUMNS_FILE
from vp_pipeline.warehouse.migrations import migrate


def files() -> dict[Path, str]:
    """The file and the text that it should hold."""
    return {COLUMNS_FILE: text(migrate)}
