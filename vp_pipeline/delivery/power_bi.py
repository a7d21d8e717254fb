"""Power BI's REST API: an enhanced refresh of the semantic model.

Here: requests, and what their responses mean. Not here: one refresh for each publication (`power_bi_refresh.py`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.settings import Settings

if TYPE_CHECKING:
    import requests

_SCOPE = "https://analysis.windows.net/powerbi/api/.default"
_BODY = {"type": "full", "commitMode": "transactional", "retryCount": 1}
_LOOK_BACK = timedelta(minutes=5)  # clocks differ
_RUNNING = frozenset({"Unknown", "NotStarted", "InProgress"})


@dataclass(frozen=True)
class Principal:
    """The service principal and the model that it refreshes."""

    tenant_id: str
    client_id: str
    client_secret: SecretStr
    workspace_id: str
    dataset_id: str


@dataclass(frozen=True)
class RefreshResult:
    """A refresh that ended: request id, status (`Completed`, …), status by table, and seconds by Power BI's clock."""

    request_id: str
    status: str
    tables: Mapping[str, str]
    errors: tuple[str, ...]
    seconds: float | None


class PowerBi:
    """The semantic model. Without a principal it is off: nothing is ever requested.

    `timeout_seconds`: how long `follow` waits for a refresh. `poll_seconds`: between two requests for its status.
    """

    def __init__(
        self,
        principal: Principal | None,
        api_url: str,
        login_url: str,
        *,
        timeout_seconds: float = 3600,
        poll_seconds: float = 10,
        request_seconds: float = 30,
    ) -> None:
        self._principal = principal
        self._api_url, self._login_url = api_url.rstrip("/"), login_url.rstrip("/")
        self._timeout_seconds, self._poll_seconds = timeout_seconds, poll_seconds
        self._request_seconds = request_seconds
        self._token: str | None = None

    @property
    def is_on(self) -> bool:
        return self._principal is not None

    def start(self) -> str:
        """Starts a refresh; returns its request id.

        Raises:
            TransientError: it was not started: rate limit, no connection, or another refresh is running.
            MayBeStarted: no response came, or one that leaves it open (5xx).
            PermanentError: refused: the principal, its rights, or the model.
        """
        response = self._request("POST", "refreshes", json=_BODY)
        request_id = response.headers.get("x-ms-request-id") or response.headers.get("Location", "").rsplit("/", 1)[-1]
        if not request_id:
            raise MayBeStarted("Power BI took the refresh but gave no request id.")
        return request_id

    def started_since(self, moment: datetime) -> str | None:
        """The request id of the newest refresh that was started through the API since `moment`, if there is one."""
        listed = self._request("GET", "refreshes", params={"$top": "20"}).json().get("value", [])
        for refresh in listed:
            began = datetime.fromisoformat(str(refresh["startTime"]).replace("Z", "+00:00"))
            began = began if began.tzinfo else began.replace(tzinfo=UTC)
            if str(refresh.get("refreshType")).startswith("ViaEnhanced") and began >= moment - _LOOK_BACK:
                return str(refresh["requestId"])
        return None

    def follow(self, request_id: str, log: Callable[[str], None]) -> RefreshResult:
        """Requests the status of this very refresh until it ends.

        Raises:
            TransientError: the API cannot be reached now.
            UnknownRefresh: there is no such refresh.
            PermanentError: it did not end in time. It keeps running; a later run attaches to it.
        """
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            body = self._request("GET", f"refreshes/{request_id}").json()
            status = str(body.get("status"))
            if status not in _RUNNING:
                return _result(request_id, status, body)
            if time.monotonic() + self._poll_seconds > deadline:
                raise PermanentError(
                    f"The Power BI refresh {request_id} is still {body.get('extendedStatus', status)} after "
                    f"{self._timeout_seconds:.0f} s (VP_POWER_BI_TIMEOUT_SECONDS). It keeps running: materialize "
                    "delivery/power_bi again to follow it."
                )
            log(f"Refresh {request_id} is {body.get('extendedStatus', status)}.")
            time.sleep(self._poll_seconds)

    def _request(self, method: str, what: str, **arguments: Any) -> "requests.Response":
        principal = self._principal
        assert principal is not None
        url = f"{self._api_url}/groups/{principal.workspace_id}/datasets/{principal.dataset_id}/{what}"
        for fresh in (False, True):  # a token lasts an hour, and a refresh may take longer
            headers = {"Authorization": f"Bearer {self._bearer(principal, fresh)}"}
            response = self._send(method, url, headers=headers, **arguments)
            if response.status_code != 401:
                break
        return _accepted(response, f"{method} {what}")

    def _bearer(self, principal: Principal, fresh: bool) -> str:
        if self._token is None or fresh:
            form = {
                "grant_type": "client_credentials",
                "client_id": principal.client_id,
                "client_secret": principal.client_secret.get_secret_value(),
                "scope": _SCOPE,
            }
            try:
                response = self._send("POST", f"{self._login_url}/{principal.tenant_id}/oauth2/v2.0/token", data=form)
            except MayBeStarted as error:
                raise TransientError(f"{error} Nothing was requested of Power BI.") from None
            if response.status_code in (400, 401, 403):
                raise PermanentError(
                    f"Microsoft Entra refused the service principal ({_reason(response)}). Look at "
                    "VP_POWER_BI_TENANT_ID, VP_POWER_BI_CLIENT_ID and VP_POWER_BI_CLIENT_SECRET."
                )
            if response.status_code != 200:
                raise TransientError(f"Microsoft Entra gave no token: HTTP {response.status_code}.")
            self._token = str(response.json()["access_token"])
        return self._token

    def _send(self, method: str, url: str, **arguments: Any) -> "requests.Response":
        import requests  # deferred import: 0.1 s

        try:
            return requests.request(method, url, timeout=self._request_seconds, **arguments)
        except requests.ConnectTimeout:
            raise TransientError(f"{_host(url)} cannot be reached.") from None
        except requests.RequestException as error:
            # Refused or not resolved: no byte of the request left this machine.
            if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
                raise TransientError(f"{_host(url)} cannot be reached.") from None
            raise MayBeStarted(f"{_host(url)} gave no response ({type(error).__name__}).") from None


