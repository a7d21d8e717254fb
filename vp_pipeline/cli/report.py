"""What `vp run` prints: progress while a run executes, and a report at its end.

Here: text and tables from Dagster events. Not here: running anything (`run.py`, `local_runs/`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import dagster as dg
from rich.text import Text

from vp_pipeline.assets.keys import DBT_LAYERS, LAYERS
from vp_pipeline.assets.metadata import RESTATED
from vp_pipeline.automation.failure_reason import failure_reason, innermost_cause, why_not_built
from vp_pipeline.cli.terminal.tables import Column
from vp_pipeline.planning.plan import READS

_NAMED = 5
_DURATION = "Execution Duration"  # dagster-dbt's name for a model's seconds


@dataclass
class Layer:
    """What happened in one layer: rows by (asset, day), checks, and seconds by its steps or models."""

    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    passed: int = 0
    warned: int = 0
    failed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass
class RunReport:
    """Collects a run's events by layer, and the reasons if it failed."""

    layers: defaultdict[str, Layer] = field(default_factory=lambda: defaultdict(Layer))
    reasons: list[str] = field(default_factory=list)
    succeeded: bool = False
    restated: dict[str, str] = field(default_factory=dict)
    _layer_of_step: dict[str, str] = field(default_factory=dict)
    _warnings: set[str] = field(default_factory=set)

    def take(self, event: dg.DagsterEvent) -> str | None:
        """Counts one event; returns a line of progress when it is worth one."""
        match event.event_type:
            case dg.DagsterEventType.ASSET_MATERIALIZATION:
                self._materialized(event)
            case dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                return self._checked(event)
            case dg.DagsterEventType.ASSET_OBSERVATION:
                return self._observed(event)
            case dg.DagsterEventType.RUN_SUCCESS:
                self.succeeded = True
        return self._step(event)

    def _step(self, event: dg.DagsterEvent) -> str | None:
        match event.event_type:
            case dg.DagsterEventType.STEP_START:
                return f"[dim]{event.step_key} …[/dim]"
            case dg.DagsterEventType.STEP_SUCCESS:
                return self._finished(event)
            case dg.DagsterEventType.STEP_UP_FOR_RETRY:
                error = event.step_retry_data.error
                return f"[yellow]{event.step_key}: trying again. {innermost_cause(error) if error else ''}[/yellow]"
            case dg.DagsterEventType.STEP_FAILURE:
                self.reasons.append(failure_reason(event))
                return f"[red]✗ {event.step_key}[/red]"
        return None

    def rows(self, days: str, run_id: str) -> list[Sequence[object]]:
        """What happened in each layer, as COLUMNS has it."""
        return [
            (
                days,
                run_id,
                name,
                len({asset for asset, _ in layer.rows}),
                sum(layer.rows.values()),
                layer.passed,
                layer.warned,
                layer.failed,
                round(sum(layer.seconds.values()), 3),
            )
            for name, layer in ((name, self.layers[name]) for name in LAYERS if name in self.layers)
        ]

    def restated_models(self) -> str | None:
        """The models that were built as a whole because their code has changed, and why; a line."""
        if not self.restated:
            return None
        by_reason: dict[str, list[str]] = {}
        for name, why in self.restated.items():
            by_reason.setdefault("below them" if why.startswith(READS) else why, []).append(name)
        below = by_reason.pop("below them", [])
        groups = [f"{_named(names)} ({why})" for why, names in by_reason.items()]
        listed = ", ".join([*groups, *([f"and {len(below)} below them"] if below else [])])
        return f"Restated {len(self.restated)} models: {listed}"

    def _materialized(self, event: dg.DagsterEvent) -> None:
        key = event.asset_key
        assert key is not None
        materialization = event.step_materialization_data.materialization
        metadata = materialization.metadata
        layer = self.layers[key.path[0]]
        if RESTATED in metadata:
            self.restated[key.path[-1]] = str(metadata[RESTATED].value)
        rows = metadata.get("dagster/row_count")
        # A model holds all days, and so does what is published: in a range it is counted once.
        day = None if key.path[0] in (*DBT_LAYERS, "published") else materialization.partition
        layer.rows[key.to_user_string(), day or ""] = int(cast(Any, rows).value) if rows else 0
        if _DURATION in metadata:
            # One build makes all days of a range: each of them has the same seconds.
            layer.seconds[key.to_user_string()] = float(cast(Any, metadata[_DURATION]).value)
        else:
            self._layer_of_step[event.step_key or ""] = key.path[0]

    def _checked(self, event: dg.DagsterEvent) -> str | None:
        evaluation = event.asset_check_evaluation_data
        layer = self.layers[evaluation.asset_key.path[0]]
        if evaluation.passed:
            layer.passed += 1
            return None
        name = f"{evaluation.check_name} of {evaluation.asset_key.to_user_string()}"
        if evaluation.severity == dg.AssetCheckSeverity.WARN:
            layer.warned += 1
            text = evaluation.description or ""
            named = evaluation.check_name if evaluation.asset_key.to_user_string() in text else name
            line = f"[yellow]! {named}: {text}[/yellow]"
            # What is the same of each day of a range is printed once.
            is_new = line not in self._warnings
            self._warnings.add(line)
            return line if is_new else None
        layer.failed += 1
        return f"[red]✗ {name}[/red]"

    def _observed(self, event: dg.DagsterEvent) -> str | None:
        assert event.asset_key is not None
        return f"[red]✗ {event.asset_key.to_user_string()}[/red]" if why_not_built(event) else None

    def _finished(self, event: dg.DagsterEvent) -> str:
        seconds = event.step_success_data.duration_ms / 1000
        layer = self._layer_of_step.get(event.step_key or "")
        if layer is not None:
            self.layers[layer].seconds[event.step_key or ""] = seconds
        return f"[green]✓[/green] {event.step_key}  [dim]{seconds:.1f} s[/dim]"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _colored(color: str) -> Callable[[int], Text]:
    return lambda count: Text(f"{count}", style=color if count else "")


COLUMNS = (
    Column("days"),
    Column("run"),
    Column("layer"),
    Column("assets"),
    Column("rows"),
    Column("checks_passed"),
    Column("warned", show=_colored("yellow")),
    Column("failed", show=_colored("red")),
    Column("seconds"),
)
