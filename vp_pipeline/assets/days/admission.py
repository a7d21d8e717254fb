"""Which assets may be built on which days of a run.

Here: the gate between runs (`quality/gate.py`) and the run's waivers, applied to the assets of a step. Not here: what
becomes of a day that is refused (`flow.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from vp_pipeline.assets.days.report import waivers_of_run
from vp_pipeline.quality.gate import current_failures

Admitted = Mapping[date, Set[dg.AssetKey]]
DependsOn = Callable[[dg.AssetKey], Sequence[dg.AssetCheckKey]]


@dataclass(frozen=True)
class Admission:
    """The assets that may be built, by day; the failures that a person has waived for it; and why the others may not be
    built."""

    assets: dict[date, set[dg.AssetKey]] = field(default_factory=dict)
    waived: dict[tuple[date, dg.AssetKey], list[str]] = field(default_factory=dict)
    refused: dict[tuple[date, dg.AssetKey], str] = field(default_factory=dict)


def admit(context: dg.AssetExecutionContext, depends_on: DependsOn, days: Iterable[date]) -> Admission:
    """The selected assets and `days`, except where a check that an asset depends on has failed.

    Raises:
        PermanentError: the run waives a check that does not exist; raised before any asset is built.
    """
    waivers = waivers_of_run(context)
    needs = {key: depends_on(key) for key in sorted(context.selected_asset_keys)}
    every_check = sorted({check for checks in needs.values() for check in checks}, key=str)
    waivers.require_known({*every_check, *context.job_def.asset_layer.asset_graph.asset_check_keys})
    admission = Admission()
    for day in days:
        failures = current_failures(context.instance, every_check, day.isoformat())
        for key, checks in needs.items():
            failed = [check for check in checks if check in failures]
            waived = [failures[check] for check in failed if waivers.covers(check)]
            if waived:
                admission.waived[day, key] = waived
            reason = next((failures[check] for check in failed if not waivers.covers(check)), None)
            if reason is None:
                admission.assets.setdefault(day, set()).add(key)
            else:
                admission.refused[day, key] = f"not built, because {reason}"
    return admission
