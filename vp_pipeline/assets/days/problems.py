"""The problems of a run: which days failed, for which reasons, and the message that turns the run red."""

import logging
from datetime import date

import dagster as dg

_ASSETS_NAMED = 3


class Problems:
    """The reasons by day, each with the assets that it is of; logged as they are added. What one check finds in several
    assets of a layer is one problem, with the reason of the first."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._days: dict[date, dict[str, tuple[str, list[str]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._days)

    def add(self, day: date, key: dg.AssetKey, reason: str, check: str | None = None) -> None:
        """`check`: which of the asset's own checks has failed, where it was one."""
        self._log.error("%s  %s: %s", day, key.to_user_string(), reason)
        problem = f"{key.path[0]}: {check}" if check else reason
        self._days.setdefault(day, {}).setdefault(problem, (reason, []))[1].append(key.to_user_string())

    def message(self, days: int) -> str:
        """For each day, in order, each problem once with the assets that it is of. `days`: how many the run has."""
        count = f"{len(self._days)} of {days} days" if days > 1 else "The day"
        lines = [f"{count} did not go through:"]
        for day in sorted(self._days):
            for reason, assets in self._days[day].values():
                if len(assets) == 1:  # the reason may begin with what the line begins with
                    reason = reason.removeprefix(f"{assets[0]} for {day}: ")
                more = f" and {len(assets) - _ASSETS_NAMED} more" if len(assets) > _ASSETS_NAMED else ""
                lines.append(f"  {day}  {', '.join(assets[:_ASSETS_NAMED])}{more}: {reason}")
        return "\n".join(lines)
