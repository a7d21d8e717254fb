"""An edit is parsed alone: dbt parses the other models again only when what they depend on has changed."""

from pathlib import Path

import pytest

from vp_pipeline_tests.project_copy import project_copy


@pytest.mark.integration
def test_an_edit_is_parsed_alone_whatever_the_data_folder(tmp_path: Path) -> None:
    project = project_copy(tmp_path / "edited")
    log = project.root / "dbt_project/target/local.keepa/parse/dbt.log"
    model = project.model("mart_deals")
    project.edit(model, lambda sql: f"{sql}-- one\n")
    project.vp("plan")
    before = len(log.read_text(encoding="utf-8"))
    project.environment["VP_DATA_DIR"] = str(tmp_path / "elsewhere")
    project.edit(model, lambda sql: f"{sql}-- two\n")
    project.vp("plan")
    assert "0 files added, 1 files changed" in log.read_text(encoding="utf-8")[before:]
