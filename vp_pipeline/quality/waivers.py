"""Waiving a check for one run, by a tag of the run that stays with it.

Here: what the tag means, and what a waiver makes of an outcome. Not here: where waivers are applied: to results of this
run (`assets/days/report.py`) and of earlier ones (`assets/days/admission.py`).

    vp/overrule = volume                       the check of that name, of every asset
    vp/overrule = silver/keepa/price:volume    of that asset alone; several are separated by commas
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.failures import PermanentError
from vp_pipeline.quality.outcome import Outcome

TAG = "vp/overrule"


@dataclass(frozen=True)
class Waivers:
    """The checks that a person has waived for a run, as written."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> "Waivers":
        """The waivers in the tags of a run."""
        return cls(frozenset(name.strip() for name in tags.get(TAG, "").split(",") if name.strip()))

    def covers(self, check: dg.AssetCheckKey) -> bool:
        return check.name in self.names or f"{check.asset_key.to_user_string()}:{check.name}" in self.names

    def apply(self, key: dg.AssetKey, outcome: Outcome) -> Outcome:
        """The outcome of a check of an asset; where it would block and is waived, as a warning that is marked so."""
        if not outcome.blocks or not self.covers(dg.AssetCheckKey(key, outcome.check)):
            return outcome
        description = f"Waived in this run: {outcome.description}"
        return dataclasses.replace(outcome, warning=True, waived=True, description=description)

    def require_known(self, checks: Iterable[dg.AssetCheckKey]) -> None:
        """Raises PermanentError where a check does not exist: the name would waive nothing, silently."""
        known = {key for check in checks for key in (check.name, f"{check.asset_key.to_user_string()}:{check.name}")}
        for name in sorted(self.names - known):
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else " docs/names.txt lists them all."
            raise PermanentError(f"Unknown check {name} ({TAG}): it cannot be waived.{hint}")
