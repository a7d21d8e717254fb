"""A small API of pages, a connector of it, and what a sync of it landed."""

import gzip
import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from vp_pipeline.airbyte.connector_runner import AirbyteConnection
from vp_pipeline.lake.objects import Lake

KEY = "pass wörd/with+odd&signs=100%"
MANIFEST = """
version: 7.39.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [page]}
streams:
  - type: DeclarativeStream
    name: page
    retriever:
      type: SimpleRetriever
      partition_router: {type: ListPartitionRouter, cursor_field: page, values: "{{ config['pages'] }}"}
      requester:
        type: HttpRequester
        url: "{{ config['base_url'] }}/page"
        request_parameters: {page: "{{ stream_partition['page'] }}"}
        authenticator:
          type: ApiKeyAuthenticator
          api_token: "{{ config['api_key'] }}"
          inject_into: {type: RequestOption, inject_into: request_parameter, field_name: key}
        error_handler: {type: DefaultErrorHandler, max_retries: 0}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
    schema_loader: {type: InlineSchemaLoader, schema: {type: object, properties: {text: {type: string}}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [api_key, pages, base_url]
    properties: {api_key: {type: string, airbyte_secret: true}, pages: {type: array}, base_url: {type: string}}
"""


class Pages(ThreadingHTTPServer):
    """Responds to `/page?page=X` with `responses[X]` (a status and a body), or with a record of its own."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.responses: dict[str, tuple[int, bytes]] = {}
        self.requested: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        (page,) = parse_qs(urlsplit(self.path).query)["page"]
        self.server.requested.append(page)
        status, body = self.server.responses.get(page, (200, json.dumps({"page": page}).encode()))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def requesting(connection: AirbyteConnection, *names: str, **config: object) -> AirbyteConnection:
    return replace(connection, config={**connection.config, "pages": list(names), **config})


def lines(lake: Lake, path: str) -> list[bytes]:
    return gzip.decompress(lake.read(path)).splitlines()


def everything(lake: Lake) -> list[Path]:
    return [p for p in Path(lake.location("")).rglob("*") if p.is_file()]
