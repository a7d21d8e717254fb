"""A decoder's fingerprint changes with its code and its contracts, and with no comment or description."""

import dataclasses
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vp_pipeline.sources import decoder_code as module
from vp_pipeline.sources.decoder_code import DecoderCode, decoder_code
from vp_pipeline.sources.keepa.tables import TABLES

KEEPA = "vp_pipeline.sources.keepa.decode"
FOLDER = Path(str(module.__file__)).parent


@pytest.fixture
def edited(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Module → its text; what a test puts here is read in place of the file."""
    texts: dict[str, str] = {}
    read = Path.read_text

    def read_text(path: Path, *args: object, **kwargs: object) -> str:
        name = (
            "vp_pipeline.sources." + ".".join(path.relative_to(FOLDER).with_suffix("").parts)
            if FOLDER in path.parents
            else ""
        )
        return texts.get(name) or read(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "read_text", read_text)
    module._closure.cache_clear()
    yield texts
    module._closure.cache_clear()


def code() -> DecoderCode:
    module._closure.cache_clear()
    return decoder_code(KEEPA, TABLES)


def test_the_decoder_and_all_that_it_imports_count() -> None:
    found = code()
    assert {KEEPA, "vp_pipeline.sources.keepa.series", "vp_pipeline.sources.enforce"} <= set(found.modules)
    assert "vp_pipeline.sources.keepa.charts" not in found.modules
    assert "vp_pipeline.sources.keepa.tables" not in found.modules
    assert set(found.contracts) == {table.name for table in TABLES}


def test_an_edit_anywhere_in_it_is_seen_and_a_comment_is_not(edited: dict[str, str]) -> None:
    before = code()
    for name in before.modules:
        text = Path(str(importlib.import_module(name).__file__)).read_text(encoding="utf-8")
        edited.clear()
        edited[name] = f"# a comment\n{text}\n\n\n# another\n"
        assert code() == before, name
        edited[name] = f"{text}\n_MORE = 1\n"
        after = code()
        assert after.own != before.own, name
        assert {each for each in before.modules if before.modules[each] != after.modules[each]} == {name}


def test_a_docstring_is_no_code(edited: dict[str, str]) -> None:
    before = code()
    text = Path(str(sys.modules["vp_pipeline.sources.keepa.series"].__file__)).read_text(encoding="utf-8")
    edited["vp_pipeline.sources.keepa.series"] = text.replace('"""', '"""Another beginning. ', 1)
    assert code() == before


def test_a_range_a_type_and_a_key_of_a_contract_count_and_its_prose_does_not() -> None:
    table = TABLES[0]
    before = decoder_code(KEEPA, [table])

    def with_column(**changes: object) -> DecoderCode:
        columns = (dataclasses.replace(table.columns[0], **changes), *table.columns[1:])  # type: ignore[arg-type]
        return decoder_code(KEEPA, [dataclasses.replace(table, columns=columns)])

    assert with_column(description="Another.", unit="EUR") == before
    assert decoder_code(KEEPA, [dataclasses.replace(table, description="Another.", grain="another")]) == before
    for changes in ({"at_most": 3}, {"nullable": True}, {"name": "other"}, {"matches": "x"}):
        assert with_column(**changes).own != before.own, changes
    assert decoder_code(KEEPA, [dataclasses.replace(table, natural_key=("asin",))]).own != before.own