class UnknownRefresh(PermanentError):
    """Power BI knows no refresh, or no model, of this id."""


class MayBeStarted(TransientError):
    """The request was sent, and no response shows whether a refresh was started."""


def build_power_bi(settings: Settings) -> PowerBi:
    """The semantic model that the settings name."""
    principal = None
    if settings.power_bi_client_secret is not None:
        assert settings.power_bi_tenant_id
        assert settings.power_bi_client_id
        assert settings.power_bi_workspace_id
        assert settings.power_bi_dataset_id
        principal = Principal(
            settings.power_bi_tenant_id,
            settings.power_bi_client_id,
            settings.power_bi_client_secret,
            settings.power_bi_workspace_id,
            settings.power_bi_dataset_id,
        )
    return PowerBi(
        principal,
        str(settings.power_bi_api_url),
        str(settings.power_bi_login_url),
        timeout_seconds=settings.power_bi_timeout_seconds,
    )


def _accepted(response: "requests.Response", what: str) -> "requests.Response":
    status = response.status_code
    if status < 400:
        return response
    reason = f"Power BI responded to {what} with HTTP {status} ({_reason(response)})."
    if status == 429:
        wait = response.headers.get("Retry-After")
        raise TransientError(f"{reason}{f' Retry after {wait} s.' if wait else ''}")
    if status >= 500:
        raise MayBeStarted(reason)
    if "RefreshInProgress" in response.text:
        # It may have begun before the publication: following it would not be following ours.
        raise TransientError(f"{reason} Another refresh is running.")
    refused = UnknownRefresh if status == 404 else PermanentError
    raise refused(f"{reason} Look at the rights of the service principal and at VP_POWER_BI_…_ID.")


def _result(request_id: str, status: str, body: Mapping[str, Any]) -> RefreshResult:
    tables = {str(item["table"]): str(item["status"]) for item in body.get("objects") or []}
    errors = [str(m["message"]) for m in body.get("messages") or [] if m.get("type") == "Error"]
    if status != "Completed":
        named = " ".join(errors)
        errors += [f"{table} {state}" for table, state in tables.items() if state == "Failed" and table not in named]
    seconds = None
    if body.get("startTime") and body.get("endTime"):
        begin, end = (datetime.fromisoformat(str(body[k]).replace("Z", "+00:00")) for k in ("startTime", "endTime"))
        seconds = (end - begin).total_seconds()
    return RefreshResult(request_id, status, tables, tuple(errors), seconds)


def _reason(response: "requests.Response") -> str:
    try:
        error = response.json()
    except ValueError:
        return "no reason given"
    found = error.get("error_description") or error.get("error")
    return str(found.get("message") or found.get("code")) if isinstance(found, dict) else str(found)


def _host(url: str) -> str:
    return url.split("/", 3)[2]
