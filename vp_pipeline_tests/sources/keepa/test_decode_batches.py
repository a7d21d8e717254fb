"""Silver is the same however the products were asked for: one by one, or several in one response."""

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from vp_pipeline.sandbox.api import Request
from vp_pipeline.sandbox.keepa.api import KeepaApi
from vp_pipeline.sources.keepa.decode import decode
from vp_pipeline.sources.keepa.inspection import inspect
from vp_pipeline.sources.keepa.requests import products_of
from vp_pipeline.sources.landed import Decoded, LandedLine, Received
from vp_pipeline_tests.sources.keepa.decode_lines import ASIN, NOW, answer, csv, landed, product

API = KeepaApi()
UNKNOWN = "1:B0UNKNOWN1"
PRODUCTS = (*API.entities, UNKNOWN)
# A product in whose numbers an array is, which has the others of its response read the slow way; and no product.
ODD: tuple[Any, ...] = (product(asin="B0ODD00001", csv=csv(_0=[100, [5], 200, 6], _1=[50, 7])), 7, product(asin="?"))


def asked(request: str) -> dict[str, Any]:
    """The sandbox's response to a request, as the connector lands it."""
    listed, _, days = request.partition("|")
    domain, _, asins = listed.partition(":")
    query = {"key": "k", "domain": domain, "asin": asins, "stats": "90", "rating": "1", "buybox": "1", "days": days}
    response = API.respond(Request("GET", "/product", query, {}, b"", "2026-03-02", NOW))
    assert response.status == 200
    envelope = json.loads(response.body)
    return {**envelope, "requested": request}


def read(*answers: dict[str, Any]) -> dict[str, Decoded]:
    result = decode(landed(data, line) for line, data in enumerate(answers, start=1))
    assert {name: table.unaccounted for name, table in result.items()} == dict.fromkeys(result, 0)
    return result


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(st.permutations(PRODUCTS), st.lists(st.integers(1, len(PRODUCTS)), max_size=3), st.sampled_from(["", "30"]))
def test_a_batch_is_decoded_as_its_products_one_by_one(order: list[str], cuts: list[int], days: str) -> None:
    batches = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(order)], strict=True):
        by_domain: dict[str, list[str]] = {}
        for each in order[start:end]:
            by_domain.setdefault(each.partition(":")[0], []).append(each.partition(":")[2])
        batches += [f"{domain}:{','.join(asins)}|{days}" for domain, asins in by_domain.items()]
    together = [asked(request) for request in batches]
    alone = [asked(f"{each}|{days}") for each in PRODUCTS]
    # Products that are none, or odd: in the response of the first product of the US, and by themselves.
    odd = [{**alone[0], "products": [each], "requested": "1:B0ODD00001|"} for each in ODD]
    host = next(each for each in together if each["requested"].startswith("1:"))
    host |= {"requested": host["requested"].replace("|", ",B0ODD00001|"), "products": [*host["products"], *ODD]}
    many, single = read(*together), read(*alone, *odd)
    for name, table in single.items():
        assert many[name].rows.equals(table.rows), name
        assert many[name].records_in == table.records_in, name
        assert sorted(row.record for row in many[name].quarantined) == sorted(
            row.record for row in table.quarantined
        ), name
    assert single["price"].rows.num_rows > 500


def received(*answers: dict[str, Any]) -> set[tuple[str | None, str | None, str | None, bool]]:
    lines = [LandedLine("o", 1, json.dumps({"_airbyte_data": data}).encode()) for data in answers]
    found: tuple[Received, ...] = inspect(lines).received
    return {(each.entity, each.requested, each.refusal, each.is_of_request) for each in found}


def test_what_a_batch_has_of_each_product_is_named() -> None:
    request = f"1:{ASIN},B0UNKNOWN1,B0MISSING1|30"
    batch = answer(product(), product(asin="B0UNKNOWN1", productType=4), product(asin="B0OTHER001"), requested=request)
    assert received(batch) == {
        (f"1:{ASIN}", f"1:{ASIN}", None, True),
        (UNKNOWN, UNKNOWN, "invalid", True),
        ("1:B0OTHER001", request, None, False),
    }


def test_a_refused_batch_is_the_refusal_of_each_product() -> None:
    refused = answer(error={"type": "invalidParameter", "message": "no"}, requested=f"1:{ASIN},B0UNKNOWN1|")
    assert received(refused) == {(None, each, "invalidParameter, no", True) for each in (f"1:{ASIN}", UNKNOWN)}


def test_a_product_that_was_not_requested_is_in_quarantine() -> None:
    request = f"1:{ASIN},B0UNKNOWN1|"
    result = read(answer(product(), product(asin="B0OTHER001"), requested=request))
    assert result["product"].rows["asin"].to_pylist() == [ASIN]
    (rejected,) = result["product"].quarantined
    assert rejected.reason == "2 products were requested, and the response has 1:B0OTHER001, which is none of them"
    assert rejected.entity == "B0OTHER001"
    assert products_of(request) == (f"1:{ASIN}", UNKNOWN)
