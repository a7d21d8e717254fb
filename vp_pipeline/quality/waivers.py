"""Waiving a check for one run, by a tag of the run that stays with it.

Here: what the tag says. Not here: where it is asked (`assets/days.py`: for results of earlier runs and of this one).

    vp/overrule = volume                       the check of that name, of every asset
    vp/overrule = silver/keepa/price:volume    of that asset alone; several are separated by commas
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.failures import PermanentError

TAG = "vp/overrule"


@dataclass(frozen=True)
class Waivers:
    """The checks that a person has waived for a run, as written."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> "Waivers":
        """What the tags of a run say."""
        return cls(frozenset(name.strip() for name in tags.get(TAG, "").split(",") if name.strip()))

    def covers(self, check: dg.AssetCheckKey) -> bool:
        return check.name in self.names or f"{check.asset_key.to_user_string()}:{check.name}" in self.names

    def require_known(self, checks: Iterable[dg.AssetCheckKey]) -> None:
        """Raises PermanentError when a name is of no check: it would waive nothing, silently."""
        known = {key for check in checks for key in (check.name, f"{check.asset_key.to_user_string()}:{check.name}")}
        for name in sorted(self.names - known):
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else " docs/names.txt lists them all."
            raise PermanentError(f"{name} is no check that could be waived ({TAG}).{hint}")
