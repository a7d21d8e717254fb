"""The dbt commands of a diff: which models a selection means, and building them on the copy.

Here: both commands and their failures. Not here: dbt itself (`dbt/`), and which models differ (`plan.py`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vp_pipeline.dbt.fingerprints import ModelCode
from vp_pipeline.dbt.invocation import build_dbt
from vp_pipeline.dbt.project import manifest_path
from vp_pipeline.dbt.results import results
from vp_pipeline.failures import PermanentError
from vp_pipeline.settings import Settings

_RUN_ID = "diff"
_FAILURES_NAMED = 5
_MODELS = ("--resource-type", "model", "--resource-type", "seed")


def with_descendants(names: Sequence[str], code: Mapping[str, ModelCode]) -> list[str]:
    """These models and everything below them, parents first."""
    found: set[str] = set()
    for name, model in code.items():
        if name in names or found.intersection(model.parents):
            found.add(name)
    return [name for name in code if name in found]


def selected(scratch: Settings, select: str) -> list[str]:
    """The models and seeds that a selection in dbt's syntax means.

    Raises:
        PermanentError: it selects no model, or is not a valid selection.
    """
    events, _ = _run(scratch, ["ls", "--select", *select.split(), "--output", "name", *_MODELS], {})
    names = [event["info"]["msg"] for event in events if event["info"]["name"] == "PrintEvent"]
    if not names:
        errors = [event["info"]["msg"] for event in events if event["info"]["level"] == "error"]
        reason = f" ({' '.join(errors[0].split())})" if errors else ""
        raise PermanentError(
            f"--select {select} selects no model{reason}. Names and tags are those of the dbt project."
        )
    return names


def build(scratch: Settings, models: Mapping[str, str]) -> None:
    """Builds `models` (name → fingerprint) as a whole, without tests: what is red in CI may be looked at here.

    Raises:
        PermanentError: dbt cannot build one of them.
    """
    events, succeeded = _run(scratch, ["build", "--select", *models, *_MODELS], models)
    if succeeded:
        return
    reasons = [str(result) for result in results(_target(scratch)) if result.failed]
    reasons = reasons or [event["info"]["msg"] for event in events if event["info"]["level"] == "error"]
    listed = "\n".join(f"  {reason}" for reason in reasons[:_FAILURES_NAMED])
    raise PermanentError(f"dbt cannot build the changed models, so there is nothing to compare:\n{listed}")


def _run(scratch: Settings, command: Sequence[str], restate: Mapping[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """The events of a command, and whether it succeeded. An interrupt ends dbt before it is raised again."""
    _target(scratch).mkdir(exist_ok=True)
    manifest_path(scratch)  # the copy may be another database, for which the project is parsed on its own
    thread = build_dbt(scratch).start(command, _target(scratch), _RUN_ID, restate)
    try:
        return list(thread.events()), thread.wait() == 0
    except BaseException:
        thread.cancel()
        raise


def _target(scratch: Settings) -> Path:
    return scratch.dbt_dir
