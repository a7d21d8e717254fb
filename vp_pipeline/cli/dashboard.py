"""`vp dashboard`: serves the dashboard on this machine, until Ctrl-C."""

from typing import Annotated

import typer


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 lets others in.")] = "127.0.0.1",
) -> None:
    """Serve the dashboard on what is published, until Ctrl-C. It has no sign-in: whoever reaches the port reads it."""
    from vp_pipeline.dashboard.serve import serve

    serve(port, address)
