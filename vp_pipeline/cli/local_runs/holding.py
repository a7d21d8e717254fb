"""The lease of a command: what a command writes is written by no run meanwhile.

Here: the wait as it is printed. Not here: the lease (`warehouse/lease/`), and the runs that take it by themselves
(`assets/exclusive.py`).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date

from vp_pipeline.cli.terminal import console
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.partitions import span
from vp_pipeline.settings import Settings
from vp_pipeline.warehouse.lease.holder import Holder


def holding(settings: Settings, command: str, days: Sequence[date] = ()) -> AbstractContextManager[None]:
    """Holds the lease for the block; prints for whom it waits. Ctrl-C and SIGTERM end the wait at once."""
    text = span(days) if days else ""
    return build_environment(settings).build_lease().hold(Holder(command, text), _print)


def _print(text: str) -> None:
    console.print(text, style="yellow", soft_wrap=True, markup=False)
