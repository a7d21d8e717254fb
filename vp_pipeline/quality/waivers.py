"""Waiving a check for one run, by a tag of the run that stays with it.

Here: what the tag means, and what a waiver makes of an outcome. Not here: where waivers are applied: to results of this
run (`assets/days/report.py`) and of earlier ones (`assets/days/admission.py`).

    vp/waiver = volume                       the check of that name, of every asset
    vp/waiver = silver/SOURCE/price:volume   of that asset alone; several are separated by commas

A run that is started again has the tags that it was first started with, so the tag of v0.1.0 is read as well.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.failures import PermanentError
from vp_pipeline.quality.outcome import Outcome

TAG = "vp/waiver"
_TAGS = (TAG, "vp/overrule")


@dataclass(frozen=True)
class Waivers:
    """The checks that a person has waived for a run, as written."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> "Waivers":
        """The waivers in the tags of a run."""
        names = (name.strip() for tag in _TAGS for name in tags.get(tag, "").split(","))
        return cls(frozenset(filter(None, names)))

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
