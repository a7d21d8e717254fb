"""What requests cost of Keepa's tokens, and how long the rest of a sync takes with those that are left.

Here: the arithmetic, in words. Not here: waiting for tokens (`connector.yaml`), and requests (`requests.py`).

A product costs a token, its rating at most one more, its buy box two. Keepa serves a request while the balance is above
zero, so the last one may take it below, and adds `refillRate` tokens a minute.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from vp_pipeline.sources.keepa.requests import products_of


def per_product(config: Mapping[str, Any]) -> int:
    """What a product costs at most, with a configuration of `connector.yaml`."""
    return 1 + bool(config.get("rating", True)) + 2 * bool(config.get("buybox", True))


def tokens(config: Mapping[str, Any], requests: Iterable[str]) -> int:
    """What requests cost at most, with a configuration of `connector.yaml`."""
    return per_product(config) * sum(len(products_of(request)) for request in requests)


def minutes(cost: int, last: int, left: int, rate: int) -> int:
    """How long it takes until the last of some requests is served, whole minutes. `cost`: of all; `last`: of the last
    one, which needs no more than a balance of 1."""
    missing = cost - last + 1 - left
    return max(0, -(-missing // max(rate, 1)))


def outlook(config: Mapping[str, Any], requests: list[str], envelope: Mapping[str, Any]) -> str:
    """What the rest of a sync needs: `requests`, after a response with Keepa's token fields."""
    left, rate = envelope.get("tokensLeft"), envelope.get("refillRate")
    if not (isinstance(left, int) and isinstance(rate, int)):
        return ""
    balance = f"{left:,} tokens left, {rate:,} come back a minute"
    if not requests:
        return balance
    cost = tokens(config, requests)
    wait = minutes(cost, tokens(config, requests[-1:]), left, rate)
    return f"{balance}; the rest costs up to {cost:,}: about {wait:,} minutes"
