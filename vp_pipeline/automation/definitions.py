"""Everything that makes the pipeline run without a person, put together.

Here: which jobs, schedules and sensors there are. Not here: any of them. All are off until someone switches
them on, except `killed_runs`, which starts nothing.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from vp_pipeline.assets.keys import PUBLISHED
from vp_pipeline.automation.health import health_job
from vp_pipeline.automation.jobs import daily_pipeline, freshness_job, landed_pipeline, partial_jobs, source_pipelines
from vp_pipeline.automation.notifications.delivery import slack_delivery
from vp_pipeline.automation.notifications.queue import build_alerts
from vp_pipeline.automation.notifications.sensors import check_alerts, run_alerts, tick_alerts
from vp_pipeline.automation.open_lineage.receiver import build_receiver
from vp_pipeline.automation.outboxes import build_outboxes
from vp_pipeline.automation.retention import build_retention, retention_job
from vp_pipeline.automation.schedules import (
    daily_schedule,
    freshness_schedule,
    health_schedule,
    late_data,
    retention_schedule,
)
from vp_pipeline.automation.sensors.bronze import bronze_sensor
from vp_pipeline.automation.sensors.killed import killed_sensor
from vp_pipeline.automation.sensors.landed import landed_sensor
from vp_pipeline.automation.sensors.marts import mart_automation
from vp_pipeline.automation.sensors.undelivered import undelivered_sensor
from vp_pipeline.automation.topics import consume_job, topic_sensor
from vp_pipeline.delivery.outbox import Box
from vp_pipeline.delivery.slack import build_slack
from vp_pipeline.environments.environment import build_environment
from vp_pipeline.partitions import daily_partitions
from vp_pipeline.settings import Settings
from vp_pipeline.sources.topic import topic_sources
from vp_pipeline.topics.intake import TopicIntake


def automation_definitions(settings: Settings, first_day: date, freshness: dg.AssetChecksDefinition) -> dg.Definitions:
    """Jobs, schedules and sensors. `first_day`: the first partition of the assets; `freshness`: checks that the jobs
    which build something leave out."""
    streams = settings.streams
    environment = build_environment(settings)
    partitions = daily_partitions(first_day)
    lake = environment.build_lake()
    topics, intake = topic_sources(settings.enabled_sources), TopicIntake(settings, lake)
    outboxes = build_outboxes(settings)
    alerts, ui_url = build_alerts(settings), str(settings.ui_url).rstrip("/")
    daily = daily_pipeline(partitions, freshness)
    fresh = freshness_job(freshness)
    late_jobs, late_schedules = late_data(streams, settings.late_data_days, partitions, first_day, freshness)
    retention = retention_job(build_retention(settings))
    health = health_job(alerts, ui_url, PUBLISHED, lake, outboxes.all)
    return dg.Definitions(
        jobs=[
            daily,
            landed_pipeline(partitions, freshness),
            *source_pipelines([source.name for source in settings.enabled_sources], partitions, freshness),
            fresh,
            *partial_jobs(streams, partitions, freshness),
            *late_jobs,
            *(consume_job(source, intake) for source in topics),
            retention,
            health,
        ],
        schedules=[
            daily_schedule(daily),
            freshness_schedule(fresh),
            *late_schedules,
            retention_schedule(retention),
            health_schedule(health),
        ],
        sensors=[
            *(topic_sensor(source, intake) for source in topics),
            landed_sensor(lake, streams, first_day, freshness),
            bronze_sensor(streams, freshness),
            mart_automation(),
            killed_sensor(environment.build_lease()),
            undelivered_sensor(outboxes.deliveries, PUBLISHED),
            run_alerts(alerts, ui_url),
            tick_alerts(alerts, ui_url),
            check_alerts(alerts, ui_url),
            slack_delivery(build_slack(settings), outboxes.slack),
            *_lineage(settings, outboxes.lineage),
        ],
    )


def _lineage(settings: Settings, box: Box) -> Iterator[dg.SensorDefinition]:
    """The sensor that posts runs to an OpenLineage receiver, where there is one."""
    if (receiver := build_receiver(settings)) is not None:
        from vp_pipeline.automation.open_lineage.run_events import places_of  # deferred import: 0.2 s
        from vp_pipeline.automation.open_lineage.sensor import lineage_sensor

        yield lineage_sensor(receiver, box, places_of(settings))
