"""The events that the project makes by hand have every field that Dagster gives its own.

Each case is run twice on a real instance: by assets of ours, and by assets as Dagster's documentation writes them. Of
each type of event the fields are compared, filled or not; the values are not. A field that Dagster fills and we do not
is one by which its UI or its conditions decide something: the history of a check once showed no pass for that reason.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from vp_pipeline.assets import retries
from vp_pipeline.assets.days.flow import day_by_day, run_days
from vp_pipeline.assets.days.report import DayReport, checked
from vp_pipeline.assets.published import rolled_back
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.partitions import partition_tags
from vp_pipeline.publishing.publication import Publication
from vp_pipeline.quality.outcome import Outcome

PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01")
UPPER, LOWER = dg.AssetKey("upper"), dg.AssetKey("lower")
DAY, NEXT = date(2026, 2, 1), date(2026, 2, 2)
Work = Callable[[], bool]

# What differs on purpose: an output records nothing by itself (`dagster_internals/outputs.py`), and a foreseen failure
# has no stack (`dagster_internals/errors.py`).
ON_PURPOSE = re.compile(r"(STEP|HANDLED)_OUTPUT metadata.*|(STEP|PIPELINE)_\w+ .*error\.(stack|cause|context).*")


def passes() -> bool:
    return True


def warns() -> bool:
    return False


def fails() -> bool:
    raise PermanentError("of the day")


def is_busy() -> bool:
    raise TransientError("of the moment")


def specs(key: dg.AssetKey, above: Sequence[dg.AssetKey]) -> dict[str, Any]:
    return {
        "name": key.path[0],
        "specs": [dg.AssetSpec(key, deps=above, partitions_def=PARTITIONS, code_version="c1")],
        "check_specs": [dg.AssetCheckSpec("sound", asset=key, partitions_def=PARTITIONS)],
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }


def ours(key: dg.AssetKey, above: Sequence[dg.AssetKey], work: Work) -> dg.AssetsDefinition:
    @dg.multi_asset(**specs(key, above))
    def step(context: dg.AssetExecutionContext) -> Iterator[object]:
        def build(day: date, _: Set[dg.AssetKey]) -> Mapping[dg.AssetKey, DayReport]:
            found = Outcome("sound", work(), "as it is", warning=True, metadata={"seen": 1})
            return {key: checked(context, key, [found], {"dagster/row_count": 1}, data_version="v1")}

        yield from run_days(context, day_by_day(context, build), depends_on=lambda _: [])

    return step


def stock(key: dg.AssetKey, above: Sequence[dg.AssetKey], work: Work) -> dg.AssetsDefinition:
    @dg.multi_asset(**specs(key, above))
    def step(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        try:
            passed = work()
        except TransientError as error:
            raise dg.RetryRequested(1, 0.1) from error
        except PermanentError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        severity = dg.AssetCheckSeverity.WARN
        found = dg.AssetCheckResult(passed=passed, severity=severity, description="as it is", metadata={"seen": 1})
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": 1}, data_version=dg.DataVersion("v1"), check_results=[found]
        )

    return step


def events(
    make: Callable[..., dg.AssetsDefinition], work: Work, folder: Path, *days: date
) -> dict[str, list[dg.DagsterEvent]]:
    """The events of a run of both layers, by type, as they are stored."""
    folder.mkdir()
    job = dg.define_asset_job("all", partitions_def=PARTITIONS)
    definitions = dg.Definitions(
        [make(UPPER, [], work), make(LOWER, [UPPER], work)], jobs=[job], executor=dg.in_process_executor
    )
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        run = definitions.resolve_job_def("all").execute_in_process(
            instance=instance, tags=partition_tags(days), raise_on_error=False
        )
        found: dict[str, list[dg.DagsterEvent]] = {}
        for entry in instance.all_logs(run.run_id):
            if entry.is_dagster_event:
                found.setdefault(entry.get_dagster_event().event_type_value, []).append(entry.get_dagster_event())
    return found


def filled(value: object, name: str = "") -> Iterator[str]:
    """The names of the fields that are filled, with those within them; of tags and metadata, their keys."""
    if value is None or value == "" or value == [] or value == {}:
        return
    fields = getattr(value, "_fields", None) or getattr(type(value), "__annotations__", None)
    if isinstance(value, Mapping):
        yield from (f"{name}.{key}" for key in value)
    elif fields and type(value).__module__.startswith("dagster"):
        for field in fields:
            yield from filled(getattr(value, field), f"{name}.{field}".strip("."))
    else:
        yield name


def of(event: dg.DagsterEvent) -> set[str]:
    own = {name for name in ("step_key", "asset_key", "partition", "message") if getattr(event, name)}
    return own | set(filled(event.event_specific_data))


@pytest.mark.parametrize("work", [passes, warns, fails, is_busy], ids=lambda work: work.__name__)
def test_each_event_of_a_day_has_the_fields_of_dagsters_own(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "MAX_RETRIES", 1)
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0.1)
    made, expected = events(ours, work, tmp_path / "ours", DAY), events(stock, work, tmp_path / "stock", DAY)
    # A day that fails before any check: stock Dagster evaluates none, and we let the first one carry the reason.
    assert made.keys() - {"ASSET_CHECK_EVALUATION"} == expected.keys() - {"ASSET_CHECK_EVALUATION"}
    lacking = [
        f"{kind} {name}"
        for kind, theirs in expected.items()
        for event, like in zip(made[kind], theirs, strict=True)
        for name in sorted(of(like) - of(event))
    ]
    assert [each for each in lacking if not ON_PURPOSE.fullmatch(each)] == []


def test_in_a_range_each_day_has_the_events_of_a_day(tmp_path: Path) -> None:
    made = events(ours, passes, tmp_path / "ours", DAY, NEXT)
    expected = events(stock, passes, tmp_path / "stock", DAY)
    for kind in ("ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION"):
        assert len(made[kind]) == 2 * len(expected[kind])
        for event in made[kind]:
            like = next(each for each in expected[kind] if each.step_key == event.step_key)
            assert of(like) - of(event) == set(), kind


def test_a_rollback_is_an_observation_as_dagster_records_one(tmp_path: Path) -> None:
    now = Publication("b1", "r1", None, {}, (DAY,), None, "c")  # type: ignore[arg-type]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for observation in (rolled_back(now, "b2"), dg.AssetObservation("any", description="d", metadata={"build": 1})):
            instance.report_runless_asset_event(observation)
        (newest,), (like,) = (
            instance.fetch_observations(key, limit=1).records
            for key in (rolled_back(now, "b2").asset_key, dg.AssetKey("any"))
        )
    ours_, theirs = (of(record.event_log_entry.get_dagster_event()) for record in (newest, like))
    assert theirs - ours_ == set()
