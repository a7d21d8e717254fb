"""The outboxes of the pipeline: which asset or sensor delivers from which one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.assets.keys import EXPORT, POWER_BI
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.settings import Settings


@dataclass(frozen=True)
class Outboxes:
    """`slack`: of the messages. `lineage`: of the runs that an OpenLineage receiver is to get. `deliveries`: of
    the assets that deliver."""

    slack: Box
    lineage: Box
    deliveries: Mapping[dg.AssetKey, Box]

    @property
    def all(self) -> Sequence[Box]:
        return (self.slack, self.lineage, *self.deliveries.values())


def build_outboxes(settings: Settings) -> Outboxes:
    """The outboxes of an environment."""
    build = build_environment(settings).build_box
    return Outboxes(build("slack"), build("openlineage"), {POWER_BI: build("power_bi"), EXPORT: build("export")})
