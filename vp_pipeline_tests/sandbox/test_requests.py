"""Rejected requests, tokens and HTTP."""

import gzip
import http.client
import json
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from vp_pipeline.sandbox.keepa.tokens import Accounts
from vp_pipeline_tests.sandbox.client import DAY, KeepaSandbox, get

ONE: dict[str, Any] = {"domain": 1, "asin": "B0SBXUSA01", "history": 0}
ENVELOPE = {"timestamp", "tokensLeft", "refillIn", "refillRate", "tokenFlowReduction", "tokensConsumed"}


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"asin": "B0SBXUSA01"}, "domain"),
        ({"asin": "B0SBXUSA01", "domain": 7}, "domain"),
        ({"asin": "B0SBXUSA01", "domain": "de"}, "domain"),
        ({"domain": 1}, "asin"),
        ({"domain": 1, "asin": ","}, "asin"),
        ({"domain": 1, "asin": "b0sbxusa01"}, "asin"),
        ({"domain": 1, "asin": "B0SBXUSA0"}, "asin"),
        ({"domain": 1, "asin": ",".join(f"B{k:09d}" for k in range(101))}, "asin"),
        ({**ONE, "stats": "many"}, "stats"),
        ({**ONE, "days": 0}, "days"),
        ({**ONE, "history": 2}, "history"),
        ({**ONE, "rating": "yes"}, "rating"),
        ({**ONE, "offers": 5}, "offers"),
        ({**ONE, "key": ""}, "key"),
    ],
)
def test_a_bad_request_is_refused_and_costs_nothing(
    sandbox: KeepaSandbox, params: dict[str, Any], parameter: str
) -> None:
    for base in (sandbox.url, sandbox.url_as_of(DAY)):
        response = get(base, **params)
        body = response.json()
        assert response.status_code == 400
        assert body["error"]["type"] == "invalidParameter"
        assert body["error"]["details"] == parameter
        assert parameter in body["error"]["message"]
        assert body["tokensConsumed"] == 0
        assert set(body) >= ENVELOPE
        assert "products" not in body


def test_a_hundred_asins_are_answered(sandbox: KeepaSandbox) -> None:
    asins = ",".join(f"B{k:09d}" for k in range(100))
    response = get(sandbox.url, domain=1, asin=asins)
    assert response.status_code == 200
    assert len(response.json()["products"]) == 100


def test_an_unpaid_key_an_unknown_path_and_another_method_are_refused(sandbox: KeepaSandbox) -> None:
    assert get(sandbox.url, key="unpaid", **ONE).status_code == 402
    for path in ("/", "/deal", "/product/", "/as-of/today/product", "/as-of/2026-10-01"):
        assert get(sandbox.url, path).status_code == 404
    assert get(sandbox.url, "/as-of/2026-02-30/product", **ONE).status_code == 400
    assert get(sandbox.url, "/as-of/9999-12-31/product", **ONE).status_code == 400
    for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"):
        response = requests.request(method, f"{sandbox.url}/product", data=b"x" * 9, timeout=30)
        assert response.status_code == 405, method
        assert response.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("options", "cost"),
    [
        ({}, 1),
        ({"stats": 90, "days": 30, "update": 0}, 1),
        ({"rating": 1}, 2),
        ({"buybox": 1}, 3),
        ({"rating": 1, "buybox": 1}, 4),
        ({"offers": 20}, 12),
        ({"offers": 31, "rating": 1, "buybox": 1}, 25),
    ],
)
def test_what_a_request_costs(options: dict[str, Any], cost: int) -> None:
    with KeepaSandbox(tokens=100, refill_per_minute=0) as sandbox:
        asins = "B0SBXUSA01,B000000000"
        body = get(sandbox.url, domain=1, asin=asins, history=0, **options).json()
        assert body["tokensConsumed"] == 2 * cost
        assert body["tokensLeft"] == 100 - 2 * cost


def test_tokens_run_out_and_each_key_has_its_own() -> None:
    with KeepaSandbox(tokens=3, refill_per_minute=1) as sandbox:
        assert get(sandbox.url, "/token").json()["tokensLeft"] == 3
        overdrawn = get(sandbox.url, **ONE, rating=1, buybox=1)
        assert overdrawn.status_code == 200
        assert overdrawn.json()["tokensLeft"] == -1

        refused = get(sandbox.url_as_of(DAY), **ONE)
        body = refused.json()
        assert refused.status_code == 429
        assert body["error"]["type"] == "notEnoughToken"
        assert body["tokensLeft"] == -1
        assert 100_000 < body["refillIn"] <= 120_000
        assert body["refillRate"] == 1
        assert body["tokensConsumed"] == 0
        assert get(sandbox.url, domain=1).status_code == 400, "a bad request is bad with or without tokens"

        assert get(sandbox.url, "/token").status_code == 200
        assert get(sandbox.url, key="another", **ONE).status_code == 200


def test_waiting_refill_in_is_enough() -> None:
    now = [0.0]
    accounts = Accounts(2, 30, clock=lambda: now[0])
    assert accounts.take("key", 7).left == -5
    refused = accounts.take("key", 1)
    assert not refused.served
    assert refused.refill_in == 12_000
    now[0] += refused.refill_in / 1000
    assert accounts.take("key", 1).served
    now[0] += 10 * 3600
    assert accounts.take("key", 0).left == 30 * 60, "unused tokens last an hour"


def test_responses_are_compressed_when_the_client_accepts_it_and_connections_are_kept(sandbox: KeepaSandbox) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=30)
    target = "/keepa/as-of/2026-10-01/product?key=a&domain=1&asin=B0SBXUSA01"
    bodies = []
    for headers in ({"Accept-Encoding": "gzip, deflate"}, {}):
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        assert response.version == 11
        assert response.getheader("Content-Encoding") == ("gzip" if headers else None)
        assert response.getheader("Connection") is None
        raw = response.read()
        bodies.append(json.loads(gzip.decompress(raw) if headers else raw)["products"])
    connection.close()
    assert bodies[0] == bodies[1]


def test_requests_are_not_logged(sandbox: KeepaSandbox, capfd: pytest.CaptureFixture[str]) -> None:
    get(sandbox.url, **ONE)
    get(sandbox.url, "/no-such-path")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_closed_sandbox_does_not_respond_even_on_an_open_connection() -> None:
    with KeepaSandbox() as sandbox, requests.Session() as session:
        url = sandbox.url_as_of(date(2026, 1, 1)) + "/token"
        assert session.get(url, params={"key": "a"}, timeout=30).status_code == 200
        sandbox.close()
        with pytest.raises(requests.ConnectionError):
            session.get(url, params={"key": "a"}, timeout=30)
