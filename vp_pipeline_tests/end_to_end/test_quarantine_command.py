"""The commands of the quarantine and of the published marts, typed as a person would."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import duckdb
import pytest

from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.sandbox.client import KeepaSandbox

pytestmark = pytest.mark.slow

VP = Path(sys.executable).with_name("vp")
DAY = "2026-03-10"


def vp(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(VP), *arguments], env=environment, capture_output=True, text=True, check=False)


def words(text: str) -> str:
    return " ".join(re.sub(r"[│╭╮╰╯─┃┏┓┗┛━┡┩└┘┴┬┼├┤╇]", " ", text).split())


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Recorded responses with a product whose title is not a text."""
    folder = tmp_path / "answers"
    folder.mkdir()
    with KeepaSandbox() as sandbox:
        url = f"{sandbox.url_as_of(__import__('datetime').date(2026, 3, 10))}/product"
        with urlopen(f"{url}?key=k&domain=3&asin=B0SBXTWO06&stats=90&rating=1&buybox=1", timeout=10) as response:
            answer: dict[str, Any] = json.load(response)
    answer["products"][0]["title"] = 5
    (folder / "answer.json").write_text(json.dumps(answer))
    return folder


def test_from_the_quarantine_to_the_marts_and_back(environment: dict[str, str], answers: Path, tmp_path: Path) -> None:
    for command in ("quarantine", "published"):
        assert "list" in words(vp(environment, command, "--help").stdout)
    assert vp(environment, "quarantine", "list").stdout == "Nothing is in quarantine.\n"
    assert "Nothing is published yet" in vp(environment, "published", "list").stdout
    refused = vp(environment, "published", "rollback")
    assert refused.returncode == 1
    assert "nothing was published yet" in words(refused.stderr)

    asked = {**environment, "VP_KEEPA_RECORDINGS": str(answers)}
    ran = vp(asked, "run", "--date", DAY)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^│ published +│ +1 │", ran.stdout, flags=re.MULTILINE)
    assert re.search(r"^│ silver +│.*│ +1 │ +0 │[^│]*│$", ran.stdout, flags=re.MULTILINE)  # one check has warned
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb"), read_only=True) as connection:  # the field alone
        assert connection.execute("select domain_id, title from mart.dim_product").fetchall() == [(3, None)]
    listed = words(vp(environment, "quarantine", "list", "--source", "keepa", "--date", DAY).stdout)
    assert f"keepa product {DAY} 1 title is not a text but integer" in listed
    shown = vp(environment, "quarantine", "show", "--table", "product").stdout
    assert "of B0SBXTWO06: title is not a text but integer" in shown
    assert '{"title":5}' in shown
    assert "1 of 1 records." in shown

    # A fix of the decoder would let it pass, which a test cannot make.
    lake = Lake(tmp_path / "data" / "lake")
    again = vp(asked, "quarantine", "retry", "--date", DAY)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"keepa/product {DAY}: 0 cleared, 1 still in quarantine." in again.stdout
    assert "airbyte" not in again.stdout
    assert lake.exists(f"quarantine/keepa/product/run_date={DAY}.jsonl")

    listed = words(vp(environment, "published", "list").stdout)
    assert "consumers read this" in listed
    (current,) = json.loads(vp(environment, "published", "list", "--json").stdout)
    assert current["newest_day"] == DAY
    for columns in ("40", "80"):
        shown = vp({**environment, "COLUMNS": columns}, "published", "list").stdout
        assert max(map(len, shown.splitlines())) <= int(columns)
        assert current["build"] in shown
    (row,) = csv.DictReader(io.StringIO(vp(environment, "quarantine", "list", "--csv").stdout))
    assert (row["table"], row["day"], row["records"]) == ("product", DAY, "1")
    again = vp(environment, "run", "--date", DAY, "--json")
    assert again.returncode == 0, again.stderr
    assert {layer["layer"]: layer["failed"] for layer in json.loads(again.stdout)}["published"] == 0
    assert f"✓ {DAY} in" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quarantine", "list", "--table", "prise"], "Unknown table prise. Known: bought_together, buy_box"),
        (["quarantine", "list", "--source", "kepa"], "Unknown source kepa. Known: keepa"),
        (["quarantine", "show", "--date", "someday"], "someday is not a day. Write it as 2026-03-01, or yesterday"),
        (["run", "--date", DAY, "--waive", "volum"], "Unknown check volum (vp/waiver): it cannot be waived. Did"),
    ],
)
def test_a_mistake_ends_in_a_sentence(environment: dict[str, str], arguments: list[str], message: str) -> None:
    failed = vp(environment, *arguments)
    assert failed.returncode in (1, 2)
    assert message in words(failed.stderr)
    assert "Traceback" not in failed.stdout + failed.stderr
