"""Several products per request: a refused one costs itself alone, and what was answered is asked once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.airbyte.batches import Requested, unfinished_path
from vp_pipeline.airbyte.interface import Sync
from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake import bronze
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.sources.keepa.requests import MOST_ASINS, Question, halves, products_of, requests
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.conftest import pipeline_settings
from vp_pipeline_tests.stand_ins.strict_keepa import StrictKeepa, strict_keepa

pytestmark = pytest.mark.filterwarnings("ignore:This class is experimental")

DAY = newest_finished_day()
TOKENS = 4  # a product with its rating and buy box
assert KEEPA.batches is not None
BATCHES = KEEPA.batches


def asins(count: int) -> list[str]:
    """As `DOMAIN:ASIN`, of three marketplaces."""
    return [f"{(1, 3, 5)[number % 3]}:B0TEST{number:04}" for number in range(count)]


# --- the state of a sync ---


@given(
    st.integers(1, 60),
    st.sets(st.integers(0, 59)),
    st.lists(st.integers(0, 40), max_size=6),
    st.integers(1, MOST_ASINS),
)
def test_every_product_is_answered_once_or_refused_by_name(
    count: int, bad: set[int], stops: list[int], most: int
) -> None:
    """`stops`: after so many requests an attempt is killed, and another one begins with what the first one kept."""
    products = asins(count)
    wrong = {products[number] for number in bad if number < count}
    config = {"requests": list(requests([Question(each, 30) for each in products], most=most))}
    state = Requested(BATCHES, config)
    answered: list[str] = []
    refused: list[str] = []
    for limit in [*stops, 10_000]:
        landed, kept = set(state.answered), dict(state.refused)
        state = Requested(BATCHES, config, kept)
        state.answered |= landed
        while limit and (outstanding := state.outstanding):
            for request in outstanding[:limit]:
                limit -= 1
                if wrong & set(products_of(request)):
                    refused.append(request)
                    state.refuse(request, "no")
                else:
                    answered += products_of(request)
                    state.answer({"requested": request, "tokensConsumed": TOKENS * len(products_of(request))})
    assert sorted(answered) == sorted(set(products) - wrong)
    assert state.refused_entities == dict.fromkeys(wrong, "no")
    assert len(refused) == len(set(refused)), "nothing is refused twice"
    assert state.figures["entities"] == count - len(wrong)
    assert state.progress().startswith(f"{count:,} of {count:,} done")


@given(st.lists(st.integers(0, 9999), min_size=2, max_size=MOST_ASINS, unique=True), st.sampled_from(["", "30"]))
def test_halves_are_the_request_in_two(numbers: list[int], days: str) -> None:
    request = f"3:{','.join(f'B{number:09}' for number in numbers)}|{days}"
    first, second = halves(request)
    assert products_of(first) + products_of(second) == products_of(request)
    assert abs(len(products_of(first)) - len(products_of(second))) <= 1
    assert {each.partition("|")[2] for each in (first, second)} == {days}


# --- the local Airbyte, over HTTP ---


def sync(folder: Path, keepa: StrictKeepa, products: list[str], **options: object) -> Sync:
    settings = pipeline_settings(folder, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins=",".join(products))
    return LocalAirbyte(settings, Lake(settings.lake_dir)).sync(KEEPA, PRODUCT, DAY, **options)  # type: ignore[arg-type]


@pytest.mark.integration
def test_a_refused_product_costs_itself_alone_and_is_named(tmp_path: Path) -> None:
    products = asins(24)
    logged: list[str] = []
    with strict_keepa({"B0TEST0003": 400, "B0TEST0010": 200}) as keepa:
        done = sync(tmp_path, keepa, products, log=logged.append)
        lake = Lake(tmp_path / "lake")
        assert set(done.record.refused) == {"1:B0TEST0003", "3:B0TEST0010"}
        assert sorted(keepa.served) == sorted(set(products) - set(done.record.refused))
        assert keepa.consumed == TOKENS * 22
        assert done.figures["tokens"] == keepa.consumed
        assert done.figures["entities"] == 22
        assert done.record.request is not None
        assert sorted(done.record.request.entities) == sorted(products)
        manifest = bronze.land(lake, PRODUCT, DAY)
        received = PRODUCT.inspect(bronze.lines_of(lake, manifest)).received
        assert len(done.record.objects) == manifest.records
        assert {each.requested for each in received} == {*keepa.served, "3:B0TEST0010"}
        assert any("24 of 24 done; " in line and "tokens left" in line for line in logged)
        assert any("; the rest costs up to " in line for line in logged)
        assert not lake.exists(unfinished_path(PRODUCT, DAY))
        sent = keepa.requests
        assert sync(tmp_path, keepa, products).reused
        assert keepa.requests == sent


@pytest.mark.integration
def test_where_everything_is_refused_not_everything_is_tried_and_the_advice_fits(tmp_path: Path) -> None:
    products = asins(60)
    with strict_keepa({each.partition(":")[2]: 400 for each in products}) as keepa:
        with pytest.raises(
            PermanentError, match=r"refused everything .* \(60\): 1:B0TEST0000: .*Correct what is"
        ) as no:
            sync(tmp_path, keepa, products)
        assert "key" not in str(no.value).lower()
        assert keepa.requests == 12
        keepa.bad.clear()
        assert len(sync(tmp_path, keepa, products).record.objects) == 12


@pytest.mark.integration
def test_a_failed_request_has_nothing_asked_again(tmp_path: Path) -> None:
    products = asins(30)

    def fails(number: int) -> None:
        if number in (3, 4):
            raise RuntimeError("the server fails: HTTP 500")

    with strict_keepa({}) as keepa:
        keepa.before = fails
        settings = pipeline_settings(tmp_path, keepa_api_key="k", keepa_url=keepa.url, keepa_asins=",".join(products))
        airbyte = LocalAirbyte(settings, Lake(settings.lake_dir))
        airbyte.sync(KEEPA, PRODUCT, DAY)
        assert sorted(keepa.served) == sorted(products), "the runtime sends that one request again"
        keepa.served.clear()

        def refuses(number: int) -> None:
            keepa.bad = dict.fromkeys(["B0TEST0017"], 402) if number > sent + 4 else {}

        sent = keepa.requests
        keepa.before = refuses
        with pytest.raises(PermanentError, match=r"What was received is kept.*: \d+ of 30 done; "):
            airbyte.sync(KEEPA, PRODUCT, DAY, resync=True)
        assert 0 < len(keepa.served) < 30
        keepa.before = lambda number: keepa.bad.clear()
        assert airbyte.sync(KEEPA, PRODUCT, DAY, resync=True).figures["tokens"] == TOKENS * 30
        assert sorted(keepa.served) == sorted(products)


SYNC = """
import sys
from pathlib import Path
from vp_pipeline.airbyte.local import LocalAirbyte
from vp_pipeline.lake.objects import Lake
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.sources.keepa.source import KEEPA, PRODUCT
from vp_pipeline_tests.conftest import pipeline_settings
folder, url, asins = sys.argv[1:]
settings = pipeline_settings(Path(folder), keepa_api_key="k3y", keepa_url=url, keepa_asins=asins)
LocalAirbyte(settings, Lake(settings.lake_dir)).sync(KEEPA, PRODUCT, newest_finished_day(), log=print)
"""


def killed(folder: Path, keepa: StrictKeepa, products: list[str], when: Callable[[int], bool]) -> int:
    """A sync in a process of its own, which gets SIGKILL when it has sent a request of these numbers, before the vendor
    looks at it. Returns its exit code."""
    process: list[subprocess.Popen[bytes]] = []

    def before(number: int) -> None:
        if number % 8 == 3:
            keepa.spend("k3y")
        if when(number):
            os.kill(process[0].pid, signal.SIGKILL)
            process[0].wait()
            raise ConnectionError("whoever asked is gone")

    keepa.before = before
    command = [sys.executable, "-c", SYNC, str(folder), keepa.url, ",".join(products)]
    process.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    return process[0].wait(timeout=600)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("count", "kills"),
    [(40, (4, 9)), pytest.param(1000, (40, 90, 150, 200, 240), marks=pytest.mark.exhaustive)],
    ids=["some", "thousand"],
)
def test_killed_again_and_again_the_tokens_are_those_that_are_needed(
    tmp_path: Path, count: int, kills: tuple[int, ...]
) -> None:
    """With few tokens, which others use too, so that the sync waits for them; and three bad products."""
    products = asins(count)
    bad = {"B0TEST0002": 400, "B0TEST0019": 200, f"B0TEST{count - 1:04}": 400}
    with strict_keepa(bad, tokens=100, refill_per_minute=6_000) as keepa:
        for kill in kills:
            assert killed(tmp_path, keepa, products, lambda number, kill=kill: number == kill) == -signal.SIGKILL  # type: ignore[misc]
        assert killed(tmp_path, keepa, products, lambda _: False) == 0
        record = bronze.read_sync(Lake(tmp_path / "lake"), PRODUCT, DAY)
        assert record is not None
        assert {each.partition(":")[2] for each in record.refused} == set(bad)
        assert sorted(keepa.served) == sorted(set(products) - set(record.refused))
        assert keepa.consumed == TOKENS * (count - 3)
        assert len(keepa.refused) == len(set(keepa.refused)), "no refused request is sent twice"
        assert keepa.waits > 0
        manifest = bronze.land(Lake(tmp_path / "lake"), PRODUCT, DAY)
        assert manifest.records == len(record.objects)


@pytest.mark.integration
def test_another_configuration_begins_anew_and_a_damaged_response_is_asked_again(tmp_path: Path) -> None:
    products = asins(30)
    lake = Lake(tmp_path / "lake")
    with strict_keepa({"B0TEST0028": 402}) as keepa:
        with pytest.raises(PermanentError):
            sync(tmp_path, keepa, products)
        landed = lake.list("bronze/keepa/product", prefix=f"{DAY:%Y}")
        assert len(landed) > 2
        lake.write(landed[0].path, b"damaged")
        keepa.bad.clear()
        before = len(keepa.served)
        record = sync(tmp_path, keepa, products).record
        assert len(keepa.served) == before + 30 - 5 * (len(landed) - 1)
        assert landed[0].path not in record.objects
        assert bronze.land(lake, PRODUCT, DAY).records == 6
        keepa.bad = {"B0TEST0028": 402}
        with pytest.raises(PermanentError):
            sync(tmp_path, keepa, products, resync=True)
        keepa.served.clear()
        keepa.bad.clear()
        assert sync(tmp_path, keepa, products[:20]).record.job_id > record.job_id
        assert sorted(keepa.served) == sorted(products[:20])


@pytest.mark.integration
def test_what_a_sync_would_request_is_known_before(tmp_path: Path) -> None:
    products = asins(24)
    with strict_keepa({"B0TEST0023": 402}, tokens=50, refill_per_minute=10) as keepa:
        settings = pipeline_settings(tmp_path, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins=",".join(products))
        airbyte = LocalAirbyte(settings, Lake(settings.lake_dir))
        # The last request, of 3 products, is served at a balance of 1: 84 + 1 - 50 tokens have to come back.
        said = airbyte.estimate(KEEPA, PRODUCT, DAY)
        assert said.startswith("24 in 6 requests, up to 96 tokens; 50 tokens left, 10 come back a minute; ")
        assert said.endswith("the rest costs up to 96: about 4 minutes")
        assert keepa.consumed == 0
        assert not Lake(settings.lake_dir).list("bronze")
    with strict_keepa({"B0TEST0023": 402}) as keepa:
        with pytest.raises(PermanentError):
            sync(tmp_path, keepa, products)
        settings = pipeline_settings(tmp_path, keepa_api_key="k3y", keepa_url=keepa.url, keepa_asins=",".join(products))
        airbyte = LocalAirbyte(settings, Lake(settings.lake_dir))
        assert airbyte.estimate(KEEPA, PRODUCT, DAY).startswith("3 in 1 requests, up to 12 tokens; ")
        keepa.bad.clear()
        done = sync(tmp_path, keepa, products)
        assert airbyte.estimate(KEEPA, PRODUCT, DAY) == f"nothing: sync {done.record.job_id} requested the same"
        assert airbyte.estimate(KEEPA, PRODUCT, DAY, resync=True).startswith("24 in 6 requests, up to 96 tokens; ")


@pytest.mark.integration
def test_an_unreachable_vendor_is_a_transient_failure(tmp_path: Path) -> None:
    with strict_keepa({}) as keepa:
        pass
    keepa.url = "http://127.0.0.1:1"
    with pytest.raises(TransientError, match="cannot be reached"):
        sync(tmp_path, keepa, asins(3))
