"""Recorded answers, served again."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vp_pipeline.failures import PermanentError
from vp_pipeline_tests.sandbox.client import DAY, KeepaSandbox, catalogue, get

EARLY, LATE = 1_778_386_768_884, 1_778_392_006_978


def product(asin: str, **fields: object) -> dict[str, object]:
    return {"asin": asin, "domainId": 1, "csv": [[100, 5]], "lastUpdate": 8_000_000, **fields}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two answers for one product (the later one with a second product), and a lone product with a NaN."""
    answers: dict[str, dict[str, object]] = {
        "b.json": {"timestamp": EARLY, "tokensLeft": 5, "products": [product("B000000001", title="früh")]},
        "a.json": {"timestamp": LATE, "products": [product("B000000001"), product("B000000002")]},
        "c.json": product("B000000003", data={"x": [float("nan"), 1.5]}),
    }
    for name, answer in answers.items():
        (tmp_path / name).write_text(json.dumps(answer), encoding="utf-8")
    return tmp_path


@pytest.fixture
def recorded(folder: Path) -> Iterator[KeepaSandbox]:
    with KeepaSandbox(recordings=folder) as running:
        yield running


def ask(base: str, asins: str) -> dict[str, Any]:
    response = get(base, domain=1, asin=asins)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_the_catalogue_has_one_entry_an_answer_in_time_order(folder: Path) -> None:
    assert catalogue(folder, 7) == ("1:B000000003", "1:B000000001", "1:B000000001", "1:B000000002")


def test_successive_requests_get_successive_answers_on_each_clock(recorded: KeepaSandbox) -> None:
    for base in (recorded.url, recorded.url_as_of(DAY), recorded.url_as_of(date(2026, 10, 2))):
        envelopes = [ask(base, "B000000001") for _ in range(3)]
        assert [envelope["timestamp"] for envelope in envelopes] == [EARLY, LATE, EARLY]
        assert [envelope["products"] for envelope in envelopes[:2]] == [
            [product("B000000001", title="früh")],
            [product("B000000001")],
        ]
        assert envelopes[0]["tokensLeft"] > 5, "tokens are the sandbox's own"


def test_a_lone_product_gets_an_envelope_and_nan_becomes_null(recorded: KeepaSandbox) -> None:
    envelope = ask(recorded.url, "B000000003")
    assert envelope["timestamp"] == (8_000_000 + 21_564_000) * 60_000
    assert envelope["products"][0]["data"] == {"x": [None, 1.5]}


def test_products_of_one_answer_can_be_asked_for_together_and_others_cannot(recorded: KeepaSandbox) -> None:
    refused = get(recorded.url, domain=1, asin="B000000001,B000000002")
    assert refused.status_code == 400, "the first answer for B000000001 is another one"
    assert "one ASIN at a time" in refused.json()["error"]["message"]
    assert refused.json()["tokensConsumed"] == 0
    assert ask(recorded.url, "B000000001")["timestamp"] == EARLY, "the refusal used nothing up"
    together = ask(recorded.url, "B000000002,B000000001,B000000009")
    assert together["timestamp"] == LATE
    assert [p.get("productType") for p in together["products"]] == [None, None, 4]


def test_a_product_without_a_recording_is_invalid(recorded: KeepaSandbox) -> None:
    envelope = ask(recorded.url_as_of(DAY), "B0SBXUSA01")
    assert envelope["products"][0]["productType"] == 4
    assert envelope["timestamp"] == 1_790_899_199_999


