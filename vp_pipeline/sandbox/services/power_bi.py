"""The sandbox's Power BI: tokens for a service principal, and enhanced refreshes of one semantic model."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vp_pipeline.sandbox.services.service import Reply, Request

_TOKEN = re.compile(r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token")
_REFRESHES = re.compile(r"/v1\.0/myorg/groups/[^/]+/datasets/[^/]+/refreshes(?:/(?P<id>[^/]+))?")
_SCOPE = "https://analysis.windows.net/powerbi/api/.default"


@dataclass
class Refresh:
    """A refresh; it ends after `looks_left` more requests for its status, in `ends_as`."""

    request_id: str
    body: dict[str, Any]
    looks_left: int
    ends_as: str
    table_errors: dict[str, str]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    @property
    def status(self) -> str:
        return "Unknown" if self.ended_at is None else self.ends_as


class PowerBiStandIn:
    """One semantic model. `refreshes` are those that were started, oldest first.

    The next refresh ends after `looks` requests for its status; with `table_errors` (table → message) it fails.
    """

    def __init__(self, client_id: str = "sandbox", client_secret: str = "sandbox") -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.refreshes: list[Refresh] = []
        self.looks = 1
        self.table_errors: dict[str, str] = {}
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def forget_tokens(self) -> None:
        """As if every token had expired."""
        self._tokens.clear()

    def respond(self, request: Request) -> Reply:
        if _TOKEN.fullmatch(request.path) and request.method == "POST":
            return self._give_token(request.body)
        found = _REFRESHES.fullmatch(request.path)
        if not found:
            return _error(404, "PowerBIEntityNotFound", f"There is no {request.path} here.")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return _error(401, "TokenExpired", "The access token has expired or is not valid.")
        with self._lock:
            if request.method == "POST":
                return self._start(request.body)
            return self._look(found["id"]) if found["id"] else self._list(request)

    def _give_token(self, form: Any) -> Reply:
        expected = {"client_id": self.client_id, "client_secret": self.client_secret, "scope": _SCOPE}
        if not isinstance(form, dict) or any(form.get(name) != value for name, value in expected.items()):
            body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return Reply(401, body)
        token = uuid.uuid4().hex
        self._tokens.add(token)
        return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _start(self, body: Any) -> Reply:
        if self.refreshes and self.refreshes[-1].ended_at is None:
            return _error(400, "RefreshInProgressException", "Another refresh request is already executing.")
        ends_as = "Failed" if self.table_errors else "Completed"
        refresh = Refresh(str(uuid.uuid4()), dict(body or {}), self.looks, ends_as, dict(self.table_errors))
        self.refreshes.append(refresh)
        return Reply(202, None, {"x-ms-request-id": refresh.request_id, "Location": f"…/{refresh.request_id}"})

    def _look(self, request_id: str) -> Reply:
        refresh = next((r for r in self.refreshes if r.request_id == request_id), None)
        if refresh is None:
            return _error(404, "PowerBIEntityNotFound", f"There is no refresh {request_id}.")
        refresh.looks_left -= 1
        if refresh.looks_left <= 0 and refresh.ended_at is None:
            refresh.ended_at = datetime.now(UTC)
        done = refresh.ended_at is not None
        tables = ["fct_price_history_daily", "mart_product_daily", *refresh.table_errors]
        return Reply(
            200 if done else 202,
            {
                **_summary(refresh),
                "type": "Full",
                "currentRefreshType": "Full",
                "numberOfAttempts": 1,
                "objects": [
                    {
                        "table": table,
                        "partition": table,
                        "status": ("Failed" if table in refresh.table_errors else refresh.ends_as)
                        if done
                        else "InProgress",
                    }
                    for table in tables
                ],
                "messages": [
                    {"type": "Error", "code": "0xC11C0020", "message": f"{table}: {message}"}
                    for table, message in (refresh.table_errors if done else {}).items()
                ],
            },
        )

    def _list(self, request: Request) -> Reply:
        top = int(request.query.get("$top", 60))
        listed = [{"requestId": r.request_id, "refreshType": "ViaEnhancedApi", **_summary(r)} for r in self.refreshes]
        return Reply(200, {"value": listed[::-1][:top]})


def _summary(refresh: Refresh) -> dict[str, Any]:
    done = refresh.ended_at is not None
    return {
        "startTime": _time(refresh.started_at),
        **({"endTime": _time(refresh.ended_at)} if refresh.ended_at else {}),
        "status": refresh.status,
        "extendedStatus": refresh.status if done else "InProgress",
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message}})
