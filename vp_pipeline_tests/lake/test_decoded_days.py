"""Which days other code decoded: found once per change of the code, and by no run after it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from vp_pipeline.lake import silver
from vp_pipeline.lake.decoded_days import is_up_to_date, record_path, restating, stale_days
from vp_pipeline.lake.folder import FolderStore
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.decoder_code import DecoderCode
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.landed import Decoded

ONE, TWO, THREE = (date(2026, 3, n) for n in (1, 2, 3))


class CountingStore(FolderStore):
    """A folder that counts what is asked of it."""

    lists = reads = 0

    def list(self, folder: str, prefix: str) -> Iterator[tuple[str, int, float]]:
        CountingStore.lists += 1
        return super().list(folder, prefix)

    def read(self, path: str) -> bytes | None:
        CountingStore.reads += 1
        return super().read(path)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(CountingStore(tmp_path))


@pytest.fixture(autouse=True)
def v1(monkeypatch: pytest.MonkeyPatch) -> None:
    code_is("v1", monkeypatch)


def code_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRODUCT.__dict__, "code", DecoderCode({}, {}, name))


def decode(lake: Lake, *days: date, decoder: str | None = None, tables: int = len(PRODUCT.tables)) -> None:
    """As the silver step writes a day; with fewer `tables` it is killed between them."""
    for day in days:
        for table in PRODUCT.tables[:tables]:
            rows = pa.Table.from_pylist([], schema=table.schema)
            silver.write(lake, Decoded(table, 0, rows, 0, ()), day, bronze="b", decoder=decoder or PRODUCT.code.own)


def killed(lake: Lake, *days: date, within: date | None = None) -> None:
    """A run that is killed after `days`, between the tables of `within`."""
    with restating(lake, PRODUCT):
        decode(lake, *days)
        if within:
            decode(lake, within, tables=3)
        raise KeyboardInterrupt


def test_an_empty_lake_is_up_to_date_after_the_first_run(lake: Lake) -> None:
    assert not is_up_to_date(lake, PRODUCT)
    with restating(lake, PRODUCT) as days:
        assert days == []
        decode(lake, ONE)
    assert is_up_to_date(lake, PRODUCT)
    assert stale_days(lake, PRODUCT) == []


def test_the_same_code_lists_nothing(lake: Lake) -> None:
    with restating(lake, PRODUCT):
        decode(lake, ONE, TWO)
    CountingStore.lists = CountingStore.reads = 0
    with restating(lake, PRODUCT) as days:
        decode(lake, THREE)
    assert (days, stale_days(lake, PRODUCT), CountingStore.lists) == ([], [], 0)
    assert CountingStore.reads == 3  # the record


def test_other_code_finds_every_day_until_all_are_decoded(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    with restating(lake, PRODUCT):
        decode(lake, THREE, ONE, TWO)
    code_is("v2", monkeypatch)
    assert not is_up_to_date(lake, PRODUCT)
    assert stale_days(lake, PRODUCT) == [ONE, TWO, THREE]
    with pytest.raises(KeyboardInterrupt):
        killed(lake, ONE, within=TWO)
    assert not is_up_to_date(lake, PRODUCT)
    with restating(lake, PRODUCT) as days:
        assert days == [TWO, THREE]
        decode(lake, TWO, THREE)
    assert is_up_to_date(lake, PRODUCT)


def test_code_that_is_reverted_in_the_middle_finds_what_the_other_decoded(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with restating(lake, PRODUCT):
        decode(lake, ONE, TWO)
    code_is("v2", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        killed(lake, ONE)
    code_is("v1", monkeypatch)
    assert stale_days(lake, PRODUCT) == [ONE]


def test_a_day_that_could_not_be_decoded_is_tried_again_by_every_run(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with restating(lake, PRODUCT):
        decode(lake, ONE, TWO)
    code_is("v2", monkeypatch)
    with restating(lake, PRODUCT):
        decode(lake, TWO)
    CountingStore.lists = 0
    assert is_up_to_date(lake, PRODUCT)
    with restating(lake, PRODUCT) as days:
        assert days == [ONE]
    with restating(lake, PRODUCT) as days:
        assert days == [ONE]
        decode(lake, ONE)
    assert stale_days(lake, PRODUCT) == []
    assert CountingStore.lists == 0


def test_a_run_of_other_code_meanwhile_leaves_the_search_to_the_next(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with restating(lake, PRODUCT):
        decode(lake, ONE)
        code_is("v2", monkeypatch)
        with restating(lake, PRODUCT):
            decode(lake, ONE, TWO)
        code_is("v1", monkeypatch)
    assert not lake.exists(record_path(PRODUCT))


def test_a_manifest_of_before_decoders_were_recorded_is_of_no_known_code(lake: Lake) -> None:
    decode(lake, ONE)
    path = silver.manifest_path(PRODUCT.tables[0], ONE)
    manifest = silver.read_manifest(lake, PRODUCT.tables[0], ONE)
    lake.write(path, manifest.model_dump_json(exclude={"decoder"}).encode())
    assert silver.read_manifest(lake, PRODUCT.tables[0], ONE).decoder is None
    assert stale_days(lake, PRODUCT) == [ONE]


@pytest.mark.parametrize("path", [silver.manifest_path(PRODUCT.tables[2], ONE), record_path(PRODUCT)])
def test_what_cannot_be_read_is_replaced(lake: Lake, path: str) -> None:
    decode(lake, ONE)
    lake.write(path, b"{")
    with restating(lake, PRODUCT):
        decode(lake, ONE)
    assert stale_days(lake, PRODUCT) == []
    assert is_up_to_date(lake, PRODUCT)


def test_the_record_is_no_partition(lake: Lake) -> None:
    with restating(lake, PRODUCT):
        decode(lake, ONE)
    assert all(silver.days(lake, table) == [ONE] for table in PRODUCT.tables)
