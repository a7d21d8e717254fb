"""Serves the stand-in services on one loopback port: `/slack/api/`, `/power_bi/`, `/login/`, `/export/`.

Faults are planned in Python (`services.faults["slack"].plan(...)`) or over HTTP:

    curl -X POST URL/_faults -d '{"service": "slack", "status": 429, "retry_after": 2, "times": 3}'

and what the services received is at `/_messages`, for people who try things by hand.
"""

import dataclasses
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

from vp_pipeline.sandbox.services.export_endpoint import ExportStandIn
from vp_pipeline.sandbox.services.power_bi import PowerBiStandIn
from vp_pipeline.sandbox.services.service import Fault, Faults, Reply, Request, Service
from vp_pipeline.sandbox.services.slack import SlackStandIn

HOST = "127.0.0.1"


class Services:
    """The stand-ins, served inside `with`. `seen` are the services that took a request, in order, with its path.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self.slack, self.power_bi, self.export = SlackStandIn(), PowerBiStandIn(), ExportStandIn()
        self.faults = {name: Faults() for name in ("slack", "power_bi", "login", "export")}
        self.seen: list[tuple[str, str]] = []
        self._server = _Server((HOST, port), self)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def variables(self) -> dict[str, str]:
        """The environment of a pipeline that delivers to these stand-ins."""
        return {
            "VP_SLACK_TOKEN": self.slack.token,
            "VP_SLACK_CHANNEL": "C0SANDBOX",
            "VP_SLACK_API_URL": f"{self.url}/slack/api/",
            "VP_POWER_BI_TENANT_ID": "tenant",
            "VP_POWER_BI_CLIENT_ID": self.power_bi.client_id,
            "VP_POWER_BI_CLIENT_SECRET": self.power_bi.client_secret,
            "VP_POWER_BI_WORKSPACE_ID": "workspace",
            "VP_POWER_BI_DATASET_ID": "dataset",
            "VP_POWER_BI_API_URL": f"{self.url}/power_bi/v1.0/myorg",
            "VP_POWER_BI_LOGIN_URL": f"{self.url}/login",
            "VP_EXPORT_URL": f"{self.url}/export/rows",
        }

    def respond(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Reply | None:
        """The reply to a request; None: the connection closes without one."""
        parts = urlsplit(target)
        name, path = _service_of(parts.path)
        if name == "_faults":
            return self._plan(orjson.loads(content or b"{}"))
        if name == "_messages":
            return Reply(200, {"slack": self.slack.messages, "export": self.export.batches})
        if name not in self.faults:
            return Reply(404, {"error": f"there is no {parts.path} here"})
        service: Service = {"slack": self.slack, "export": self.export}.get(name, self.power_bi)  # type: ignore[assignment]
        request = Request(method, path, dict(parse_qsl(parts.query)), headers, _decoded(headers, content))
        fault = self.faults[name].take(path)
        if fault is None or fault.acts or fault.status is None:
            self.seen.append((name, path))
            reply = service.respond(request)
        else:
            reply = Reply(fault.status, {"error": "a planned fault of the sandbox"})
        if fault is None:
            return reply
        time.sleep(fault.seconds)
        if fault.status == 0:
            return None
        if fault.status is not None:
            after = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            reply = Reply(fault.status, {"ok": False, "error": "a planned fault of the sandbox"}, after)
        return reply

    def _plan(self, plan: dict[str, Any]) -> Reply:
        faults = self.faults.get(plan.pop("service", ""))
        times = plan.pop("times", 1)
        if faults is None or set(plan) - {f.name for f in dataclasses.fields(Fault)}:
            return Reply(400, {"error": f"name a service of {', '.join(self.faults)} and fields of Fault"})
        faults.plan(Fault(**plan), times)
        return Reply(200, {"planned": times})

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="sandbox services", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], services: Services) -> None:
        self.services = services
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not logged."""


class _Handler(BaseHTTPRequestHandler):
    server_version = "Sandbox"
    sys_version = ""
    server: _Server

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.services.respond(self.command, self.path, headers, content)
        if reply is None:
            return
        body = b"" if reply.body is None else orjson.dumps(reply.body)
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value.encode("ascii", "ignore").decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


def _service_of(path: str) -> tuple[str, str]:
    """The service that a path belongs to, and the path as the service knows it."""
    name, _, rest = path.lstrip("/").partition("/")
    return (name, "/" + rest.removeprefix("api/")) if name == "slack" else (name, "/" + rest)


def _decoded(headers: Mapping[str, str], content: bytes) -> Any:
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(content.decode()))
    try:
        return orjson.loads(content) if content else None
    except orjson.JSONDecodeError:
        return None
