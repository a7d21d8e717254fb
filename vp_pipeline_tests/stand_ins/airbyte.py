"""Airbyte's API on loopback: the endpoints that dagster-airbyte's client uses, over jobs that really run."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from vp_pipeline.airbyte.api import AirbyteApi
from vp_pipeline.airbyte.connector_runner import SyncJob, next_job_id
from vp_pipeline.airbyte.drift import PATH_FORMAT, bucket_path
from vp_pipeline.sources.source import AirbyteSource
from vp_pipeline_tests.stand_ins.s3 import Fault

CLIENT_ID, CLIENT_SECRET = "a-client", "secret-of-the-stand-in/airbyte"
CONNECTION, SOURCE, DESTINATION, WORKSPACE = "a-connection", "a-source", "a-destination", "a-workspace"
IDENTITIES = {
    "declarative_sources": "id",
    "sources": "sourceId",
    "destinations": "destinationId",
    "connections": "connectionId",
}
# What a job does: lands the stream under its number and returns what it landed; or raises.
Work = Callable[[int], SyncJob]


@dataclass
class StandInJob:
    """One job as the API returns it."""

    job_id: int
    status: str = "running"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    records: int = 0
    bytes: int = 0
    reason: str = ""
    stream: str = "product"

    def details(self) -> dict[str, Any]:
        return {
            "jobId": self.job_id,
            "status": self.status,
            "jobType": "sync",
            "connectionId": CONNECTION,
            "startTime": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastUpdatedAt": self.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "bytesSynced": self.bytes,
            "rowsSynced": self.records,
        }

    def attempt(self) -> dict[str, Any]:
        failure = {"failures": [{"failureOrigin": "source", "externalMessage": self.reason}]}
        committed = {"recordsCommitted": self.records, "recordsEmitted": self.records}
        return {
            "id": 0,
            "status": self.status,
            "streamStats": [{"streamName": self.stream, "stats": committed}],
            **({"failureSummary": failure} if self.reason else {}),
        }


class AirbyteStandIn:
    """The server. `released`: clear it, and jobs that are started keep running until it is set. `statuses`: what the
    next requests for a job return, instead of its own."""

    def __init__(self, lake_url: str, work: Work) -> None:
        self.work = work
        self.jobs: list[StandInJob] = []
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.tokens: list[str] = []
        self.statuses: list[str] = []
        self.made: dict[str, list[dict[str, Any]]] = {}
        self.released = threading.Event()
        self.released.set()
        bucket, folder = bucket_path(lake_url)
        self.connection: dict[str, Any] = {
            "connectionId": CONNECTION,
            "sourceId": SOURCE,
            "destinationId": DESTINATION,
            "status": "active",
            "namespaceDefinition": "customformat",
            "namespaceFormat": "keepa",
            "prefix": "",
            "scheduleType": "manual",
            "syncCatalog": {
                "streams": [
                    {
                        "stream": {"name": "product"},
                        "config": {"selected": True, "syncMode": "full_refresh", "destinationSyncMode": "append"},
                    }
                ]
            },
        }
        # As the API returns it: secrets are masked.
        self.source: dict[str, Any] = {
            "sourceId": SOURCE,
            "configuration": {"api_key": "**********", "requests": ["1:B0SBXUSA01|"]},
        }
        self.destination: dict[str, Any] = {
            "destinationId": DESTINATION,
            "destinationType": "s3",
            "configuration": {
                "s3_bucket_name": bucket,
                "s3_bucket_path": folder,
                "s3_path_format": PATH_FORMAT,
                "format": {"format_type": "JSONL", "compression": {"compression_type": "GZIP"}},
            },
        }
        self.stream = "product"
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def serve(self, source: AirbyteSource, configuration: dict[str, Any]) -> None:
        """Its connection is one of this source, with this configuration."""
        (stream,) = source.streams
        self.stream = stream.name
        self.source["configuration"] = configuration
        self.connection["namespaceFormat"] = source.name
        self.connection["syncCatalog"]["streams"][0]["stream"]["name"] = stream.name

    def client(self, url: str | None = None, secret: str = CLIENT_SECRET) -> AirbyteApi:
        return AirbyteApi(
            rest_api_base_url=f"{url or self.url}/api/public/v1",
            configuration_api_base_url=f"{url or self.url}/api/v1",
            workspace_id=WORKSPACE,
            client_id=CLIENT_ID,
            client_secret=secret,
            request_max_retries=0,
            request_retry_delay=0.01,
            request_timeout=10,
        )

    def start(self, **changes: Any) -> StandInJob:
        """A job, as when someone starts one in Airbyte itself."""
        job = StandInJob(next_job_id(), stream=self.stream, **changes)
        self.jobs.append(job)
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return job

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()

    def _run(self, job: StandInJob) -> None:
        self.released.wait(60)
        if job.status != "running":
            return
        try:
            done = self.work(job.job_id)
        except Exception as error:
            job.reason, ended = str(error), "failed"
        else:
            job.records, job.bytes, ended = done.records, done.bytes, "succeeded"
        job.updated_at = datetime.now(UTC)
        if job.status == "running":
            job.status = ended

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        self.requests.append(f"{request.method} {request.path}")
        for fault in list(self.faults):
            response = fault(request)
            if response is not None:
                return response(environ, start)
        return self._route(request)(environ, start)

    def _route(self, request: Request) -> Response:
        sent = request.get_json(silent=True) or {}
        if request.path == "/api/public/v1/applications/token":
            return self._token(sent)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return json_response({"message": "Unauthorized"}, 401)
        routes: list[tuple[str, Callable[[Request, dict[str, Any]], Response | None]]] = [
            (f"GET /api/public/v1/workspaces/{WORKSPACE}", lambda request, sent: json_response({"name": "stand-in"})),
            ("POST /api/v1/connections/get", self._connection),
            (f"GET /api/public/v1/sources/{SOURCE}", lambda request, sent: json_response(self.source)),
            (f"PATCH /api/public/v1/sources/{SOURCE}", self._configure),
            (f"GET /api/public/v1/destinations/{DESTINATION}", lambda request, sent: json_response(self.destination)),
            ("POST /api/public/v1/jobs", self._new_job),
            ("GET /api/public/v1/jobs", self._jobs),
            ("POST /api/v1/jobs/get", self._attempts),
            (r"(GET|DELETE) /api/public/v1/jobs/\d+", self._job),
            (rf"\w+ /.*/({'|'.join(IDENTITIES)})(/.*)?", self._object),
        ]
        what = f"{request.method} {request.path}"
        matching = (route(request, sent) for pattern, route in routes if re.fullmatch(pattern, what))
        found = next((response for response in matching if response is not None), None)
        return found or json_response({"title": "not-found", "detail": f"there is no {what}"}, 404)

    def _token(self, sent: dict[str, Any]) -> Response:
        if sent != {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}:
            return json_response({"message": "Invalid client"}, 401)
        self.tokens.append(f"token-{len(self.tokens)}-of-the-stand-in/airbyte")
        return json_response({"access_token": self.tokens[-1]})

    def _configure(self, request: Request, sent: dict[str, Any]) -> Response:
        """Airbyte keeps the fields that are not sent."""
        self.source["configuration"] |= sent["configuration"]
        return json_response(self.source)

    def _connection(self, request: Request, sent: dict[str, Any]) -> Response:
        if sent["connectionId"] != CONNECTION:
            return json_response({"title": "not-found", "detail": f"there is no {sent['connectionId']}"}, 404)
        return json_response(self.connection)

    def _new_job(self, request: Request, sent: dict[str, Any]) -> Response | None:
        if sent["connectionId"] != CONNECTION:
            return None
        if any(job.status == "running" for job in self.jobs):
            return json_response({"title": "try-again-later", "detail": "A sync is already running"}, 409)
        return json_response(self.start().details())

    def _jobs(self, request: Request, sent: dict[str, Any]) -> Response:
        return json_response({"data": [job.details() for job in reversed(self.jobs)]})

    def _attempts(self, request: Request, sent: dict[str, Any]) -> Response:
        (job,) = [job for job in self.jobs if job.job_id == sent["id"]]
        return json_response({"job": {"id": job.job_id}, "attempts": [{"attempt": job.attempt(), "logs": {}}]})

    def _job(self, request: Request, sent: dict[str, Any]) -> Response | None:
        job = next((job for job in self.jobs if str(job.job_id) == request.path.rpartition("/")[2]), None)
        if job is None:
            return None
        if request.method == "DELETE":
            job.status = "cancelled"
        elif self.statuses:
            job.status = self.statuses.pop(0)
        return json_response(job.details())

    def _object(self, request: Request, sent: dict[str, Any]) -> Response:
        """An object of Airbyte's, created or changed by `vp deploy airbyte`."""
        kind, identity = next((k, name) for k, name in IDENTITIES.items() if f"/{k}" in request.path)
        there = self.made.setdefault(kind, [])
        if request.method == "GET":
            return json_response({"data": there})
        if request.method == "POST":
            there.append({identity: f"{kind}-{len(there)}", **sent})
            return json_response(there[-1])
        if kind == "declarative_sources" and set(sent) != {"manifest"}:
            return json_response({"title": "bad-request", "detail": "unknown fields beside manifest"}, 400)
        (found,) = [item for item in there if item[identity] == request.path.rpartition("/")[2]]
        found.update(sent)
        return json_response(found)


def json_response(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


@contextmanager
def airbyte_stand_in(lake_url: str, work: Work) -> Iterator[AirbyteStandIn]:
    server = AirbyteStandIn(lake_url, work)
    try:
        yield server
    finally:
        server.close()
