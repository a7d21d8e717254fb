"""Serving the dashboard in this process, with everything imported before the first reader comes.

Here: Streamlit's options. Not here: what is served (`app.py`).
"""

import sys
from pathlib import Path

from vp_pipeline.dashboard import app as app  # imports what its pages need, so that no reader waits for it
from vp_pipeline.dashboard.queries import governed
from vp_pipeline.dashboard.reading import Reader
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.settings import load_settings

OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",  # nothing is reported to its maker
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "theme.primaryColor": "#0072B2",
}


def warm() -> None:
    """What the first page would wait for.

    Raises:
        PermanentError: a setting cannot be used, or dbt cannot parse the project.
    """
    settings = load_settings()
    marts = build_environment(settings).build_published_marts()
    metrics, publication = governed.metrics_of(settings, marts), marts.current()
    if publication is not None and publication.days:
        governed.headlines(Reader(marts, publication), metrics, publication.days[-1])


def serve(port: int, address: str) -> None:
    """Serves until Ctrl-C."""
    from streamlit.web.cli import main

    warm()
    options = {**OPTIONS, "server.port": f"{port}", "server.address": address}
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *given]
    main()
