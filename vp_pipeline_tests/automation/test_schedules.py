"""The daily schedule, driven by real evaluations."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from vp_pipeline.build import build_definitions
from vp_pipeline_tests.conftest import pipeline_settings


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(pipeline_settings(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize(
    ("tick", "day"),
    [
        (datetime(2026, 1, 1, 0, 10, tzinfo=UTC), "2025-12-31"),
        (datetime(2026, 3, 1, 0, 10, tzinfo=UTC), "2026-02-28"),
        (datetime(2028, 3, 1, 0, 10, tzinfo=UTC), "2028-02-29"),
        (datetime(2026, 3, 29, 0, 10, tzinfo=UTC), "2026-03-28"),  # clocks change in Europe later that night
        (datetime(2026, 11, 1, 0, 10, tzinfo=UTC), "2026-10-31"),  # and in America
    ],
)
def test_it_asks_for_the_day_just_finished(definitions: dg.Definitions, tick: datetime, day: str) -> None:
    schedule = definitions.resolve_schedule_def("daily_pipeline_schedule")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance, scheduled_execution_time=tick, repository_def=definitions.get_repository_def()
        )
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == day
    assert request.tags["dagster/partition"] == day


def test_it_ticks_at_ten_past_midnight_utc_and_is_off_at_first(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("daily_pipeline_schedule")
    assert schedule.cron_schedule == "10 0 * * *"
    assert schedule.execution_timezone == "UTC"
    assert schedule.job_name == "daily_pipeline"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
