"""`vp run --dry-run`: what the syncs of a run would request."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vp_pipeline.cli.main import app


@pytest.mark.integration
def test_what_a_run_would_request_is_printed_and_nothing_is_requested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VP_SOURCES", "keepa")
    monkeypatch.setenv("VP_KEEPA_ASINS", "1:B0SBXUSA01,1:B0SBXUSA02,5:B0SBXJPN10")
    days = ["--from", "2026-03-10", "--to", "2026-03-11"]
    printed = CliRunner().invoke(app, ["run", *days, "--dry-run", "--json"])
    assert printed.exit_code == 0, printed.output
    assert [(row["day"], row["stream"], row["would_request"]) for row in json.loads(printed.stdout)] == [
        (day, "keepa/product", "3 in 2 requests, up to 12 tokens") for day in ("2026-03-10", "2026-03-11")
    ]
    assert not list((tmp_path / "data").rglob("*.jsonl.gz"))
