"""Which answers the days before a day have, as the lake knows them."""

import gzip
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from vp_pipeline.lake import bronze, silver
from vp_pipeline.lake.answers import doubts
from vp_pipeline.lake.answers.doubts import Doubts
from vp_pipeline.lake.answers.earlier import earlier
from vp_pipeline.lake.manifests import SyncRecord
from vp_pipeline.lake.objects import Lake
from vp_pipeline.sources.earlier import Doubt, EarlierAnswer
from vp_pipeline.sources.keepa.source import PRODUCT
from vp_pipeline.sources.source import SyncRequest
from vp_pipeline_tests.lake.syncs import record_sync

DAY = date(2026, 3, 10)
ONE, TWO = "1:B0SBXTWO06", "3:B0SBXTWO06"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def day(ago: int) -> date:
    return DAY - timedelta(days=ago)


def sync(
    lake: Lake, ago: int, *products: str, recent: Mapping[str, int] | None = None, recorded: bool = False
) -> SyncRecord:
    """A finished sync that requested both products; `products`: those that Keepa has data of."""
    at = datetime.combine(day(ago - 1), datetime.min.time(), UTC)
    lines = []
    for requested in (ONE, TWO):
        domain, _, asin = requested.partition(":")
        found = {"asin": asin, "domainId": int(domain), "productType": 0 if requested in products else 4}
        data = {"timestamp": int(at.timestamp() * 1000), "requested": f"{requested}|", "products": [found]}
        extracted = int(at.timestamp() * 1000)
        lines.append(orjson.dumps({"_airbyte_extracted_at": extracted, "_airbyte_meta": {}, "_airbyte_data": data}))
    path = f"bronze/keepa/product/{day(ago):%Y_%m_%d}_0_0.jsonl.gz"
    lake.write(path, gzip.compress(b"\n".join(lines) + b"\n"))
    record = record_sync(lake, day(ago), [path], records=2, at=at).model_copy(
        update={"request": SyncRequest((ONE, TWO), 10_000, recent=recent or {}), "recorded": recorded}
    )
    lake.write(bronze.sync_path(PRODUCT, day(ago)), record.to_bytes())
    return record


def doubt(lake: Lake, **found: object) -> None:
    none = {"excluded_days": {}, "excluded_answers": {}, "incomplete": {}}
    doubts.write(lake, PRODUCT, Doubts.model_validate({"source": "keepa", "stream": "product", **none, **found}))


def test_a_day_that_is_not_decoded_has_the_entities_with_data(lake: Lake) -> None:
    sync(lake, 2, ONE, TWO)
    sync(lake, 1, TWO, recent={ONE: 3, TWO: 4})
    found = earlier(lake, PRODUCT, DAY, 30)
    assert found.answers == {
        ONE: [EarlierAnswer(day(2), None)],
        TWO: [EarlierAnswer(day(1), 4), EarlierAnswer(day(2), None)],
    }
    assert found.own == {}
    assert earlier(lake, PRODUCT, day(1), 30).answers == {
        product: [EarlierAnswer(day(2), None)] for product in (ONE, TWO)
    }
    assert earlier(lake, PRODUCT, DAY, 1).answers == {TWO: [EarlierAnswer(day(1), 4)]}


def test_a_day_that_is_decoded_has_the_entities_of_its_first_table(lake: Lake) -> None:
    """What is in quarantine is no answer. Of a sync that is newer than what is decoded, the responses count."""
    sync(lake, 1, ONE, TWO)
    manifest = bronze.land(lake, PRODUCT, day(1))
    lines = [
        line for line in bronze.lines_of(lake, manifest) if b"B0SBXTWO06" in line.text and b'"domainId":1' in line.text
    ]
    decoded = PRODUCT.decode(lines)[PRODUCT.tables[0].name]
    assert decoded.rows.num_rows == 1
    silver.write(lake, decoded, day(1), bronze=manifest.digest, decoder="d")
    assert set(earlier(lake, PRODUCT, DAY, 30).answers) == {ONE}
    again = sync(lake, 1, ONE, TWO).model_copy(update={"job_id": 2})
    lake.write(bronze.sync_path(PRODUCT, day(1)), again.to_bytes())
    assert set(earlier(lake, PRODUCT, DAY, 30).answers) == {ONE, TWO}


def test_the_day_itself_has_what_it_requested_before(lake: Lake) -> None:
    sync(lake, 0, ONE, TWO, recent={ONE: 3})
    found = earlier(lake, PRODUCT, DAY, 30)
    assert (found.answers, found.own) == ({}, {ONE: 3, TWO: None})


def test_what_is_excluded_is_no_answer_and_a_doubt(lake: Lake) -> None:
    for ago in (3, 2, 1):
        sync(lake, ago, ONE, TWO)
    doubt(lake, excluded_days={day(2): "red"}, excluded_answers={"1-B0SBXTWO06": {day(1): "it differs"}})
    found = earlier(lake, PRODUCT, DAY, 30)
    assert [answer.day for answer in found.answers[ONE]] == [day(3)]
    assert [answer.day for answer in found.answers[TWO]] == [day(1), day(3)]
    assert found.doubts == {ONE: Doubt(day(1), f"its answer of {day(1)} is excluded: it differs")}
    assert earlier(lake, PRODUCT, day(1), 30).doubts == {}


def test_figures_that_cannot_be_compared_are_a_doubt_about_the_days_up_to_them(lake: Lake) -> None:
    sync(lake, 1, ONE, TWO)
    doubt(lake, incomplete={"3-B0SBXTWO06": (day(1), "our history begins too late")})
    assert earlier(lake, PRODUCT, DAY, 30).doubts == {TWO: Doubt(day(1), "our history begins too late")}
    assert earlier(lake, PRODUCT, day(1), 30).doubts == {}


def test_recordings_and_what_is_damaged_do_not_count(lake: Lake) -> None:
    sync(lake, 4, ONE, TWO, recorded=True)
    record_sync(lake, day(3), [])  # of a version that did not record what was requested
    (path,) = sync(lake, 2, ONE, TWO).objects
    lake.write(path, b"x")
    sync(lake, 1, ONE, TWO)
    lake.write(bronze.sync_path(PRODUCT, day(1)), b"{")
    assert earlier(lake, PRODUCT, DAY, 30).answers == {}
