"""The sandbox's ScraperAPI: a request in, a status and one product page out.

Here: the form of responses and errors. Not here: HTTP (`../server.py`), what a page shows (`pages.py`).

Error texts are in the vendor's style, which documents the statuses alone.
"""

from pathlib import Path
from typing import Any

import orjson

from vp_pipeline.sandbox.api import Request, Response
from vp_pipeline.sandbox.scraperapi.pages import PRODUCTS, moment, page
from vp_pipeline.sandbox.scraperapi.recordings import Recordings
from vp_pipeline.sandbox.world import UNTIL
from vp_pipeline.sources.scraperapi.marketplaces import MARKETPLACES

PATHS = ("/structured/amazon/product", "/structured/amazon/product/v1")
_BY_TLD = {marketplace.tld: country for country, marketplace in MARKETPLACES.items()}


class ScraperApi:
    """Responds to requests with generated pages, or from a folder of recorded responses.

    Args:
        recordings: the folder; None: responses are generated.
        seed: another seed generates other prices.

    Raises:
        PermanentError: the recordings cannot be used.
    """

    def __init__(self, recordings: Path | None = None, seed: int = 7) -> None:
        self._recordings = None if recordings is None else Recordings(recordings)
        self._seed = seed

    @property
    def left_out(self) -> tuple[str, ...]:
        """What in the recordings is no page, each as a sentence with its file."""
        return () if self._recordings is None else self._recordings.left_out

    @property
    def entities(self) -> tuple[str, ...]:
        """The products that it has a page of, as in the settings, the same for each seed."""
        known = PRODUCTS if self._recordings is None else self._recordings.pages
        return tuple(f"{country}:{asin}" for country, asin in known)

    @property
    def example(self) -> str:
        """A request of one product."""
        country, asin = self.entities[0].split(":")
        return f"{PATHS[0]}?api_key=sandbox&asin={asin}&tld={MARKETPLACES[country].tld}"

    def respond(self, request: Request) -> Response:
        """What a GET of a product gets."""
        query = request.query
        if request.method != "GET" or request.path not in PATHS:
            return self.refusal(404, "", "There is no such endpoint.")
        if not query.get("api_key"):
            return self.refusal(401, "", "Unauthorized request, please make sure your API key is valid.")
        country, asin = _BY_TLD.get(query.get("tld", "com")), query.get("asin")
        if country is None or not asin:
            return self.refusal(400, "", "Bad request: a known tld and an asin are needed.")
        found = self._page(country, asin, request.now)
        return self.refusal(404, "", "Not found.") if found is None else Response(200, orjson.dumps(found))

    def refusal(self, status: int, kind: str, message: str) -> Response:
        """An error as the vendor sends it: a text."""
        return Response(status, message.encode())

    def _page(self, country: str, asin: str, now: int) -> dict[str, Any] | None:
        if self._recordings is not None:
            return self._recordings.pages.get((country, asin))
        product, at = PRODUCTS.get((country, asin)), moment(now)
        return None if product is None or at.date() >= UNTIL else page(self._seed, product, at)


def build(recordings: Path | None, seed: int) -> ScraperApi:
    """The stand-in with every product of the sandbox."""
    return ScraperApi(recordings, seed)
