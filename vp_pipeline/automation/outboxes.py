"""The outboxes of the pipeline: which asset or sensor delivers from which one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from vp_pipeline.assets.keys import EXPORT, POWER_BI
from vp_pipeline.delivery.export_endpoint import export_box
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.power_bi_refresh import power_bi_box
from vp_pipeline.delivery.slack import slack_box
from vp_pipeline.settings import Settings


@dataclass(frozen=True)
class Outboxes:
    """`slack`: of the messages. `deliveries`: of the assets that deliver."""

    slack: Box
    deliveries: Mapping[dg.AssetKey, Box]

    @property
    def all(self) -> Sequence[Box]:
        return (self.slack, *self.deliveries.values())


def build_outboxes(settings: Settings) -> Outboxes:
    """The outboxes under VP_DATA_DIR."""
    return Outboxes(slack_box(settings), {POWER_BI: power_bi_box(settings), EXPORT: export_box(settings)})
