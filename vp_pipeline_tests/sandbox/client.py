"""A client of the sandbox: over HTTP, with a key."""

from datetime import date
from typing import Any

import requests

from vp_pipeline.sandbox.server import Sandbox

DAY = date(2026, 10, 1)
KEY = "a-key"


def get(base: str, path: str = "/product", **params: Any) -> requests.Response:
    query = {"key": KEY, **{name: str(value) for name, value in params.items()}}
    return requests.get(base + path, params=query, timeout=30)


def get_product(sandbox: Sandbox, entry: str, day: date = DAY, **params: Any) -> dict[str, Any]:
    """The product object of `DOMAIN:ASIN` as of a day; everything is requested, unless `params` differ."""
    domain, asin = entry.split(":")
    params = {"stats": 180, "rating": 1, "buybox": 1, **params}
    response = get(sandbox.url_as_of(day), domain=domain, asin=asin, **params)
    assert response.status_code == 200, response.text
    (product,) = response.json()["products"]
    return dict(product)


def keepa_minute(day: date) -> int:
    """The last minute of a UTC day."""
    return (day.toordinal() - date(2011, 1, 1).toordinal() + 1) * 1440 - 1
