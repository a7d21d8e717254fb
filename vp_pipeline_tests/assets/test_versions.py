"""The versions that are kept with a materialization: Dagster reports a partition whose code has changed since, and no
other. On a graph of three small layers, by the resolver that its UI asks."""

from collections.abc import Iterator, Mapping, Set
from datetime import date

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.data_version import CachingStaleStatusResolver

from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.partitions import partition_tags
from vp_pipeline.quality.outcome import Outcome

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01")
ONE, TWO = date(2026, 2, 1), date(2026, 2, 2)
LANDED, DECODED, MODEL = (dg.AssetKey(name) for name in ("landed", "decoded", "model"))


def graph(content: str = "content", code: str | None = "code") -> dg.Definitions:
    """`decoded` and, in the same step, `model` have the code version `code`."""

    def layer(name: str, specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
        @dg.multi_asset(
            name=name,
            specs=specs,
            check_specs=[dg.AssetCheckSpec("sound", asset=spec.key, partitions_def=PARTITIONS) for spec in specs],
            backfill_policy=dg.BackfillPolicy.single_run(),
        )
        def step(context: dg.AssetExecutionContext) -> Iterator[object]:
            def build(_day: date, _keys: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
                sound = [Outcome("sound", True, "fine")]
                return {spec.key: checked(context, spec.key, sound, data_version=content) for spec in specs}

            yield from run_days(context, day_by_day(context, build), depends_on=lambda _: [])

        return step

    made = [
        dg.AssetSpec(key, deps=[above], partitions_def=PARTITIONS, code_version=code)
        for key, above in ((DECODED, LANDED), (MODEL, DECODED))
    ]
    assets = [layer("landing", [dg.AssetSpec(LANDED, partitions_def=PARTITIONS)]), layer("making", made)]
    return dg.Definitions(assets, jobs=[dg.define_asset_job("all", dg.AssetSelection.all())])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance: dg.DagsterInstance, definitions: dg.Definitions, *days: date, only: list[dg.AssetKey]) -> None:
    job = definitions.resolve_job_def("all")
    assert job.execute_in_process(instance=instance, tags=partition_tags(days), asset_selection=only).success


def stale(instance: dg.DagsterInstance, definitions: dg.Definitions, day: date) -> dict[str, list[str]]:
    view = AssetGraphView.for_test(definitions, instance)
    resolver = CachingStaleStatusResolver(instance, view.asset_graph, loading_context=view)
    causes = {key: resolver.get_stale_causes(key, day.isoformat()) for key in (LANDED, DECODED, MODEL)}
    return {key.to_user_string(): [cause.reason for cause in found] for key, found in causes.items() if found}


def test_only_what_other_code_made_is_reported(instance: dg.DagsterInstance) -> None:
    run(instance, graph(), ONE, TWO, only=[LANDED, DECODED, MODEL])
    assert stale(instance, graph(), ONE) == {}
    changed = graph(code="other code")
    assert stale(instance, changed, ONE) == {
        "decoded": ["has a new code version"],
        "model": ["has a new code version"],
    }
    run(instance, changed, ONE, only=[DECODED, MODEL])
    assert stale(instance, changed, ONE) == {}
    assert set(stale(instance, changed, TWO)) == {"decoded", "model"}


def test_an_input_counts_by_its_content(instance: dg.DagsterInstance) -> None:
    run(instance, graph(), ONE, only=[LANDED, DECODED, MODEL])
    run(instance, graph(), ONE, only=[LANDED])
    assert stale(instance, graph(), ONE) == {}
    run(instance, graph("other content"), ONE, only=[LANDED])
    assert stale(instance, graph(), ONE) == {"decoded": ["has a new dependency materialization"]}


def test_an_asset_without_a_code_version_has_no_inputs_recorded(instance: dg.DagsterInstance) -> None:
    run(instance, graph(code=None), ONE, only=[LANDED, DECODED, MODEL])
    (newest,) = instance.fetch_materializations(DECODED, limit=1).records
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.tags == {
        "dagster/data_version": "content",
        "dagster/data_version_is_user_provided": "true",
    }
