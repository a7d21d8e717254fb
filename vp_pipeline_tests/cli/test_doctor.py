"""`vp doctor` finds what was planted, and what it prints, typed as it stands, fixes it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.cli.doctor import installation, storage
from vp_pipeline.sandbox.api import build_api
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.services.server import Services
from vp_pipeline.settings import load_settings
from vp_pipeline.warehouse.duckdb import DuckDBWarehouse
from vp_pipeline_tests.cli.typed import Shell
from vp_pipeline_tests.conftest import GreenDays


@dataclass(frozen=True)
class Fault:
    """`variables`: set in the shell; `make`: what is done to its folder. `text`: in the finding. `answers`: what a
    person writes where the remedy asks."""

    text: str
    variables: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[Shell], None] = lambda _: None
    answers: Mapping[str, str] = field(default_factory=dict)


def file(name: str, content: bytes = b"buy milk, and eggs") -> Callable[[Shell], None]:
    def make(shell: Shell) -> None:
        (shell.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shell.folder / name).write_bytes(content)

    return make


def half_a_warehouse(shell: Shell) -> None:
    warehouse = shell.folder / "data" / "warehouse.duckdb"
    with DuckDBWarehouse(warehouse).connect() as connection:
        connection.execute("create table numbers as select range as n from range(100000)")
    warehouse.write_bytes(warehouse.read_bytes()[:5000])


def no_records(shell: Shell) -> None:
    shell.variables["DAGSTER_HOME"] = str(shell.folder / "deep" / "elsewhere")


GENERATED = file("data/lake/bronze/keepa/_origin", b"stand-in")
REAL = {"KEEPA_API_KEY": "a-key", "VP_KEEPA_URL": "http://127.0.0.1:9"}
ONE = {"VP_KEEPA_ASINS": "B0D4M48BM2"}
FAULTS: Mapping[str, Fault] = {
    "a mistyped variable": Fault("VP_DATADIR is not a setting", {"VP_DATADIR": "x"}),
    "a mistyped variable in .env": Fault("VP_SORCES is not a setting", make=file(".env", b"VP_SORCES=keepa\n")),
    "a line of .env": Fault("Line 2 of", make=file(".env", b"VP_SANDBOX_SEED=7\nbuy milk\n")),
    "no text in .env": Fault("is no text", make=file(".env", b"\xff\xfe\x00")),
    "a day that is none": Fault("VP_START_DATE cannot be used", {"VP_START_DATE": "someday"}),
    "an unknown source": Fault("there is no source kepa", {"VP_SOURCES": "kepa"}),
    "an empty data folder's name": Fault("VP_DATA_DIR cannot be used: it is empty", {"VP_DATA_DIR": ""}),
    "a number below its limit": Fault("VP_LATE_DATA_DAYS cannot be used", {"VP_LATE_DATA_DAYS": "0"}),
    "a token without its address": Fault("VP_EXPORT_TOKEN is set without", {"VP_EXPORT_TOKEN": "t"}),
    "half of Slack": Fault(
        "VP_SLACK_CHANNEL is not set", {"VP_SLACK_TOKEN": "t"}, answers={"VP_SLACK_CHANNEL": "C0123456789"}
    ),
    "a file in place of the lake": Fault("lake is a file", make=file("data/lake")),
    "a data folder that cannot be made": Fault(
        "The data folder cannot be written", {"VP_DATA_DIR": "/proc/nowhere"}, answers={"VP_DATA_DIR": "data"}
    ),
    "a warehouse that is none": Fault("warehouse.duckdb is no DuckDB", make=file("data/warehouse.duckdb")),
    "a publication that is none": Fault("published.duckdb is no DuckDB", make=file("data/published.duckdb")),
    "half a warehouse": Fault("cannot be", make=half_a_warehouse),
    "recordings that are not there": Fault("/nowhere is not a folder", {"VP_KEEPA_RECORDINGS": "/nowhere"}),
    "a mistyped mart": Fault("VP_EXPORT_MART is mart_deal", {"VP_EXPORT_MART": "mart_deal"}),
    "a key without products": Fault("VP_KEEPA_ASINS names no product", REAL, answers=ONE),
    "a key in a folder of generated data": Fault(
        "must not mix", {**REAL, **ONE}, GENERATED, answers={"VP_DATA_DIR": "data of its own"}
    ),
    "records that are none": Fault("cannot be read", make=file("dagster_home/storage/history/runs.db")),
    "no folder for records": Fault("there is no folder", make=no_records),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_and_what_is_printed_fixes_it(shell: Shell, name: str) -> None:
    fault = FAULTS[name]
    shell.variables |= fault.variables
    fault.make(shell)
    found = [each for text, each in shell.wrong().items() if fault.text in text]
    assert len(found) == 1, shell.examine()
    assert found[0].remedy
    shell.type(found[0].remedy, fault.answers)
    assert not [text for text in shell.wrong() if fault.text in text]


def test_an_empty_installation_has_nothing_wrong(shell: Shell) -> None:
    assert shell.wrong() == {}
    states = {each.subject: each.state for each in shell.examine()}
    assert states["keepa"] == states["Dagster's records"] == "ok"
    assert states["Slack"] == states["Power BI"] == states["daemon"] == states["days"] == "off"
    assert not list((shell.folder / "data").rglob("*probe*"))


def test_settings_that_nothing_reads_are_listed(shell: Shell) -> None:
    shell.variables |= {"VP_SNOWFLAKE_USER": "X", "VP_SP_API_REGION": "eu", "VP_EXPORT_BATCH_ROWS": "7"}
    (unused,) = [each for each in shell.examine() if each.subject == "unused settings"]
    assert unused.state == "off"
    assert unused.text.startswith("VP_EXPORT_BATCH_ROWS, VP_SNOWFLAKE_USER, VP_SP_API_REGION: ")


@pytest.fixture(scope="module")
def vendors() -> Iterator[Mapping[str, str]]:
    """The vendors' APIs, with the variables of a pipeline that takes them for the real ones."""
    apis = {name: build_api(name, None, 7) for name in ("keepa", "sp_api")}
    with Sandbox(apis) as sandbox:
        yield {
            "VP_SOURCES": "keepa,sp_api",
            "KEEPA_API_KEY": "a-key-that-is-secret",
            "VP_KEEPA_ASINS": "B0D4M48BM2,3:B0D4M48BM2",
            "VP_KEEPA_URL": sandbox.base_url("keepa"),
            "VP_SP_API_CLIENT_ID": "a-client",
            "VP_SP_API_CLIENT_SECRET": "a-secret-of-the-client",
            "VP_SP_API_REFRESH_TOKEN": "a-refresh-token",
            "VP_SP_API_TOKEN_URL": f"{sandbox.base_url('sp_api')}/auth/o2/token",
        }


