"""An API that responds with a script, on a real socket: what a sandbox never sends."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from vp_pipeline.airbyte.connector_runner import SyncJob
from vp_pipeline.lake.objects import Lake

AnyServer = TypeVar("AnyServer", bound=ThreadingHTTPServer)


class ScriptedApi(ThreadingHTTPServer):
    """Responds with `script`, one (status, body) per request, then with what `otherwise` makes of the parameters; keeps
    requests and times."""

    daemon_threads = True

    def __init__(self, otherwise: Callable[[dict[str, str]], object]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.otherwise = otherwise
        self.script: list[tuple[int, object]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.times: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedApi

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        self.server.times.append(time.monotonic())
        self.server.requests.append((url.path, query))
        status, body = self.server.script.pop(0) if self.server.script else (200, self.server.otherwise(query))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(server: AnyServer) -> Iterator[AnyServer]:
    """The server, until the end of the block."""
    with server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def records(folder: Path, job: SyncJob) -> list[dict[str, Any]]:
    """What a sync landed, without Airbyte's envelope."""
    lines = [line for path in job.objects for line in gzip.decompress(Lake(folder).read(path)).splitlines()]
    return [json.loads(line)["_airbyte_data"] for line in lines]
