"""How the command looks and what it takes: flags, days, the forms of a table, narrow terminals, ports, `make dev`."""

import csv
import io
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import date, datetime

import click
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from vp_pipeline.cli.main import app
from vp_pipeline.cli.sandbox import require_free
from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import chosen_form, day_of
from vp_pipeline.cli.terminal.tables import Column, print_rows
from vp_pipeline.failures import PermanentError
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.settings import PROJECT_ROOT


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


# Commands that print a table, by the last word of their name.
TABLES = ("run", "days", "plan", "metrics", "maintain", "list", "show")
COMMANDS = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_shows_no_type_of_a_flag_and_no_pattern_of_a_day(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    assert "<bool>" not in shown.output
    assert not re.search(r"%[YmdH]", shown.output)
    assert "<parser>" not in shown.output


def test_the_version() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert shown.exit_code == 0
    assert re.fullmatch(r"vp \d+\.\d+\.\d+\n", shown.output)


def test_a_day_is_a_date_or_a_word() -> None:
    assert day_of("2026-03-01") == date(2026, 3, 1)
    assert day_of("yesterday") == day_of("latest") == newest_finished_day()


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["run", "--date"], "tomorrow"),
        (["run", "--from"], "2026-02-30"),
        (["quarantine", "list", "--date"], "1/3/2026"),
        (["metrics", "deal_count", "--to"], "now"),
    ],
)
def test_what_is_no_day_is_refused_in_words(command: list[str], wrong: str) -> None:
    refused = CliRunner().invoke(app, [*command, wrong], env={"COLUMNS": "200"})
    assert refused.exit_code == 2
    assert f"{wrong} is not a day. Write it as 2026-03-01, or yesterday, or latest." in refused.output
    assert "%" not in refused.output


BUILD = "20261121T001203000317-355c78c2"
COLUMNS = (Column("build"), Column("published_at", "published (UTC)"), Column("rows"), Column("note", prose=True))
NOTE = "consumers read this; another one was rolled back, because a person has said so"
ROWS = [(BUILD, datetime(2026, 11, 21, 0, 12, 3), 235_907, NOTE), ("b", datetime(2026, 11, 20), None, "[dim]old")]


def printed(width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, highlight=False)
    print_rows(COLUMNS, ROWS, out=out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_identifier_and_no_number_is_cut_at_80_columns(width: int) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    for text in (BUILD, "2026-11-21 00:12:03", "235,907", "[dim]old"):
        assert any(text in line for line in lines), text
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("width", [40, 60])
def test_a_narrow_terminal_gets_a_row_as_lines_and_everything_in_them(width: int) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    everything = re.sub(r"\s", "", "".join(lines))
    for text in (BUILD, "2026-11-2100:12:03", "235,907", re.sub(r"\s", "", NOTE)):
        assert text in everything


def test_programs_get_plain_values_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(COLUMNS, ROWS, "json")
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"build": BUILD, "published_at": "2026-11-21 00:12:03", "rows": 235907, "note": NOTE}
    assert second["rows"] is None
    print_rows(COLUMNS, ROWS, "csv")
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["rows"] for row in read] == ["235907", ""]
    assert read[0]["note"] == NOTE


def test_what_is_no_row_goes_to_stderr_where_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert chosen_form(as_json=True, as_csv=False) == "json"
        console.print("Nothing")
    finally:
        assert chosen_form(as_json=False, as_csv=False) == "table"
    assert capsys.readouterr() == ("", "Nothing\n")
    with pytest.raises(typer.BadParameter, match="either --json or --csv"):
        chosen_form(as_json=True, as_csv=True)


@pytest.mark.parametrize("path", [path for path in COMMANDS if path[-1:] and path[-1] in TABLES], ids=" ".join)
def test_every_table_has_both_forms(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"]).output
    assert "--json" in shown
    assert "--csv" in shown


def test_the_sandbox_on_a_taken_port_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PermanentError, match=rf"Port {port} of 127.0.0.1 cannot be used: Address already in use"):
            require_free(port)
        started = CliRunner().invoke(app, ["sandbox", "--port", str(port)])
        assert isinstance(started.exception, PermanentError)
    require_free(port)


def test_make_dev_takes_a_port_and_announces_what_is_true() -> None:
    def lines(*variables: str) -> str:
        made = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "dev", *variables],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout

    assert "http://localhost:3000" in lines()
    assert "VP_UI_URL" not in lines()
    other = lines("PORT=3123")
    assert "http://localhost:3123. Its runs are kept in .dagster/" in other
    assert "--port 3123" in other
    assert "VP_UI_URL=http://localhost:3123" in other
    assert "DAGSTER_HOME=" in other  # without it Dagster announces a temporary folder
