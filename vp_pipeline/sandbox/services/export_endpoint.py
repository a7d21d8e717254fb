"""The sandbox's endpoint for exported rows: takes each batch once, by its idempotency key."""

import threading
from typing import Any

from vp_pipeline.sandbox.services.service import Reply, Request


class ExportStandIn:
    """`batches` are those that were taken, in order; `requests` counts all that came, repeats too."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.batches: list[dict[str, Any]] = []
        self.requests = 0
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    def respond(self, request: Request) -> Reply:
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401, {"error": "the token is not valid"})
        key = request.headers.get("idempotency-key")
        if request.method != "POST" or not key:
            return Reply(400, {"error": "POST a batch with an Idempotency-Key"})
        with self._lock:
            self.requests += 1
            if key not in self._keys:
                self._keys.add(key)
                self.batches.append(request.body)
        return Reply(200, {"accepted": len(request.body["rows"])})
