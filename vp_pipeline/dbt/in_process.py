"""dbt in this process: parsing the project, and one command whose events dagster-dbt reads as those of a subprocess.

Here: every use of dbt's own Python (dbt-core, its adapters), whose interfaces are not promised: the thread that a
command runs in, its events, its end. Not here: which commands (`invocation.py`), and what Dagster records of them
(`assets/dbt/`).

Starting Python and importing dbt costs a process three seconds a command. In this process it is paid once, a killed run
leaves no dbt behind that is still writing, and no second process holds the warehouse's file.
"""

import os
import queue
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from vp_pipeline.dagster_internals.dbt_invocation import DbtCliInvocation
from vp_pipeline.data_folder import RUN_RESULTS
from vp_pipeline.failures import PermanentError

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

# dbt keeps flags, adapters and connections for the process as a whole: one command at a time.
_ONE_AT_A_TIME = threading.Lock()
_THE_END = None


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> BaseException | None:
    """Runs `dbt parse`; the error where it failed."""
    from dbt.cli.main import dbtRunner

    with alone(environment):
        result = dbtRunner().invoke(["--quiet", "parse", *arguments])
    return None if result.success else result.exception or RuntimeError("dbt gives no reason")


def executed(arguments: Sequence[str], environment: Mapping[str, str]) -> list[Any]:
    """Runs a command that is not of a run of the pipeline; its results, a node each."""
    from dbt.cli.main import dbtRunner

    with alone(environment):
        result = dbtRunner().invoke(list(arguments))
    assert result.success, result.exception or result.result
    return list(result.result.results)  # type: ignore[union-attr]


@contextmanager
def alone(environment: Mapping[str, str]) -> Iterator[None]:
    """The block has dbt for itself, with these variables; afterwards they are as before: secrets may be among them."""
    with _ONE_AT_A_TIME:
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


class DbtThread:
    """A dbt command on a thread of its own; it starts at once.

    It has the parts of `subprocess.Popen` that `DbtCliInvocation` uses: `args`, `returncode` and `wait`.
    `target` is the folder of its artefacts, `project` the parsed project (`partial_parse.msgpack`), `environment` what
    its `env_var` calls see on top of this process's own, while it runs.
    """

    def __init__(self, args: Sequence[str], target: Path, project: Path, environment: Mapping[str, str]) -> None:
        self.args = list(args)
        self.returncode: int | None = None
        self._target = target
        self._project = project
        self._environment = dict(environment)
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._all_read = False  # the thread may live a little longer than its events
        self._thread = threading.Thread(target=self._run, name="dbt", daemon=True)
        self._thread.start()

    def events(self) -> Iterator[dict[str, Any]]:
        """dbt's structured events of level info and above as they happen, each once."""
        while not self._all_read:
            event = self._events.get()
            if event is _THE_END:
                self._all_read = True
                return
            yield event

    def wait(self) -> int:
        """Waits for the end: 0 where everything succeeded, as dbt's exit code."""
        self._thread.join()
        assert self.returncode is not None
        return self.returncode

    def cancel(self) -> None:
        """Interrupts the statements that are running, and waits until dbt has given up."""
        for adapter in _adapters():
            adapter.cancel_open_connections()
        self._thread.join()

    def _run(self) -> None:
        self.returncode = 2  # what dbt calls an unhandled error
        try:
            with alone(self._environment):
                result = self._invoke()
            self.returncode = 0 if result.success else 1
            if result.exception is not None:
                self._events.put(_as_event(result.exception))
        except Exception as error:
            self._events.put(_as_event(error))
        finally:
            self._events.put(_THE_END)

    def _invoke(self) -> "dbtRunnerResult":
        from dbt.cli.main import dbtRunner
        from dbt_common.events.functions import reset_metadata_vars

        # dbt keeps the variables of the first command of a process: its run, and what it restates.
        reset_metadata_vars()
        folders = ["--target-path", os.fspath(self._target), "--log-path", os.fspath(self._target)]
        # The manifest and the graph are written by the code location; here it would cost a second per command.
        quietly = ["--log-level", "none", "--log-level-file", "info", "--no-write-json"]
        try:
            manifest = _read_project(self._project, self._project.stat().st_mtime_ns)
            result = dbtRunner(manifest, callbacks=[self._take]).invoke([*quietly, *self.args, *folders])
            if result.result is not None and hasattr(result.result, "write"):
                result.result.write(os.fspath(self._target / RUN_RESULTS))
            return result
        finally:
            reset_metadata_vars()
            _release_warehouse()

    def _take(self, event: Any) -> None:
        from dbt_common.events.functions import msg_to_dict

        if event.info.level != "debug":
            self._events.put(msg_to_dict(event))


class InProcessInvocation(DbtCliInvocation):
    """dagster-dbt's invocation over a `DbtThread`, or a command with its parts: it makes Dagster's events of dbt's as
    for a process."""

    @property
    def errors(self) -> Sequence[str]:
        """The messages of dbt's errors, so far."""
        return self._error_messages

    def _stream_stdout(self) -> Iterator[str | dict[str, Any]]:
        thread: Any = self.process  # a `DbtThread`, or what has its parts
        try:
            for event in thread.events():
                if event["info"]["level"] == "error":
                    self._error_messages.append(event["info"]["msg"])
                yield event
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            thread.cancel()
            raise


def _as_event(error: BaseException) -> dict[str, Any]:
    """An error that dbt has no event for, in the shape of an event."""
    info = {"name": "UnhandledError", "level": "error", "msg": str(error) or type(error).__name__}
    return {"info": info, "data": {}}


@lru_cache(maxsize=1)
def _read_project(path: Path, changed: int) -> "Manifest":
    """The parsed project. `changed` is part of the key: a project that was parsed again is read again."""
    from dbt.contracts.graph.manifest import Manifest

    try:
        manifest = Manifest.from_msgpack(path.read_bytes())
    except Exception as error:  # of msgpack, mashumaro or the operating system, whichever notices first
        raise PermanentError(
            f"{path} cannot be read as the parsed dbt project ({type(error).__name__}). Remove the folder "
            f"{path.parent.parent}: the next command parses the project again."
        ) from None
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def _release_warehouse() -> None:
    """Closes the warehouse, and drops the credentials. dbt's DuckDB adapter would hold the file until this process
    ends."""
    from dbt.adapters.factory import FACTORY

    for adapter in _adapters():
        adapter.cleanup_connections()
    FACTORY.reset_adapters()  # type: ignore[no-untyped-call]
    connections = sys.modules.get("dbt.adapters.duckdb.connections")
    if connections is None:  # no command of this process was on DuckDB
        return
    manager: Any = connections.DuckDBConnectionManager
    if manager._ENV is not None:
        manager._ENV.close()
        manager._ENV = None


def _adapters() -> list[Any]:
    from dbt.adapters.factory import FACTORY

    return list(FACTORY.adapters.values())