SERVICES: Mapping[str, tuple[Mapping[str, str], str]] = {
    "Slack's token": ({"VP_SLACK_TOKEN": "revoked-token"}, "Slack: it refuses the token: invalid_auth"),
    "Power BI's secret": ({"VP_POWER_BI_CLIENT_SECRET": "old-secret"}, "Power BI: Microsoft Entra refused"),
    "Keepa's key": ({"KEEPA_API_KEY": "unpaid"}, "keepa: Keepa refuses the key (HTTP 402)"),
    "Amazon's client": ({"VP_SP_API_CLIENT_ID": "unknown-client"}, "refuses (invalid_client"),
    "Amazon's refresh token": ({"VP_SP_API_REFRESH_TOKEN": "revoked"}, "refuses (invalid_grant"),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refuses_is_found_and_fixed(shell: Shell, vendors: Mapping[str, str], name: str) -> None:
    with Services() as services:
        right = {**vendors, **services.variables()}
        planted, text = SERVICES[name]
        shell.variables |= {**right, **planted}
        (found,) = shell.wrong().values()
        assert text in f"{found.subject}: {found.text}"
        assert found.remedy
        shell.type(found.remedy, right)
        assert shell.wrong() == {}
        printed = json.dumps([each.__dict__ for each in shell.examine()])
        assert not [value for variable, value in right.items() if "SECRET" in variable and value in printed]
        assert "a-key-that-is-secret" not in printed
        assert services.slack.messages == []
        assert services.power_bi.refreshes == []


def test_the_tokens_of_a_key_and_the_cost_of_a_day(shell: Shell, vendors: Mapping[str, str]) -> None:
    shell.variables |= vendors
    (text,) = [each.text for each in shell.examine() if each.subject == "keepa"]
    assert text.endswith("tokens left, 6,000 come back a minute; a day of 2 products costs 8")


def test_a_token_that_may_not_read_the_history_is_enough(shell: Shell) -> None:
    with Services() as services:
        services.slack.may_read_history = False
        shell.variables |= services.variables()
        (slack,) = [each for each in shell.examine() if each.subject == "Slack"]
    assert slack.state == "ok"
    assert "is sent again" in slack.text


def test_packages_are_compared_with_the_pins() -> None:
    def installed(name: str) -> str:
        if name == "dagster":
            raise metadata.PackageNotFoundError(name)
        return {"pandas": "1.0"}.get(name, "2.0")

    pins = "dagster==1.13.27\npandas==2.3.3\nnumpy==2.0\nnothing==1 ; python_version < '3'\n"
    (found,) = installation.packages(pins, installed)
    assert (found.state, found.text) == ("wrong", "pandas is 1.0 instead of 2.3.3, dagster is missing")
    assert [each.state for each in installation.packages("numpy==2.0", installed)] == ["ok"]


def test_an_unsupported_python_is_found() -> None:
    (found,) = installation.python(">=3.11,<3.14", (3, 10, 2))
    assert (found.state, found.remedy) == ("wrong", "rm -rf .venv && make setup PYTHON=python3.11")


def test_too_little_room_is_found(tmp_path: Path) -> None:
    settings = load_settings({}, data_dir=tmp_path)
    assert [each.state for each in storage.room(settings, lambda _: 10**12)] == ["ok"]
    (found,) = storage.room(settings, lambda _: 10**6)
    assert (found.state, found.remedy) == ("wrong", "vp maintain --remove")


@pytest.mark.slow
def test_data_that_do_not_agree_are_found_and_fixed(
    green_days: GreenDays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that silver lost, and one that Dagster's records lost: what is printed, typed in its order, fixes both."""
    variables = green_days.copy(2, tmp_path)
    shell = Shell(tmp_path, monkeypatch, {n: v for n, v in variables.items() if n.startswith(("VP_", "DAGSTER_"))})
    assert shell.wrong() == {}
    first, second = GreenDays.DAYS[:2]
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster_home")) as instance:
        instance.wipe_assets([dg.AssetKey(["bronze", "keepa", "product"])])  # as an older backup of the records would
    for manifest in (tmp_path / "data/lake/silver/keepa").glob(f"*/_manifests/run_date={second}.json"):
        manifest.unlink()
    found = shell.wrong()
    assert [each.remedy for each in found.values()] == [
        f"vp run --from {first} --to {second}",
        f"vp run --date {second}",
    ]
    while found:
        shell.type(str(next(iter(found.values())).remedy), {})
        left = shell.wrong()
        assert len(left) < len(found), left
        found = left
