"""`vp config`: every setting with its value, its origin and its meaning, and no secret."""

from pathlib import Path

from vp_pipeline.cli.config import rows
from vp_pipeline.cli.doctor.configuration import Variables
from vp_pipeline.settings import all_settings, load_settings


def test_every_setting_has_its_value_its_origin_and_its_meaning(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VP_SANDBOX_SEED=9\nKEEPA_API_KEY=a-key-that-is-secret\nVP_LATE_DATA_DAYS=3\n")
    environ = {
        "VP_EXPORT_URL": "https://export.example",
        "VP_EXPORT_TOKEN_FILE": "/run/x",
        "VP_LATE_DATA_DAYS": "5",
        "VP_SOURCES": "keepa,sp_api",
    }
    variables = Variables.of(environ, tmp_path)
    found = {row[0]: row[1:3] for row in rows(load_settings(variables.values), variables)}
    assert list(found) == [each.variable for each in all_settings()]
    assert found["VP_SANDBOX_SEED"] == ("9", ".env")
    assert found["KEEPA_API_KEY"] == ("***", ".env")
    assert found["VP_LATE_DATA_DAYS"] == ("5", "environment")
    assert found["VP_SOURCES"] == ("keepa,sp_api", "environment")
    assert found["VP_EXPORT_TOKEN"] == ("/run/x", "environment")
    assert found["VP_SLACK_TOKEN"] == (None, "default")
    assert found["VP_DATA_DIR"] == ("data", "default")
    assert "secret" not in str(found)
    assert all(row[3] for row in rows(load_settings(variables.values), variables))
