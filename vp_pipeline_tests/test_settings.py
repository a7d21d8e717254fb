"""Settings: defaults, and errors that name the variable."""

import re
from pathlib import Path

import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import PROJECT_ROOT, SettingsError, load_settings
from vp_pipeline.sources.keepa.source import KEEPA
from vp_pipeline.sources.registry import NAMES, SOURCES


def test_everything_has_a_default() -> None:
    settings = load_settings({})
    assert settings.env == "local"
    assert settings.data_dir == PROJECT_ROOT / "data"
    assert settings.lake_dir == PROJECT_ROOT / "data" / "lake"
    assert settings.warehouse_path == PROJECT_ROOT / "data" / "warehouse.duckdb"
    assert settings.of(KEEPA).api_key is None


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("VP_ENV", "prod", "VP_ENV cannot be used: Input should be 'local' or 'production'"),
        ("VP_KEEPA_DAYS", "many", "VP_KEEPA_DAYS cannot be used"),
        ("VP_KEEPA_DAYS", "0", "VP_KEEPA_DAYS cannot be used"),
        ("VP_START_DATE", "2026-02-30", "VP_START_DATE cannot be used"),
        ("VP_KEEPA_URL", "keepa", "VP_KEEPA_URL cannot be used"),
        ("VP_KEEPA_DOMAIN", "7", "VP_KEEPA_DOMAIN cannot be used: unknown marketplace 7"),
        ("VP_KEEPA_ASINS", "B0D8W1YVBX,5:short", "VP_KEEPA_ASINS cannot be used: 5:short is not a valid product"),
        (
            "VP_KEEPA_ASINS",
            "b0d8w1yvbx",
            "VP_KEEPA_ASINS cannot be used: b0d8w1yvbx is not a valid product: ASINs are in",
        ),
        ("VP_KEEPA_ASINS", "7:B0D8W1YVBX", "VP_KEEPA_ASINS cannot be used: 7:B0D8W1YVBX is not a valid product"),
        ("VP_EXPORT_MART", "a; drop", "VP_EXPORT_MART cannot be used: a; drop is not a valid mart name"),
        ("VP_SLACK_TOKEN", "x", "The settings cannot be used: VP_SLACK_CHANNEL is not set, and VP_SLACK_TOKEN, VP_"),
        ("VP_EXPORT_TOKEN", "x", "The settings cannot be used: VP_EXPORT_TOKEN is set without VP_EXPORT_URL"),
        ("VP_POWER_BI_CLIENT_ID", "x", "The settings cannot be used: VP_POWER_BI_TENANT_ID, VP_POWER_BI_CLIENT_SECRET"),
        ("VP_DATADIR", "x", "VP_DATADIR is not a setting of this project. Did you mean VP_DATA_DIR?"),
        ("VP_SOMETHING_ELSE", "x", "VP_SOMETHING_ELSE is not a setting of this project. Known: "),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(variable: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match="^" + re.escape(message)):
        load_settings({variable: value})


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"VP_KEEPA_DAYS": "0", "VP_DATADIR": "x", "KEEPA_KEY": "k", "VP_ENV": "prod"})
    assert [line.split(" ")[1] for line in str(error.value).splitlines()] == [
        "KEEPA_KEY",
        "VP_DATADIR",
        "VP_KEEPA_DAYS",
        "VP_ENV",
    ]
    assert "KEEPA_KEY is not a setting of this project. Did you mean KEEPA_API_KEY?" in str(error.value)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# a key\n\nKEEPA_API_KEY: very-secret\nVP_SANDBOX_SEED=8\n", [3]),
        ("KEEPA_API_KEY\n", [1]),
        ("VP_SLACK_TOKEN='very-secret\nKEEPA API=very-secret\n", [1, 2]),
    ],
)
def test_a_line_of_the_env_file_that_cannot_be_read_stops_and_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, lines: list[int]
) -> None:
    """Passed over, a key that is written with a colon would let the run go on with made-up data."""
    monkeypatch.setattr("vp_pipeline.settings.PROJECT_ROOT", tmp_path)
    (tmp_path / ".env").write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    found = re.findall(r"Line (\d+) of \S+\.env cannot be read\. Write VARIABLE=value", str(error.value))
    assert list(map(int, found)) == lines
    assert "secret" not in str(error.value)


def test_an_env_file_is_read_as_a_shell_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp_pipeline.settings.PROJECT_ROOT", tmp_path)
    for variable in ("VP_SANDBOX_SEED", "VP_KEEPA_ASINS", "VP_SLACK_CHANNEL"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / ".env").write_text("export VP_SANDBOX_SEED=8 # seed\n\nA=B0D8W1YVBX\nVP_KEEPA_ASINS='${A}'\n")
    assert load_settings(data_dir=tmp_path).sandbox_seed == 8
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"\.env is no text"):
        load_settings()
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    with pytest.raises(PermanentError, match=r"\.env cannot be read or written: Is a directory"):
        load_settings()


def test_relative_folders_are_under_the_project() -> None:
    assert load_settings({"VP_DATA_DIR": "./other"}).data_dir == PROJECT_ROOT / "other"


def test_lists_are_separated_by_commas() -> None:
    asins = load_settings({"VP_KEEPA_ASINS": "B0D8W1YVBX, 5:B0D4M48BM2,"}).of(KEEPA).asins
    assert asins == ("B0D8W1YVBX", "5:B0D4M48BM2")


def test_the_sources_that_are_ingested_can_be_chosen() -> None:
    # One that is off until it is configured is not among them.
    assert [source.name for source in load_settings({}).enabled_sources] == ["keepa", "open_meteo", "sp_api"]
    assert load_settings({"VP_SOURCES": ",".join(NAMES)}).enabled_sources == SOURCES
    chosen = load_settings({"VP_SOURCES": "sp_api, keepa"})
    assert [source.name for source in chosen.enabled_sources] == ["keepa", "sp_api"]  # in the order of the registry
    assert {stream.source for stream in chosen.streams} == {"keepa", "sp_api"}
    with pytest.raises(SettingsError, match=r"^VP_SOURCES cannot be used: there is no source keppa; there are keepa, "):
        load_settings({"VP_SOURCES": "keppa"})


def test_an_empty_key_is_no_key() -> None:
    assert load_settings({"KEEPA_API_KEY": ""}).of(KEEPA).api_key is None


def test_an_empty_folder_is_not_the_project_folder() -> None:
    assert load_settings({"VP_KEEPA_RECORDINGS": ""}).of(KEEPA).recordings is None
    with pytest.raises(SettingsError, match="VP_DATA_DIR cannot be used: it is empty"):
        load_settings({"VP_DATA_DIR": ""})


def test_a_key_is_not_shown() -> None:
    settings = load_settings({"KEEPA_API_KEY": "very-secret-key"})
    assert "very-secret-key" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_the_secrets_are_known_for_redaction() -> None:
    settings = load_settings({"VP_SLACK_TOKEN": "xoxb-1", "VP_SLACK_CHANNEL": "C1", "KEEPA_API_KEY": "key"})
    assert set(settings.secrets) == {"xoxb-1", "key"}


def test_overrides_win_and_are_refused_alike(tmp_path: Path) -> None:
    assert load_settings({"VP_DATA_DIR": "x"}, data_dir=tmp_path).data_dir == tmp_path
    with pytest.raises(SettingsError, match="VP_KEEPA_DAYS"):
        load_settings({}, keepa_days=-1)
