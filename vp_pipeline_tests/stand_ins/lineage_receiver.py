"""A receiver of OpenLineage events on a socket: takes what the specification's own classes take, and nothing else.

Each event is read into the classes that openlineage-python generates from the specification: a field that is missing,
unknown or of another type is refused, as are a run id that is no UUID, a time without a zone, and a facet that is not
what its name says.
"""

import json
import types
import typing
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attr
from openlineage.client.event_v2 import RunEvent
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    error_message_run,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)

FACETS: dict[str, type] = {
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "nominalTime": nominal_time_run.NominalTimeRunFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "parent": parent_run.ParentRunFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
}


class LineageReceiver(ThreadingHTTPServer):
    """`events` are those that were taken; `script`: the statuses of the next requests, which take nothing."""

    daemon_threads = True

    def __init__(self, token: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.events: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.script: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v1/lineage"


class _Handler(BaseHTTPRequestHandler):
    server: LineageReceiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.script.pop(0) if self.server.script else self._status(body)
        if status == 201:
            self.server.events.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self, body: dict[str, Any]) -> int:
        if self.server.token is not None and self.headers["Authorization"] != f"Bearer {self.server.token}":
            return 401
        try:
            read(RunEvent, body, "event")
            assert datetime.fromisoformat(body["eventTime"]).tzinfo is not None
        except (AssertionError, TypeError, ValueError) as error:
            self.server.refused.append(str(error))
            return 400
        return 201

    def log_message(self, format: str, *args: object) -> None:
        pass


def read(kind: Any, value: Any, where: str) -> Any:
    """The value as `kind`, a class of the specification or a type of one of its fields."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return (
            None if value is None else read(next(k for k in typing.get_args(kind) if k is not type(None)), value, where)
        )
    if origin is list:
        assert isinstance(value, list), where
        return [read(typing.get_args(kind)[0], item, f"{where}[{number}]") for number, item in enumerate(value)]
    if origin is dict:
        assert isinstance(value, dict), where
        of_items = typing.get_args(kind)[1]
        facets = of_items.__name__.endswith("Facet")
        return {n: read(FACETS[n] if facets else of_items, item, f"{where}.{n}") for n, item in value.items()}
    if attr.has(kind):
        return _read_class(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    assert type(value) is kind, f"{where} is {value!r}"
    return value


def _read_class(kind: Any, value: Any, where: str) -> Any:
    assert isinstance(value, dict), where
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    assert value.keys() <= fields.keys(), f"{where} has {sorted(value.keys() - fields.keys())}"
    read_fields = {name: read(hints[name], item, f"{where}.{name}") for name, item in value.items()}
    made: Callable[..., Any] = kind
    found = made(**{fields[name].alias: item for name, item in read_fields.items() if fields[name].init})
    for name, field in fields.items():
        if not field.init:  # the address of its schema, which every class has
            assert value[name] == getattr(found, name), f"{where}.{name}"
    return found
