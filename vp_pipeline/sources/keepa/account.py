"""Keepa's own account of a key: tokens left, how fast they come back, and what a day of the settings costs."""

from collections.abc import Mapping
from typing import Any

import requests

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.sources.keepa.settings import KeepaSettings
from vp_pipeline.sources.keepa.source import products
from vp_pipeline.sources.keepa.tokens import per_product

_TIMEOUT_SECONDS = 5


def account(settings: KeepaSettings) -> str:
    """A sentence on the tokens of the key. The request itself costs none.

    Raises:
        PermanentError: Keepa refuses the key.
        TransientError: it does not respond, or a day costs more tokens than come back in one.
    """
    found = balance(settings)
    left, rate = int(found["tokensLeft"]), int(found["refillRate"])
    requested = len(products(settings.asins, settings.domain))
    day = per_product({}) * requested
    text = f"{left:,} tokens left, {rate:,} come back a minute; a day of {requested} products costs {day:,}"
    if day > left + rate * 24 * 60:
        raise TransientError(f"{text}: more than come back in a day. Request fewer products: VP_KEEPA_ASINS.")
    return text


def balance(settings: KeepaSettings) -> Mapping[str, Any]:
    """Keepa's token fields: `tokensLeft`, `refillRate` (a minute) and others. The request itself costs none.

    Raises:
        PermanentError: Keepa refuses the key.
        TransientError: it does not respond.
    """
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    try:
        response = requests.get(f"{settings.base_url}/token", params={"key": key}, timeout=_TIMEOUT_SECONDS)
        found = response.json()
    except (requests.RequestException, ValueError) as error:
        raise TransientError(f"{settings.base_url} gives no response of Keepa's ({type(error).__name__}).") from None
    if "tokensLeft" not in found or response.status_code != 200:
        raise PermanentError(f"Keepa refuses the key (HTTP {response.status_code}). Correct KEEPA_API_KEY.")
    fields: Mapping[str, Any] = found
    return fields
