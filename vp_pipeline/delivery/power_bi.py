"""Power BI: an enhanced refresh of the semantic model, started once for a publication and followed by its own id.

Here: the REST API, and the states of a refresh in the outbox. Not here: when a refresh is due (`assets/delivery.py`).

The id that the POST returns is written to the outbox before it is looked at, so a retry follows the refresh that is
there instead of starting another one. When the answer of the POST was lost, the refreshes that began since are asked
for, and one started through the API is taken as ours: Power BI runs one at a time for a model.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from vp_pipeline.delivery.outbox import Box, Entry
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
    """The semantic model. Without a principal it is off: nothing is ever asked.

    `timeout_seconds`: how long `follow` waits for a refresh. `poll_seconds`: between two looks at it.
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
            MayBeStarted: no answer came, or one that says nothing (5xx).
            PermanentError: refused: the principal, its rights, or the model.
        """
        answer = self._ask("POST", "refreshes", json=_BODY)
        request_id = answer.headers.get("x-ms-request-id") or answer.headers.get("Location", "").rsplit("/", 1)[-1]
        if not request_id:
            raise MayBeStarted("Power BI took the refresh but gave no request id.")
        return request_id

    def started_since(self, moment: datetime) -> str | None:
        """The request id of the newest refresh that was started through the API since `moment`, if there is one."""
        listed = self._ask("GET", "refreshes", params={"$top": "20"}).json().get("value", [])
        for refresh in listed:
            began = datetime.fromisoformat(str(refresh["startTime"]).replace("Z", "+00:00"))
            began = began if began.tzinfo else began.replace(tzinfo=UTC)
            if str(refresh.get("refreshType")).startswith("ViaEnhanced") and began >= moment - _LOOK_BACK:
                return str(refresh["requestId"])
        return None

    def follow(self, request_id: str, log: Callable[[str], None]) -> RefreshResult:
        """Looks at this very refresh until it ends.

        Raises:
            TransientError: the API cannot be asked now.
            PermanentError: the refresh is not known, or did not end in time (it goes on; a later run attaches to it).
        """
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            said = self._ask("GET", f"refreshes/{request_id}").json()
            status = str(said.get("status"))
            if status not in _RUNNING:
                return _result(request_id, status, said)
            if time.monotonic() + self._poll_seconds > deadline:
                raise PermanentError(
                    f"The Power BI refresh {request_id} is still {said.get('extendedStatus', status)} after "
                    f"{self._timeout_seconds:.0f} s (VP_POWER_BI_TIMEOUT_SECONDS). It goes on: materialize "
                    "delivery/power_bi again to follow it."
                )
            log(f"Refresh {request_id} is {said.get('extendedStatus', status)}.")
            time.sleep(self._poll_seconds)

    def _ask(self, method: str, what: str, **arguments: Any) -> "requests.Response":
        principal = self._principal
        assert principal is not None
        url = f"{self._api_url}/groups/{principal.workspace_id}/datasets/{principal.dataset_id}/{what}"
        for fresh in (False, True):  # a token lasts an hour, and a refresh may take longer
            headers = {"Authorization": f"Bearer {self._bearer(principal, fresh)}"}
            answer = self._send(method, url, headers=headers, **arguments)
            if answer.status_code != 401:
                break
        return _accepted(answer, f"{method} {what}")

    def _bearer(self, principal: Principal, fresh: bool) -> str:
        if self._token is None or fresh:
            form = {
                "grant_type": "client_credentials",
                "client_id": principal.client_id,
                "client_secret": principal.client_secret.get_secret_value(),
                "scope": _SCOPE,
            }
            try:
                answer = self._send("POST", f"{self._login_url}/{principal.tenant_id}/oauth2/v2.0/token", data=form)
            except MayBeStarted as error:
                raise TransientError(f"{error} Nothing was asked of Power BI.") from None
            if answer.status_code in (400, 401, 403):
                raise PermanentError(
                    f"Microsoft Entra refused the service principal ({_reason(answer)}). Look at "
                    "VP_POWER_BI_TENANT_ID, VP_POWER_BI_CLIENT_ID and VP_POWER_BI_CLIENT_SECRET."
                )
            if answer.status_code != 200:
                raise TransientError(f"Microsoft Entra gave no token: HTTP {answer.status_code}.")
            self._token = str(answer.json()["access_token"])
        return self._token

    def _send(self, method: str, url: str, **arguments: Any) -> "requests.Response":
        import requests  # 0.1 s that the code location need not pay

        try:
            return requests.request(method, url, timeout=self._request_seconds, **arguments)
        except requests.ConnectTimeout:
            raise TransientError(f"{_host(url)} cannot be reached.") from None
        except requests.RequestException as error:
            # Refused or not resolved: no byte of the request left this machine.
            if "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error):
                raise TransientError(f"{_host(url)} cannot be reached.") from None
            raise MayBeStarted(f"{_host(url)} gave no answer ({type(error).__name__}).") from None


class MayBeStarted(TransientError):
    """The request went out and no answer told what became of it."""


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


def power_bi_box(settings: Settings) -> Box:
    """The refreshes that were asked for."""
    return Box(settings.outbox_dir / "power_bi.jsonl")


def refresh_once(
    power_bi: PowerBi, box: Box, key: str, content: Mapping[str, Any], log: Callable[[str], None]
) -> RefreshResult | None:
    """Sees to it that the refresh of `key` was made: starts it, or follows the one that was started before.

    None: Power BI is off; the request stays in the outbox and is not sent later. A refresh that was made is not made
    again; one that failed is started anew.

    Raises:
        TransientError: it could not be started or looked at now; the outbox says where it stands.
        PermanentError: it failed, with its tables' errors; was refused; or did not end in time.
    """
    with box.delivering():
        entry = box.put(key, content)
        if not power_bi.is_on:
            box.note(key, "kept", reason="Power BI is not configured (VP_POWER_BI_…).")
            log("Power BI is off: the request stays in the outbox.")
            return None
        if entry.state == "delivered":
            return RefreshResult(**{**entry.receipt, "errors": tuple(entry.receipt["errors"])})
        request_id = _request_id(power_bi, box, entry, log)
        try:
            result = power_bi.follow(request_id, log)
        except PermanentError as error:
            gone = "404" in str(error)
            box.note(key, "failed" if gone else "doubtful", reason=str(error), receipt=_receipt(request_id, not gone))
            raise
        except TransientError as error:
            box.note(key, "doubtful", reason=str(error), receipt=_receipt(request_id, True))
            raise
        if result.status != "Completed":
            told = "; ".join(result.errors) or "no reason given"
            reason = f"The Power BI refresh {request_id} ended as {result.status}: {told}."
            box.note(key, "refused", reason=reason, receipt=_receipt(request_id, False))
            raise PermanentError(f"{reason} Mend the model, then materialize delivery/power_bi again.")
        receipt = {
            "request_id": result.request_id,
            "status": result.status,
            "tables": dict(result.tables),
            "errors": list(result.errors),
            "seconds": result.seconds,
        }
        box.note(key, "delivered", receipt=receipt)
        return result


def _request_id(power_bi: PowerBi, box: Box, entry: Entry, log: Callable[[str], None]) -> str:
    """The refresh to follow: the one that was started for this entry, or a new one."""
    if entry.receipt.get("running"):
        log(f"Attaching to refresh {entry.receipt['request_id']}.")
        return str(entry.receipt["request_id"])
    if entry.in_doubt:
        found = power_bi.started_since(entry.changed_at)
        if found is not None:
            log(f"The answer to the last request was lost; refresh {found} began since.")
            box.note(entry.key, "doubtful", receipt=_receipt(found, True))
            return found
    box.note(entry.key, "sending")
    try:
        request_id = power_bi.start()
    except MayBeStarted as error:
        box.note(entry.key, "doubtful", reason=str(error))
        raise
    except PermanentError as error:
        box.note(entry.key, "refused", reason=str(error))
        raise
    except TransientError as error:
        box.note(entry.key, "failed", reason=str(error))
        raise
    box.note(entry.key, "doubtful", reason="running", receipt=_receipt(request_id, True))
    log(f"Power BI started refresh {request_id}.")
    return request_id


def _receipt(request_id: str, running: bool) -> dict[str, Any]:
    return {"request_id": request_id, "running": running}


def _accepted(answer: "requests.Response", what: str) -> "requests.Response":
    status = answer.status_code
    if status < 400:
        return answer
    reason = f"Power BI answered {what} with HTTP {status} ({_reason(answer)})."
    if status == 429:
        wait = answer.headers.get("Retry-After")
        raise TransientError(f"{reason}{f' It asks to wait {wait} s.' if wait else ''}")
    if status >= 500:
        raise MayBeStarted(reason)
    if "RefreshInProgress" in answer.text:
        # It may have begun before the publication: following it would tell nothing about ours.
        raise TransientError(f"{reason} Another refresh is running.")
    raise PermanentError(f"{reason} Look at the rights of the service principal and at VP_POWER_BI_…_ID.")


def _result(request_id: str, status: str, said: Mapping[str, Any]) -> RefreshResult:
    tables = {str(item["table"]): str(item["status"]) for item in said.get("objects") or []}
    errors = [str(m["message"]) for m in said.get("messages") or [] if m.get("type") == "Error"]
    if status != "Completed":
        named = " ".join(errors)
        errors += [f"{table} {state}" for table, state in tables.items() if state == "Failed" and table not in named]
    seconds = None
    if said.get("startTime") and said.get("endTime"):
        begin, end = (datetime.fromisoformat(str(said[k]).replace("Z", "+00:00")) for k in ("startTime", "endTime"))
        seconds = (end - begin).total_seconds()
    return RefreshResult(request_id, status, tables, tuple(errors), seconds)


def _reason(answer: "requests.Response") -> str:
    try:
        error = answer.json()
    except ValueError:
        return "no reason given"
    found = error.get("error_description") or error.get("error")
    return str(found.get("message") or found.get("code")) if isinstance(found, dict) else str(found)


def _host(url: str) -> str:
    return url.split("/", 3)[2]
