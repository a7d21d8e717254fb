"""Keepa as a source: its stream, and its connector's configuration."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from vp_pipeline.failures import PermanentError
from vp_pipeline.sources.earlier import Earlier
from vp_pipeline.sources.keepa.charts import prices, ranks
from vp_pipeline.sources.keepa.questions import amounts
from vp_pipeline.sources.keepa.requests import (
    ASIN,
    DOMAIN,
    MOST_ASINS,
    WHOLE_HISTORY,
    Question,
    halves,
    products_of,
    questions_of,
    requests,
)
from vp_pipeline.sources.keepa.settings import KeepaSettings
from vp_pipeline.sources.keepa.tables import TABLES
from vp_pipeline.sources.keepa.tokens import outlook, tokens
from vp_pipeline.sources.source import AirbyteSource, Asking, Batches, Entity, Oracle, Origin, Stream, SyncRequest

_REQUEST = re.compile(rf"{DOMAIN}:{ASIN}(?:,{ASIN}){{0,{MOST_ASINS - 1}}}\|[0-9]{{0,5}}")


def connector_config(settings: KeepaSettings, origin: Origin) -> dict[str, object]:
    """The configuration of `connector.yaml` (see its spec for what each means).

    Raises:
        PermanentError: no product is named.
    """
    asins = products(settings.asins, settings.domain) or origin.entities
    if not asins:
        raise PermanentError(
            "KEEPA_API_KEY is set, but VP_KEEPA_ASINS names no product to request. Set it to ASINs separated by "
            "commas: ASIN (in VP_KEEPA_DOMAIN) or DOMAIN:ASIN."
        )
    key = settings.api_key.get_secret_value() if settings.api_key else "sandbox"
    return {
        "api_key": key,
        "requests": _requests([Question(asin, settings.days) for asin in asins], together=not origin.recorded),
        "stats": 90,
        "rating": True,
        "buybox": True,
        "base_url": origin.base_url,
    }


def products(asins: Iterable[str], domain: int) -> tuple[str, ...]:
    """Products as `DOMAIN:ASIN`, each once; `domain` is that of a plain ASIN."""
    return tuple(dict.fromkeys(asin if ":" in asin else f"{domain}:{asin}" for asin in asins))


def request_of(config: Mapping[str, Any]) -> SyncRequest | None:
    """What a configuration of `connector.yaml` requests. `days`: the most of any product."""
    written = config.get("requests")
    if not (isinstance(written, list) and written):
        return None
    if not all(isinstance(request, str) and _REQUEST.fullmatch(request) for request in written):
        return None
    questions = [question for request in written for question in questions_of(request)]
    products = dict.fromkeys(question.product for question in questions)
    return SyncRequest(tuple(products), max(question.days or WHOLE_HISTORY for question in questions))


def days_back(settings: KeepaSettings) -> int:
    """How many days before a day what it requests depends on; see `Asking`."""
    return settings.full_every_days if settings.full_every_days > 1 else 0


def ask(settings: KeepaSettings, request: SyncRequest, day: date, earlier: Earlier) -> SyncRequest:
    """What `day` requests: of each product its whole history (`request.days`), or the last days (`questions.py`)."""
    found = amounts(request.entities, day, earlier, full_every=settings.full_every_days, overlap=settings.overlap_days)
    recent = {name: amount.days for name, amount in found.items() if amount.days and amount.days < request.days}
    why = {name: amount.why or "it is as long" for name, amount in found.items() if name not in recent}
    return replace(request, recent=recent, why_whole=why)


def in_config(request: SyncRequest) -> Mapping[str, object]:
    """What a configuration has of a request."""
    asked = [Question(name, request.recent.get(name, request.days)) for name in request.entities]
    return {"requests": _requests(asked, together=True)}


def _requests(questions: Sequence[Question], *, together: bool) -> list[str]:
    """Recordings were not made together: each by itself, and as often as the list names its product."""
    batches = [questions] if together else [[question] for question in questions]
    return [request for batch in batches for request in requests(batch)]


PRODUCT = Stream(
    source="keepa",
    name="product",
    description="Keepa's product responses: price, rank, rating, offer and buy-box histories of each ASIN.",
    replay="snapshot",
    tables=TABLES,
    decoder="vp_pipeline.sources.keepa.decode",
    inspection="vp_pipeline.sources.keepa.inspection",
    charts={"price": prices, "rank": ranks},
    entity=Entity(("domain_id", "asin"), "product_key"),
    lasting={"mart.dim_product": ("domain_id", "asin")},
)

ORACLE = Oracle(
    "mon_keepa_reconciliation",
    key="product_key",
    value="keepa_value",
    vendor="Keepa",
    needs_whole=(
        "our history begins too late",
        "a part of our history is unreadable",
        "the response has no histories",
    ),
)

KEEPA = AirbyteSource(
    name="keepa",
    description="Keepa: histories of Amazon products.",
    manifest=Path(__file__).with_name("connector.yaml"),
    streams=(PRODUCT,),
    settings=KeepaSettings,
    connector_config=connector_config,
    request_of=request_of,
    batches=Batches("requests", "requested", "tokensConsumed", products_of, halves, tokens, outlook),
    exported_mart="mart_deals",
    oracle=ORACLE,
    account="vp_pipeline.sources.keepa.account",
    asking=Asking(days_back, ask, in_config),
)
