"""The sandbox's Keepa, and a client of it: over HTTP, with a key."""

from datetime import date
from pathlib import Path
from typing import Any

import requests

from vp_pipeline.sandbox.keepa.api import KeepaApi
from vp_pipeline.sandbox.server import Sandbox

DAY = date(2026, 10, 1)
KEY = "a-key"


class KeepaSandbox(Sandbox):
    """A sandbox of Keepa alone; `options` are those of `KeepaApi`."""

    def __init__(self, **options: Any) -> None:
        self.api = KeepaApi(**options)
        super().__init__({"keepa": self.api})

    @property
    def url(self) -> str:
        return self.base_url("keepa")

    def url_as_of(self, day: date) -> str:
        return self.base_url("keepa", day)


def catalogue(recordings: Path | None, seed: int) -> tuple[str, ...]:
    return KeepaApi(recordings, seed).entities


def get(base: str, path: str = "/product", **params: Any) -> requests.Response:
    query = {"key": KEY, **{name: str(value) for name, value in params.items()}}
    return requests.get(base + path, params=query, timeout=30)


def get_product(sandbox: KeepaSandbox, entry: str, day: date = DAY, **params: Any) -> dict[str, Any]:
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
