"""Airbyte's API, through dagster-airbyte's client.

Here: its failures by kind, and its responses as our types. Not here: which sync is started, and when (`remote.py`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from pydantic import SecretStr

from vp_pipeline.dagster_internals.airbyte_client import AirbyteClient
from vp_pipeline.failures import PermanentError, TransientError

RUNNING = ("pending", "running", "incomplete")
_ATTEMPTS = 4


class AlreadyRunning(Exception):
    """A sync of the connection is running (409)."""


@dataclass(frozen=True)
class Job:
    """A sync job. Times are UTC; `updated_at` of a job that ended is its end. `status` is Airbyte's."""

    job_id: int
    status: str
    started_at: datetime
    updated_at: datetime
    records: int
    bytes: int

    @property
    def running(self) -> bool:
        # "incomplete": an attempt has failed and Airbyte makes another one, or gives up and reports "failed".
        return self.status in RUNNING


class AirbyteApi(AirbyteClient):
    """The client, with failures by kind.

    Stock dagster-airbyte retries every error and then reports only that it gave up: here a 4xx is raised at once with
    Airbyte's own reason, and what is transient (5xx, 429, no response) is retried with growing waits.
    """

    # Looked up at each sign-in: an access token lasts minutes, and a sync may take hours.
    client_id: SecretStr | None = None  # type: ignore[assignment]
    client_secret: SecretStr | None = None  # type: ignore[assignment]

    def job(self, job_id: int) -> Job:
        """Raises PermanentError: there is no such job, or access to it is denied."""
        return _job(self.get_job_details(job_id))

    def start(self, connection_id: str) -> Job:
        """Raises AlreadyRunning: a sync of the connection is running."""
        return _job(self.start_sync_job(connection_id))

    def running_job(self, connection_id: str) -> Job | None:
        """The sync of a connection that is running, if one is."""
        query = {"connectionId": connection_id, "jobType": "sync", "orderBy": "createdAt|DESC"}
        found = self._paginated_request("GET", f"{self.rest_api_base_url}/jobs", params=query)
        return next((job for job in map(_job, found) if job.running), None)

    def source_configuration(self, source_id: str) -> Mapping[str, Any]:
        """The configuration of a source as it is deployed, its secrets masked."""
        found = self._single_request("GET", f"{self.rest_api_base_url}/sources/{source_id}")
        return found.get("configuration") or {}

    def configure_source(self, source_id: str, fields: Mapping[str, object]) -> None:
        """Sets fields of a source's configuration; the others, and its secrets, stay as they are."""
        url = f"{self.rest_api_base_url}/sources/{source_id}"
        self._single_request("PATCH", url, data={"configuration": dict(fields)})

    def attempts(self, job_id: int) -> list[Mapping[str, Any]]:
        """The attempts of a job, oldest first, as the configuration API returns them."""
        found = self._single_request("POST", f"{self.configuration_api_base_url}/jobs/get", data={"id": job_id})
        return [item["attempt"] for item in found.get("attempts", [])]

    def _refresh_access_token(self) -> None:
        assert self.client_id is not None
        assert self.client_secret is not None
        keys = {
            "client_id": self.client_id.get_secret_value(),
            "client_secret": self.client_secret.get_secret_value(),
        }
        url = f"{self.rest_api_base_url}/applications/token"
        signed_in = self._single_request("POST", url, data=keys, include_additional_request_headers=False)
        self._access_token_value = str(signed_in["access_token"])
        self._access_token_timestamp = time.time()

    def _single_request(
        self,
        method: str,
        url: str,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        include_additional_request_headers: bool = True,
    ) -> Mapping[str, Any]:
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                session = self._get_session(include_additional_request_headers=include_additional_request_headers)
                response = session.request(method, url, json=data, params=params, timeout=self.request_timeout)
            except requests.RequestException as error:
                if last:
                    raise TransientError(
                        f"Airbyte does not respond at {url} ({type(error).__name__}). Run it again later, and check "
                        "VP_AIRBYTE_API_URL and the network."
                    ) from None
            else:
                if response.status_code == 409:
                    raise AlreadyRunning
                if response.status_code == 401 and include_additional_request_headers and attempt == 1:
                    self._access_token_timestamp = None  # it expired before its time: request another one
                    continue
                if response.ok:
                    return _json(response, url)
                if response.status_code < 500 and response.status_code != 429:
                    raise PermanentError(_rejection(response, url))
                if last:
                    raise TransientError(
                        f"Airbyte fails at {url} (HTTP {response.status_code}), {_ATTEMPTS} times. Run it again later."
                    )
            time.sleep(self.request_retry_delay * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns or raises")


def reason_of(attempts: list[Mapping[str, Any]]) -> str:
    """Why the newest attempt failed, by Airbyte's messages."""
    failures = (attempts[-1].get("failureSummary") or {}).get("failures", []) if attempts else []
    messages = [f.get("externalMessage") or f.get("internalMessage") for f in failures]
    return "; ".join(dict.fromkeys(m.strip().rstrip(".") for m in messages if m)) or "Airbyte gives no reason"


def _job(details: Mapping[str, Any]) -> Job:
    started = _moment(details["startTime"])
    return Job(
        job_id=int(details["jobId"]),
        status=str(details["status"]),
        started_at=started,
        updated_at=_moment(details["lastUpdatedAt"]) if details.get("lastUpdatedAt") else started,
        records=int(details.get("rowsSynced") or 0),
        bytes=int(details.get("bytesSynced") or 0),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _json(response: requests.Response, url: str) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PermanentError(f"What responds at {url} is not Airbyte's API. Correct VP_AIRBYTE_API_URL.")
    return found


def _rejection(response: requests.Response, url: str) -> str:
    try:
        body = response.json()
        reason = str(body.get("detail") or body.get("message") or body.get("title") or "no reason given")
    except (ValueError, AttributeError):
        reason = "no reason given"
    remedy = {
        401: "Correct VP_AIRBYTE_CLIENT_ID and VP_AIRBYTE_CLIENT_SECRET.",
        403: "Give the application access to the workspace, or correct VP_AIRBYTE_WORKSPACE_ID.",
        404: "Correct the ids and URLs in VP_AIRBYTE_….",
    }.get(response.status_code, "A retry gives the same result.")
    return f"Airbyte rejects {url} (HTTP {response.status_code}): {reason}. {remedy}"
