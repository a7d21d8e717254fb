"""docs/runbook.md: every check has its entry, and every entry is of a check."""

import re
from pathlib import Path

import dagster as dg
import pytest

from vp_pipeline.build import build_definitions
from vp_pipeline.failures import remedies
from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline_tests.conftest import pipeline_settings

RUNBOOK = (PROJECT_ROOT / "docs" / "runbook.md").read_text()
LINK = re.compile(r" Runbook: \[?docs/runbook\.md#(\w+)(?:\]\(\S+\))?$")


@pytest.fixture(scope="module")
def descriptions(tmp_path_factory: pytest.TempPathFactory) -> dict[dg.AssetCheckKey, str]:
    """What the UI shows of each check, whichever it is."""
    graph = build_definitions(pipeline_settings(tmp_path_factory.mktemp("data"))).resolve_asset_graph()
    return {key: graph.get_check_spec(key).description or "" for key in graph.asset_check_keys}


def test_every_check_has_its_entry_and_no_entry_is_left_over(descriptions: dict[dg.AssetCheckKey, str]) -> None:
    assert [key for key, text in descriptions.items() if not LINK.search(text)] == []
    linked = {LINK.search(text).group(1) for text in descriptions.values()}  # type: ignore[union-attr]
    assert linked == set(re.findall(r"^### (\w+)$", RUNBOOK, flags=re.MULTILINE))


def test_every_entry_has_its_meaning_where_to_look_and_what_to_do() -> None:
    for entry in re.split(r"^### ", RUNBOOK, flags=re.MULTILINE)[1:]:
        assert re.search(r"\*\*Means:\*\*[^*]+\*\*Look:\*\*[^*]+\*\*Do:\*\*", entry), entry


def test_a_dbt_test_is_described_with_what_it_does_and_why(descriptions: dict[dg.AssetCheckKey, str]) -> None:
    of_dbt = {key: text for key, text in descriptions.items() if key.asset_key.path[0] in ("stg", "core", "mart")}
    assert len(of_dbt) > 100
    for key, text in of_dbt.items():
        assert re.match(r"\S.+\. It (blocks|warns): \w.+\. Runbook: ", text), (key, text)
    price = dg.AssetKey(["mart", "mart_deals"])
    assert of_dbt[dg.AssetCheckKey(price, "mart_deals_key_is_unique")] == (
        "No two rows have the same product_key and series. It blocks: consumers read this table: a wrong figure in it "
        f"costs more than a day that comes later. {remedies.runbook('unique_combination')}"
    )


def test_the_entry_is_a_link_where_the_runbook_has_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "vp_pipeline-9.dist-info"
    installed.mkdir()
    urls = "Project-URL: Source, https://example.com\nProject-URL: Runbook, https://example.com/docs/runbook.md\n"
    for named, expected in (
        (urls, "Runbook: [docs/runbook.md#volume](https://example.com/docs/runbook.md#volume)"),
        ("", "Runbook: docs/runbook.md#volume"),
    ):
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vp-pipeline\nVersion: 9\n{named}")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path)
            patch.setattr(remedies, "_runbook_address", remedies._runbook_address.__wrapped__)
            assert remedies.runbook("volume") == expected
