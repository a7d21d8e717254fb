"""`vp sandbox`: the stand-ins of every API, served on loopback."""

import socket
import time
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from vp_pipeline.cli.terminal import console
from vp_pipeline.cli.terminal.options import Recordings, recorded
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import load_settings
from vp_pipeline.sources.registry import SOURCES
from vp_pipeline.sources.source import airbyte_sources

if TYPE_CHECKING:
    from vp_pipeline.sandbox.services.server import Services


def sandbox(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8099,
    recordings: Recordings = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the histories. Default: VP_SANDBOX_SEED.")] = None,
) -> None:
    """Serve the stand-ins on loopback until Ctrl-C: the APIs that are ingested, and (one port above) Slack, Power BI
    and an endpoint for exports."""
    from vp_pipeline.sandbox.api import build_api
    from vp_pipeline.sandbox.server import Sandbox
    from vp_pipeline.sandbox.services.server import Services

    for wanted in (port, port + 1) if port else ():
        require_free(wanted)
    settings = load_settings(**recorded(recordings), sandbox_seed=seed)
    apis = {
        source.name: build_api(source.name, settings.of(source).recordings, settings.sandbox_seed)
        for source in airbyte_sources(SOURCES)
    }
    with Sandbox(apis, port) as server, Services(port + 1 if port else 0) as services:
        for name, api in apis.items():
            console.print(f"The stand-in of {name} listens at {server.base_url(name)}. Ctrl-C ends it.", soft_wrap=True)
            console.print(f"Try:  curl '{server.base_url(name)}{api.example}'", soft_wrap=True)
            as_of = server.base_url(name, date(2026, 1, 31))
            console.print(f"As of the end of a day:  {as_of}{api.example.partition('?')[0]}?…", soft_wrap=True)
        _print_services(services)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Stopped.")


def require_free(port: int) -> None:
    """Raises PermanentError: another process listens on a port of 127.0.0.1."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "there is no such port"
            raise PermanentError(
                f"Port {port} of 127.0.0.1 cannot be used: {reason}. Another `vp sandbox` may be running; take another "
                "port (`--port 8199`), or a free one (`--port 0`). It needs the port above it too."
            ) from None


def _print_services(services: "Services") -> None:
    console.print(f"\nSlack, Power BI and an export endpoint listen at {services.url}. To deliver to them:")
    for name, value in services.variables().items():
        console.print(f"  export {name}={value}", soft_wrap=True)
    console.print(f"What they received:  curl {services.url}/_messages")
    fault = '{"service": "slack", "status": 429, "retry_after": 5, "times": 3}'
    console.print(f"Let one fail:  curl -X POST {services.url}/_faults -d '{fault}'", soft_wrap=True, markup=False)
