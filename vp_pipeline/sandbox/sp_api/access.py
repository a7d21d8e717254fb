"""Access tokens of Login with Amazon, and how many requests of an operation are served.

Here: issuing and checking tokens, and the bucket of each operation. Not here: the operations (`api.py`).
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

REVOKED, UNKNOWN_CLIENT = "revoked", "unknown-client"
Clock = Callable[[], float]


@dataclass(frozen=True)
class Rate:
    """Requests per second, and how many at once after a rest."""

    per_second: float
    burst: int


# Amazon's own, of an application without a special plan.
AMAZON_RATES = {"searchOrders": Rate(0.0056, 20), "getOrders": Rate(0.0167, 20), "getOrderItems": Rate(0.5, 30)}


class Tokens:
    """Access tokens that are good for `seconds`. Every client and refresh token is known but those named above."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self.issued = 0
        self._seconds = seconds
        self._clock = clock
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def exchange(self, form: bytes) -> tuple[int, Mapping[str, object]]:
        """The status and the body of an exchange of a refresh token."""
        given = dict(parse_qsl(form.decode(errors="replace")))
        if given.get("grant_type") != "refresh_token":
            return 400, _error("unsupported_grant_type", "The authorization grant type is not supported")
        if not given.get("client_id") or not given.get("client_secret") or given["client_id"] == UNKNOWN_CLIENT:
            return 401, _error("invalid_client", "Client authentication failed")
        if given.get("refresh_token") in (None, "", REVOKED):
            return 400, _error("invalid_grant", "The request has an invalid grant parameter : refresh_token")
        token = f"Atza|{secrets.token_urlsafe(32)}"
        with self._lock:
            self.issued += 1
            self._until[token] = self._clock() + self._seconds
        body = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
        return 200, {**body, "refresh_token": given["refresh_token"]}

    def problem(self, token: str | None) -> str | None:
        """Why a request with this token is refused; None: it is served."""
        if not token:
            return "Access token is missing in the request header."
        until = self._until.get(token)
        if until is None:
            return "The access token you provided is revoked, malformed or invalid."
        return "The access token you provided has expired." if self._clock() >= until else None


class Buckets:
    """One bucket of requests per operation, refilled at the operation's rate."""

    def __init__(self, rates: Mapping[str, Rate], clock: Clock = time.monotonic) -> None:
        self.rates = rates
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, operation: str) -> bool:
        """Whether a request is served."""
        rate = self.rates[operation]
        with self._lock:
            now = self._clock()
            left, at = self._left.get(operation, (float(rate.burst), now))
            left = min(left + (now - at) * rate.per_second, rate.burst)
            served = left >= 1
            self._left[operation] = (left - served, now)
        return served


def _error(name: str, description: str) -> Mapping[str, object]:
    return {"error": name, "error_description": description}
