"""Everything that makes the pipeline run by itself, put together.

Here: which jobs, schedules and sensors there are. Not here: any of them. All are off until someone switches them on.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from vp_pipeline.assets.keys import PUBLISHED
from vp_pipeline.automation.jobs import daily_pipeline, freshness_job, landed_pipeline, partial_jobs
from vp_pipeline.automation.notifications.delivery import slack_delivery
from vp_pipeline.automation.notifications.queue import build_alerts
from vp_pipeline.automation.notifications.sensors import check_alerts, run_alerts, tick_alerts
from vp_pipeline.automation.retention import Retention
from vp_pipeline.automation.schedules import daily_schedule, freshness_schedule, late_data
from vp_pipeline.automation.sensors.bronze import bronze_sensor
from vp_pipeline.automation.sensors.landed import landed_sensor
from vp_pipeline.automation.sensors.marts import mart_automation
from vp_pipeline.automation.sensors.undelivered import undelivered_sensor
from vp_pipeline.automation.upkeep import health_job, retention_job, upkeep_schedules
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.slack import build_slack, slack_box
from vp_pipeline.lake.objects import Lake
from vp_pipeline.settings import Settings
from vp_pipeline.sources.source import Stream


def automation_definitions(
    settings: Settings,
    lake: Lake,
    streams: Sequence[Stream],
    partitions: dg.PartitionsDefinition,
    delivered_from: Mapping[dg.AssetKey, Box],
    freshness: dg.AssetChecksDefinition,
) -> dg.Definitions:
    """Jobs, schedules and sensors. `delivered_from`: the assets that deliver, with their outboxes."""
    ui_url = str(settings.ui_url).rstrip("/")
    alerts, slack = build_alerts(settings), build_slack(settings)
    boxes = [slack_box(settings), *delivered_from.values()]
    daily, landed = daily_pipeline(partitions, freshness), landed_pipeline(partitions, freshness)
    fresh = freshness_job(freshness)
    late_jobs, late_schedules = late_data(streams, settings.late_data_days, partitions, settings.start_date, freshness)
    retention = retention_job(build_retention(settings, lake, delivered_from))
    health = health_job(alerts, ui_url, PUBLISHED, lake, boxes)
    return dg.Definitions(
        jobs=[daily, landed, fresh, *partial_jobs(partitions, freshness), *late_jobs, retention, health],
        schedules=[
            daily_schedule(daily),
            freshness_schedule(fresh),
            *late_schedules,
            *upkeep_schedules(retention, health),
        ],
        sensors=[
            landed_sensor(lake, streams, settings.start_date),
            bronze_sensor(streams),
            mart_automation(),
            undelivered_sensor(delivered_from, PUBLISHED),
            run_alerts(alerts, ui_url),
            tick_alerts(alerts, ui_url),
            check_alerts(alerts, ui_url),
            slack_delivery(slack, slack_box(settings)),
        ],
    )


def build_retention(settings: Settings, lake: Lake, delivered_from: Mapping[dg.AssetKey, Box]) -> Retention:
    """The rules of retention that the settings name."""
    return Retention(settings, lake, [slack_box(settings), *delivered_from.values()])