OTHER_KINDS = {
    b"{": "Expecting property name",
    b"[]": "it is an empty list",
    b"[7]": "item 0: it is not a JSON object",
    b"{}": "it has neither `products` nor a `lastUpdate`",
    b"\xff\xfe": "can't decode byte",
    b'{"timestamp": 1, "deals": {"dr": []}}': "it has neither `products` nor a `lastUpdate`",
    b'{"timestamp": 1, "products": []}': "it holds no products: whatever was requested was not answered",
    b'{"products": [{"asin": "B000000001", "domainId": 1}]}': "its envelope has no `timestamp`",
    b'{"timestamp": 1, "products": [{"asin": "B000000001"}]}': "product 0 has no `asin` or no `domainId`",
    b'{"timestamp": 1, "products": [7]}': "product 0 is not an object",
    b'{"timestamp": 1, "products": [{"asin": "B000000001", "domainId": 14}]}': "requested: its domainId is 14",
    b'{"timestamp": 1, "products": [{"asin": "short", "domainId": 1}]}': "product 0 cannot be requested: its asin is",
}


@pytest.mark.parametrize("content", OTHER_KINDS)
def test_a_file_of_another_kind_is_named_and_left_out_alone(folder: Path, content: bytes) -> None:
    entries = catalogue(folder, 7)
    (folder / "broken.json").write_bytes(content)
    (left_out,) = KeepaSandbox(recordings=folder).api.left_out
    assert left_out.startswith("broken.json is not a recorded Keepa response: ")
    assert OTHER_KINDS[content] in left_out
    assert catalogue(folder, 7) == entries


def test_a_product_that_cannot_be_served_leaves_the_others_of_its_file(folder: Path) -> None:
    (folder / "d.json").write_text(
        json.dumps({"timestamp": LATE, "products": [7, product("B000000004"), product("?")]})
    )
    assert len(KeepaSandbox(recordings=folder).api.left_out) == 2
    assert "1:B000000004" in catalogue(folder, 7)


def test_lists_and_byte_order_marks_are_read(folder: Path) -> None:
    later = product("B000000005", lastUpdate=8_000_010)
    (folder / "d.json").write_text(json.dumps([product("B000000004"), later, {"timestamp": LATE, "products": [later]}]))
    (folder / "e.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(product("B000000006")).encode())
    with KeepaSandbox(recordings=folder) as sandbox:
        assert sandbox.api.left_out == ()
        moments = [ask(sandbox.url, f"B00000000{n}")["timestamp"] for n in (4, 5, 5, 6)]
        assert get(sandbox.url, domain=1, asin="B000000004,B000000005").status_code == 400, "two moments"
    assert moments == [1_773_840_000_000, 1_773_840_600_000, LATE, 1_773_840_000_000]


def test_an_asin_in_lower_case_is_requested_in_upper_case_and_served_as_it_is(folder: Path) -> None:
    (folder / "d.json").write_text(json.dumps(product("b0lower001")))
    assert "1:B0LOWER001" in catalogue(folder, 7)
    with KeepaSandbox(recordings=folder) as sandbox:
        assert ask(sandbox.url, "B0LOWER001")["products"] == [product("b0lower001")]


def test_a_folder_without_answers_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(PermanentError, match=folder.name):
            KeepaSandbox(recordings=folder)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(PermanentError, match=r"broken\.json is not a recorded Keepa response"):
        catalogue(tmp_path, 7)


def test_recorded_answers_are_served_unchanged(recordings: Path) -> None:
    entries = catalogue(recordings, 7)
    served: dict[tuple[int, str], object] = {}
    with KeepaSandbox(recordings=recordings) as sandbox:
        for entry in entries:
            domain, asin = entry.split(":")
            response = get(sandbox.url_as_of(DAY), domain=domain, asin=asin)
            envelope = json.loads(response.text, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))
            served[envelope["timestamp"], asin] = envelope["products"]
    moments = [timestamp for timestamp, _ in served]
    assert moments == sorted(moments)
    assert len(served) == len(entries)
    for file in recordings.glob("*.json"):
        recorded = json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda _: None)
        moment = recorded.get("timestamp") or (recorded["lastUpdate"] + 21_564_000) * 60_000
        for product in recorded.get("products", [recorded]):
            assert served.pop((moment, product["asin"])) == [product]
    assert not served
