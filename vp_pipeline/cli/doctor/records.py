"""Dagster's records: whether they can be read and written, the daemon, the schedules and sensors.

Here: the instance by itself. Not here: its records against the data (`days.py`).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

import dagster as dg

from vp_pipeline.cli.doctor.finding import Finding, off, ok, wrong
from vp_pipeline.settings import PROJECT_ROOT, Settings

# The one that is meant to be on in production; the others are a matter of taste.
_DAILY = "daily_pipeline_schedule"


def home(environ: Mapping[str, str]) -> Path:
    """The folder of Dagster's records."""
    return Path(environ.get("DAGSTER_HOME") or PROJECT_ROOT / ".dagster")


def storage_failure(folder: Path, error: Exception) -> Finding:
    """Why the records cannot be opened."""
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
    if not folder.is_dir() and not folder.exists():
        return wrong(
            "Dagster's records", f"there is no folder {folder} (DAGSTER_HOME)", f"mkdir -p {quote(str(folder))}"
        )
    return wrong(
        "Dagster's records",
        f"{folder} cannot be read: {reason}. Restore it from a backup, or move it away: the runs so far are not listed "
        "any more then",
        f"mv {quote(str(folder / 'storage'))} {quote(str(folder / 'storage.aside'))}",
    )


def storage(instance: dg.DagsterInstance, folder: Path) -> Iterator[Finding]:
    """Reads a run, and writes a value and removes it again."""
    runs = instance.get_runs_count()
    instance.run_storage.set_cursor_values({"vp_doctor": "probe"})
    kept = instance.run_storage.get_cursor_values({"vp_doctor"})
    if kept.get("vp_doctor") != "probe":
        yield wrong("Dagster's records", f"what was written to {folder} is not there", "dagster instance migrate")
    else:
        yield ok("Dagster's records", f"{folder}: {runs} runs")


def daemon(instance: dg.DagsterInstance, settings: Settings) -> Iterator[Finding]:
    """Whether schedules and sensors are looked at at all."""
    statuses = instance.get_daemon_statuses().values()
    asleep = sorted(status.daemon_type.lower() for status in statuses if status.required and not status.healthy)
    start = "make dev" if settings.env == "local" else "dagster-daemon run"
    if not asleep:
        yield ok("daemon", "it is alive")
    elif len(asleep) == sum(status.required for status in statuses):
        text = "none is running, so no schedule and no sensor starts anything"
        yield (
            off("daemon", f"{text}: `{start}` starts one") if settings.env == "local" else wrong("daemon", text, start)
        )
    else:
        yield wrong("daemon", f"it gives no sign of life of {', '.join(asleep)}", f"{start} # after ending the old one")


def schedules(instance: dg.DagsterInstance, settings: Settings) -> Iterator[Finding]:
    """Those that were switched on; the daily one is expected to be on in production."""
    on = sorted(state.instigator_name for state in instance.all_instigator_state() if state.status.name == "RUNNING")
    command = f"dagster schedule start {_DAILY}"
    if on:
        yield ok("automation", f"on: {', '.join(on)}")
    if _DAILY in on:
        return
    text = f"{_DAILY} is off: days are run by hand"
    if settings.env == "production":
        yield wrong("daily schedule", text, command)
    else:
        yield off("daily schedule", f"{text} (`{command}` switches it on)")


def home_is_set(settings: Settings, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """In production the records are the deployment's, not a folder of this machine."""
    if settings.env == "production" and not environ.get("DAGSTER_HOME"):
        yield wrong(
            "DAGSTER_HOME",
            "it is not set, so the deployment's records would be a folder of this machine",
            "export DAGSTER_HOME=<a folder with the deployment's dagster.yaml>",
        )
