"""Questions and the requests that put them: each once, in one order, within the limits of Keepa and Airbyte."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_pipeline.settings import PROJECT_ROOT
from vp_pipeline.sources.keepa.requests import (
    MOST_ASINS,
    WHOLE_HISTORY,
    Question,
    products_of,
    products_per_request,
    questions_of,
    requests,
)
from vp_pipeline.sources.keepa.series import DOMAINS

AIRBYTE_LIMIT = 20_000_000
ANSWERS = PROJECT_ROOT.parent / "shared" / "data" / "keepa"
ASINS = st.integers(0, 10**6).map(lambda number: f"B{number:09}") | st.integers(0, 999).map(lambda n: f"{n:010}")
QUESTIONS = st.lists(
    st.builds(
        Question,
        st.tuples(st.sampled_from(sorted(DOMAINS)), ASINS).map(lambda found: f"{found[0]}:{found[1]}"),
        st.none() | st.sampled_from([1, 30, 365]) | st.integers(1, 9_999),
    ),
    max_size=300,
)


@given(QUESTIONS, st.randoms())
def test_every_question_is_put_once_whatever_their_order(questions: list[Question], random: Random) -> None:
    written = requests(questions)
    put = [question for request in written for question in questions_of(request)]
    assert len(put) == len(set(put))
    assert set(put) == set(questions)
    shuffled = [*questions, *questions[:3]]
    random.shuffle(shuffled)
    assert requests(shuffled) == written
    assert requests(put) == written


@given(QUESTIONS)
def test_a_request_is_of_one_marketplace_and_one_span_and_not_too_long(questions: list[Question]) -> None:
    for request in requests(questions):
        assert re.fullmatch(r"\d{1,2}:[A-Z0-9]{10}(,[A-Z0-9]{10})*\|\d{0,4}", request)
        put = questions_of(request)
        assert len({question.days for question in put}) == 1
        assert len(put) <= products_per_request(put[0].days) <= MOST_ASINS


@given(QUESTIONS)
def test_there_are_no_more_requests_than_needed(questions: list[Question]) -> None:
    written = [questions_of(request) for request in requests(questions)]
    full = sum(len(put) == products_per_request(put[0].days) for put in written)
    assert len(written) - full <= len({(q.product.partition(":")[0], q.days) for q in questions})


def test_how_requests_are_written() -> None:
    questions = [Question("5:B000000002", None), Question("1:B000000003", 30), Question("1:B000000001", 30)]
    assert requests(questions) == ("1:B000000001,B000000003|30", "5:B000000002|")
    assert requests(questions, most=1) == ("1:B000000001|30", "1:B000000003|30", "5:B000000002|")
    whole = [Question("1:B000000001", days) for days in (None, WHOLE_HISTORY, WHOLE_HISTORY + 1)]
    assert requests(whole) == ("1:B000000001|",)


def test_the_longer_the_history_the_fewer_products() -> None:
    sizes = [products_per_request(days) for days in (1, 30, 142, 365, 3650, None)]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[2], sizes[-1]) == (100, 5)


@pytest.mark.parametrize("request_", ["1:B000000001", "1:B000000001|", "1:B000000001|30"])
def test_a_record_of_an_earlier_version_names_its_product(request_: str) -> None:
    assert products_of(request_) == ("1:B000000001",)


@pytest.mark.parametrize("text", ["", "|", "B000000001", "1:|x", ",,"])
def test_what_is_no_request_is_for_no_product(text: str) -> None:
    assert not any(re.fullmatch(r"\d+:[A-Z0-9]{10}", product) for product in products_of(text))


def test_recorded_answers_are_within_the_lengths_that_are_counted_with() -> None:
    if not ANSWERS.is_dir():
        pytest.skip(f"the shared answers are not at {ANSWERS}")
    lengths = [length for file in ANSWERS.glob("*_B0[DF]*.json") for length in _lengths(file)]
    assert lengths
    assert 4 * max(lengths) * products_per_request(None) < AIRBYTE_LIMIT


def _lengths(file: Path) -> list[int]:
    return [len(json.dumps(each, separators=(",", ":"))) for each in json.loads(file.read_bytes())["products"]]
