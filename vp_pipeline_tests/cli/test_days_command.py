"""`vp days`: a line per day, with what a person has to know of it."""

import io
import json
import re
from datetime import date

import pytest
from rich.console import Console

from vp_pipeline.automation.day_overview import DayOverview
from vp_pipeline.cli.days import print_days

BUILD = "20261121T001203000317-355c78c2"
CHECK = "mart/fct_rank_history_daily:fct_rank_history_daily_sales_is_its_category"
GOOD = DayOverview(date(2026, 3, 1), True, True, True, True, True, 293_018, (BUILD,))
BAD = DayOverview(
    date(2026, 3, 2),
    True,
    True,
    True,
    False,
    False,
    rows=7,
    publications=(BUILD,),
    failed_checks=(CHECK,),
    excluded_because="2 products failed mon_keepa_reconciliation",
    excluded_answers=2,
    pending=True,
    of_older_code=True,
    without=("open_meteo/weather",),
)


def test_a_day_that_is_as_it_should_be_has_no_remark() -> None:
    assert GOOD.remarks == []
    assert BAD.remarks == [
        f"{CHECK} has failed",
        "excluded: 2 products failed mon_keepa_reconciliation",
        "2 products are excluded (mon_excluded_answer)",
        "without open_meteo/weather",
        "the next build validates it",
        "decoded by older code (vp plan)",
        f"published in {BUILD}, which is not current",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_identifier_is_cut(width: int) -> None:
    out = Console(file=io.StringIO(), width=width, highlight=False)
    print_days([GOOD, BAD], "table", out)
    assert isinstance(out.file, io.StringIO)
    shown = out.file.getvalue()
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for name in (CHECK, BUILD, "2026-03-02", "293,018"):
        assert name in (shown if width >= 80 else re.sub(r"\s", "", shown)), name


def test_a_line_of_80_columns_holds_a_good_day() -> None:
    out = Console(file=io.StringIO(), width=80, highlight=False)
    print_days([GOOD], "table", out)
    assert isinstance(out.file, io.StringIO)
    (line,) = (line for line in out.file.getvalue().splitlines() if "2026-03-01" in line)
    assert [cell.strip() for cell in line[1:-1].split("│")] == [
        "2026-03-01",
        "everywhere",
        "293,018",
        "",
    ]


def test_programs_get_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    print_days([BAD], "json")
    (read,) = json.loads(capsys.readouterr().out)
    assert read["day"] == "2026-03-02"
    assert read["failed_checks"] == [CHECK]
    assert read["publications"] == [BUILD]
    assert (read["published"], read["pending"], read["excluded_answers"]) == (False, True, 2)
    print_days([BAD], "csv")
    assert f",{CHECK}," in capsys.readouterr().out
