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
# The checks that an asset depends on, in groups: one for each stream that it is derived from.
DependsOn = Callable[[dg.AssetKey], Sequence[Sequence[dg.AssetCheckKey]]]


@dataclass(frozen=True)
class Admission:
    """The assets that may be built, by day; the failures that a person has waived for it; and why the others may not be
    built. `without`: why those that may be are built without a part of what they are derived from."""

    assets: dict[date, set[dg.AssetKey]] = field(default_factory=dict)
    waived: dict[tuple[date, dg.AssetKey], list[str]] = field(default_factory=dict)
    refused: dict[tuple[date, dg.AssetKey], str] = field(default_factory=dict)
    without: dict[tuple[date, dg.AssetKey], list[str]] = field(default_factory=dict)


def admit(context: dg.AssetExecutionContext, depends_on: DependsOn, days: Iterable[date]) -> Admission:
    """The selected assets and `days`, except where a check that an asset depends on has failed in each of its groups:
    streams do not hold each other back.

    Raises:
        PermanentError: the run waives a check that does not exist; raised before any asset is built.
    """
    waivers = waivers_of_run(context)
    needs = {key: depends_on(key) for key in sorted(context.selected_asset_keys)}
    every_check = sorted({check for groups in needs.values() for group in groups for check in group}, key=str)
    waivers.require_known({*every_check, *context.job_def.asset_layer.asset_graph.asset_check_keys})
    admission = Admission()
    for day in days:
        failures = current_failures(context.instance, every_check, day.isoformat())
        for key, groups in needs.items():
            failed = [[check for check in group if check in failures] for group in groups]
            waived = {check: failures[check] for group in failed for check in group if waivers.covers(check)}
            if waived:
                admission.waived[day, key] = [*waived.values()]
            firsts = [next((failures[check] for check in group if check not in waived), None) for group in failed]
            reasons = [*dict.fromkeys(first for first in firsts if first is not None)]
            if firsts and None not in firsts:
                admission.refused[day, key] = f"not built, because {reasons[0]}"
                continue
            admission.assets.setdefault(day, set()).add(key)
            if reasons:
                admission.without[day, key] = [f"incomplete, because {reason}" for reason in reasons]
    return admission
