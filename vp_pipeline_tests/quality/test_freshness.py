"""Freshness is about the day that has just finished, and about nothing else."""

from datetime import date, timedelta

import dagster as dg

from vp_pipeline.build import build_definitions
from vp_pipeline.partitions import newest_finished_day
from vp_pipeline.quality.freshness import CHECK, yesterday_is_there
from vp_pipeline_tests.conftest import pipeline_settings

KEY = dg.AssetKey(["published", "marts"])


def materialize(instance: dg.DagsterInstance, day: date) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=day.isoformat()))


def test_a_backfill_of_an_old_day_does_not_make_it_fresh() -> None:
    newest = newest_finished_day()
    with dg.DagsterInstance.ephemeral() as instance:
        assert not yesterday_is_there(instance, KEY).passed
        materialize(instance, newest - timedelta(days=1))
        materialize(instance, newest - timedelta(days=30))
        late = yesterday_is_there(instance, KEY)
        assert not late.passed
        assert late.description == f"published/marts has no {newest} yet: look at its run, or `vp run --date {newest}`."
        materialize(instance, newest)
        materialize(instance, newest - timedelta(days=7))
        assert yesterday_is_there(instance, KEY).passed


def test_it_is_asked_by_its_own_job_on_a_schedule_and_never_by_a_run_of_a_day(tmp_path) -> None:
    definitions = build_definitions(pipeline_settings(tmp_path))
    checks = definitions.resolve_job_def("freshness_checks").asset_layer.asset_graph.asset_check_keys
    layers = {key.asset_key.path[0] for key in checks}
    assert {key.name for key in checks} == {CHECK}
    assert layers == {"bronze", "silver", "raw", "published"}
    daily = definitions.resolve_job_def("daily_pipeline").asset_layer.asset_graph.asset_check_keys
    assert not [key for key in daily if key.name == CHECK]
    schedule = definitions.resolve_schedule_def("freshness_schedule")
    assert (schedule.job_name, schedule.cron_schedule) == ("freshness_checks", "10 2 * * *")
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("freshness_checks").execute_in_process(instance=instance)
        assert [evaluation.passed for evaluation in result.get_asset_check_evaluations()] == [False] * 4


def test_what_people_wait_for_has_dagsters_own_policy_too(tmp_path) -> None:
    specs = build_definitions(pipeline_settings(tmp_path)).resolve_all_asset_specs()
    with_policy = {spec.key.to_user_string() for spec in specs if spec.freshness_policy}
    assert with_policy == {"bronze/keepa/product", "published/marts"}
