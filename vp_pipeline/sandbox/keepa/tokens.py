"""Keepa's tokens: the balance of each key.

Here: the accounts. Not here: what a request costs (`request.py`).

Keepa adds `refillRate` tokens once a minute; the sandbox adds them one by one, so that waiting for `refillIn`
is always enough and never takes a minute in a test. A request is served while the balance is above 0, and may
take it below.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Balance:
    """Token fields of a response. `refill_in` in ms: until the next token, or until there is one again."""

    left: int
    refill_in: int
    served: bool


class Accounts:
    """One account per key, opened at its first request with `tokens`; unused tokens add up for an hour.

    Args:
        tokens: the balance of a new account.
        refill_per_minute: 0 means never.
        clock: seconds, monotonic.
    """

    def __init__(self, tokens: int, refill_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.refill_per_minute = refill_per_minute
        self._tokens = tokens
        self._most = max(tokens, 60 * refill_per_minute)
        self._clock = clock
        self._accounts: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str, cost: int) -> Balance:
        """Takes `cost` from the key's account, if there is anything in it. A cost of 0 is always served."""
        with self._lock:
            now = self._clock()
            left, at = self._accounts.get(key, (float(self._tokens), now))
            left = min(left + (now - at) / 60 * self.refill_per_minute, self._most)
            served = cost == 0 or left >= 1
            left -= cost if served else 0
            self._accounts[key] = (left, now)
        return Balance(math.floor(left), self._wait(left), served)

    def _wait(self, left: float) -> int:
        if self.refill_per_minute == 0:
            return 60_000
        missing = 1 - left if left < 1 else math.floor(left) + 1 - left
        return math.ceil(missing * 60_000 / self.refill_per_minute)
