"""An Amazon that responds with a script, on a real socket: what the sandbox never sends."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

TOKEN = "Atza|an-access-token"


class ScriptedAmazon(ThreadingHTTPServer):
    """Responds with `script`, one (status, body, headers) per request for orders, then with an empty page of the
    request's API; keeps requests and times. Logins are in `logins`, and get `login`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[tuple[int, object, dict[str, str]]] = []
        self.login: list[tuple[int, object]] = []
        self.requests: list[tuple[str, dict[str, str], str | None]] = []
        self.logins: list[dict[str, str]] = []
        self.times: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def will(self, *bodies: object) -> None:
        self.script += [(200, body, {}) for body in bodies]


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedAmazon

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.logins.append(dict(parse_qsl(content)))
        status, body = self.server.login.pop(0) if self.server.login else (200, {"access_token": TOKEN})
        self._send(status, body, {})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        self.server.times.append(time.monotonic())
        self.server.requests.append((url.path, query, self.headers.get("x-amz-access-token")))
        empty = {"payload": {"Orders": []}} if "/v0/" in url.path else {"orders": []}
        self._send(*(self.server.script.pop(0) if self.server.script else (200, empty, {})))

    def _send(self, status: int, body: object, headers: dict[str, str]) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass
