"""Strings and lists that are written out instead of imported are Dagster's own."""

import pytest
from dagster._core.definitions import data_version
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.storage import dagster_run
from dagster._core.storage import tags as dagster_tags

from vp_pipeline.dagster_internals import run_statuses, tags


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (tags.PARTITION, dagster_tags.PARTITION_NAME_TAG),
        (tags.PARTITION_RANGE_START, dagster_tags.ASSET_PARTITION_RANGE_START_TAG),
        (tags.PARTITION_RANGE_END, dagster_tags.ASSET_PARTITION_RANGE_END_TAG),
        (tags.BACKFILL, dagster_tags.BACKFILL_ID_TAG),
        (tags.SCHEDULE, dagster_tags.SCHEDULE_NAME_TAG),
        (tags.SENSOR, dagster_tags.SENSOR_NAME_TAG),
        (tags.AUTOMATION_CONDITION, dagster_tags.AUTOMATION_CONDITION_TAG),
        (tags.RETRY_NUMBER, dagster_tags.RETRY_NUMBER_TAG),
        (tags.WILL_RETRY, dagster_tags.WILL_RETRY_TAG),
        (tags.DATA_VERSION, data_version.DATA_VERSION_TAG),
        (tags.DATA_VERSION_IS_GIVEN, data_version.DATA_VERSION_IS_USER_PROVIDED_TAG),
        (tags.CODE_VERSION, data_version.CODE_VERSION_TAG),
        (tags.INPUT_DATA_VERSION, data_version.INPUT_DATA_VERSION_TAG_PREFIX),
        (tags.INPUT_EVENT, data_version.INPUT_EVENT_POINTER_TAG_PREFIX),
    ],
)
def test_a_tag_is_the_one_that_dagster_uses(ours: str, theirs: str) -> None:
    assert ours == theirs


def test_the_statuses_are_the_ones_that_dagster_lists() -> None:
    assert set(run_statuses.FINISHED) == set(dagster_run.FINISHED_STATUSES)
    assert set(run_statuses.IN_PROGRESS) == set(dagster_run.IN_PROGRESS_RUN_STATUSES)
    assert {status.value for status in BULK_ACTION_TERMINAL_STATUSES} == run_statuses.FINISHED_BACKFILLS
