"""The sandbox's ScraperAPI over HTTP: the form of real responses, prices of the sandbox's one world, and errors."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from vp_pipeline.failures import PermanentError
from vp_pipeline.sandbox.api import build_api
from vp_pipeline.sandbox.scraperapi.pages import PRODUCTS
from vp_pipeline.sandbox.scraperapi.recordings import Recordings
from vp_pipeline.sandbox.server import Sandbox
from vp_pipeline.sandbox.world import offer_at
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES

DAY = date(2026, 3, 10)
END = datetime(2026, 3, 10, 23, 59, 59, 999000, tzinfo=UTC)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox({"scraperapi": build_api("scraperapi", None, 7)}) as sandbox:
        yield sandbox.base_url("scraperapi", DAY)


def get(url: str, status: int = 200, path: str = "/structured/amazon/product", **query: str) -> Any:
    response = requests.get(url + path, params={"api_key": "k", **query}, timeout=30)
    assert response.status_code == status, response.text
    return response.json() if status == 200 else response.text


@pytest.mark.parametrize("key", PRODUCTS, ids=":".join)
def test_a_page_shows_what_the_world_has_at_that_moment(url: str, key: tuple[str, str]) -> None:
    country, asin = key
    found = get(url, asin=asin, tld=MARKETPLACES[country].tld)
    assert found["product_information"]["asin"] == asin
    offer = offer_at(7, PRODUCTS[key], END)
    price = MARKETPLACES[country].price(found["pricing"]) if "pricing" in found else None
    assert price == (None if offer is None else offer.price)
    assert ("sold_by" in found) == (offer is not None)
    assert found["total_reviews"] == found["product_information"]["customer_reviews"]["ratings_count"] > 0


def test_some_product_of_the_world_is_on_offer_and_some_is_not(url: str) -> None:
    pages = [get(url, asin=asin, tld=MARKETPLACES[country].tld) for country, asin in PRODUCTS]
    assert {"pricing" in page for page in pages} == {True, False}
    assert any("list_price" in page for page in pages)


def test_errors_are_those_of_the_vendor(url: str) -> None:
    assert "API key" in get(url, 401, asin="B0SBXUSA01", api_key="")
    get(url, 404, asin="B000000000")
    get(url, 404, asin="B0SBXUSA01", tld="de")  # a product of another marketplace
    get(url, 400, asin="B0SBXUSA01", tld="xyz")
    get(url, 404, path="/structured/ebay/product")


def write(folder: Path, name: str, content: object) -> None:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_recordings_are_served_as_they_were(tmp_path: Path) -> None:
    write(tmp_path, "DE-B0D4M48BM2.json", {"name": "Maske", "pricing": "12,99 €"})
    write(tmp_path, "mask.json", {"name": "Mask"})
    write(tmp_path, "US-B0D4M48BM2.json", "{")
    api = build_api("scraperapi", tmp_path, 7)
    assert api.entities == ("DE:B0D4M48BM2",)
    assert [text.split(" ")[0] for text in api.left_out] == ["US-B0D4M48BM2.json", "mask.json"]
    with Sandbox({"scraperapi": api}) as sandbox:
        assert get(sandbox.base_url("scraperapi"), asin="B0D4M48BM2", tld="de") == {
            "name": "Maske",
            "pricing": "12,99 €",
        }
        get(sandbox.base_url("scraperapi"), 404, asin="B0D4M48BM2", tld="com")


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="VP_SCRAPERAPI_RECORDINGS"):
        Recordings(tmp_path)
