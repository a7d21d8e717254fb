"""The connector runtime leaves the logging of the process unchanged, and no secret leaves it."""

import gzip
import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.lake.objects import Lake
from vp_pipeline_tests.airbyte.pages import KEY, Pages, everything, requesting

# For the authors of connectors; raised when the runtime is imported.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This class is experimental")]


@pytest.mark.parametrize("case", ["fine", "echoed", "refused", "server", "unreachable", "checked", "invalid"])
def test_no_secret_anywhere(
    case: str,
    lake: Lake,
    connection: AirbyteConnection,
    pages: Pages,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    output: list[str] = []
    echo = json.dumps({"error": f"no such key: {KEY} {quote(KEY)} {quote_plus(KEY)} {quote(KEY, safe='').lower()}"})
    pages.responses = {"echoed": (400, echo.encode()), "refused": (403, echo.encode()), "server": (500, echo.encode())}
    config: dict[str, object] = {"base_url": "http://127.0.0.1:1"} if case in ("unreachable", "checked") else {}
    if case == "invalid":
        config = {"api_key": [KEY]}
    requested = requesting(connection, case, **config)
    airbyte = ConnectorRunner(lake, log=output.append)
    try:
        if case == "checked":
            airbyte.check(requested)
        output += [repr(airbyte.sync(requested))]
    except (PermanentError, TransientError) as error:
        output += [str(error), repr(error), "".join(traceback.format_exception(error))]
        chained: BaseException | None = error
        while chained is not None:
            output += [repr(chained), *map(repr, chained.__dict__.values())]
            chained = chained.__cause__ or chained.__context__
        output += ["failed"]
    assert ("failed" in output) == (case != "fine")
    output += [repr(requested), caplog.text, *(repr(record.__dict__) for record in caplog.records), *capfd.readouterr()]
    output += [gzip.decompress(path.read_bytes()).decode() for path in everything(lake)]
    everything_written = "\n".join(output).lower()
    for spelling in (KEY, quote(KEY), quote_plus(KEY), json.dumps(KEY)[1:-1], "rd/with", "rd%2fwith"):
        assert spelling.lower() not in everything_written


def test_the_process_keeps_its_logging_and_its_hooks(lake: Lake, connection: AirbyteConnection, tmp_path: Path) -> None:
    """In a fresh process: the runtime is imported late, off the main thread, and changes nothing for others."""
    program = f"""
import logging, signal, sys, threading
logging.basicConfig(filename={str(tmp_path / "log")!r}, level=logging.DEBUG, format="%(name)s %(message)s")
def state():
    root = logging.getLogger()
    return (root.level, list(root.handlers), list(root.filters), sys.excepthook, threading.excepthook,
            [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)], sys.stdout, sys.stderr,
            logging.getLogger("theirs").handlers, logging.config.dictConfig, threading.active_count())
import logging.config
from vp_pipeline.airbyte.connector_runner import AirbyteConnection, ConnectorRunner
from vp_pipeline.lake.objects import Lake
from pathlib import Path
assert not any(name.startswith(("airbyte_cdk", "dagster")) for name in sys.modules)
theirs = logging.StreamHandler(sys.stderr)
logging.getLogger("theirs").addHandler(theirs)
before = state()
manifest = Path({str(connection.manifest)!r})
connection = AirbyteConnection("library", "page", manifest, {dict(connection.config)!r}, ({KEY!r},))
jobs = []
airbyte = ConnectorRunner(Lake(Path({lake.location("")!r})))
thread = threading.Thread(target=lambda: jobs.append(airbyte.sync(connection)))
thread.start(); thread.join()
assert state() == before
assert jobs[0].records == 1
logging.getLogger("theirs").warning("still logged")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "still logged\n")
    log = (tmp_path / "log").read_text()
    assert "theirs still logged" in log
    assert "airbyte" not in log
    assert quote_plus(KEY) not in log
