"""One attempt at the models: a dbt build over some days, and its results.

Here: running it. Not here: which days staging includes meanwhile (`whole_build.py`, `partial_build.py`), and what is
reported of each day (`day_reports.py`).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from vp_pipeline.assets.days.report import waivers_of_run
from vp_pipeline.assets.dbt.check_outcomes import check_outcome
from vp_pipeline.assets.dbt.monitoring import record_invocation
from vp_pipeline.assets.dbt.restating import Restating
from vp_pipeline.assets.metadata import PREVIEW, model_preview
from vp_pipeline.dbt.data_tests import DataTest, data_tests
from vp_pipeline.dbt.grain import grains
from vp_pipeline.dbt.invocation import InstalledDbt, build_arguments
from vp_pipeline.dbt.results import NodeResult, clear_results, require_space, results
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.publishing.publication import SCHEMAS
from vp_pipeline.quality.failing_rows import record
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.warehouse.loading import Warehouse

_FAILURES_NAMED = 5
# What a run has restated, for the list of runs.
RESTATED_TAG = "vp/restated"


@dataclass(frozen=True)
class Attempt:
    """The results of one dbt build: the outcome of each test, the metadata of each model that was built, the rows that
    it has now, the models and tests that failed, why models were built as a whole (model → reason), and the tests of
    the project where some found rows."""

    outcomes: Sequence[tuple[dg.AssetKey, Outcome]]
    built: Mapping[dg.AssetKey, Mapping[str, Any]]
    rows: Mapping[dg.AssetKey, int]
    failed: Sequence[NodeResult]
    restated: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, DataTest] = field(default_factory=dict)

    @property
    def is_green(self) -> bool:
        return not self.failed

    @property
    def failures(self) -> str:
        """The first failures, in a line."""
        return "; ".join(map(str, self.failed[:_FAILURES_NAMED]))


@dataclass(frozen=True)
class DbtStep:
    """The step of the models in a run. `target`: the folder of dbt's artefacts. `restating`: what is built as a whole
    because its code has changed."""

    context: dg.AssetExecutionContext
    dbt: InstalledDbt
    warehouse: Warehouse
    target: Path
    restating: Restating

    def attempt(self, window: Sequence[date], built: Mapping[date, Set[dg.AssetKey]]) -> Attempt:
        """One build of the selected models over the window that holds `window`; recorded in the schema `monitoring`
        under the days in `built` with their models, where a later attempt at a day replaces it.

        A test that the run waives is excluded from the build: dbt would skip the models below it when it fails.

        Raises:
            PermanentError: dbt could not run, or a model is wrong whatever the data.
            TransientError: another process holds the warehouse, or it cannot be reached.
        """
        restate = self.restating.next_attempt(self.warehouse)
        for name in restate.keys() & self.restating.reported.keys():
            self.context.log.info("%s is restated: %s", name, self.restating.reasons[name])
        if self.restating.reported:
            self.context.instance.add_run_tags(self.context.run_id, {RESTATED_TAG: self.restating.summary})
        waivers = waivers_of_run(self.context)
        waived = [check for check in self.context.selected_asset_check_keys if waivers.covers(check)]
        made = self._build(
            build_arguments(window, exclude=[check.name for check in waived]), restate, sorted(built) or window
        )
        excluded = [(c.asset_key, Outcome(c.name, False, "the test was not run.")) for c in waived]
        outcomes = [*made.outcomes, *((key, waivers.apply(key, outcome)) for key, outcome in excluded)]
        attempt = replace(made, outcomes=outcomes, restated=self.restating.reported)
        if built:
            record_invocation(
                self.context,
                self.warehouse,
                self.target,
                self.dbt,
                built,
                attempt.rows,
                restate.keys(),
            )
        if not attempt.is_green:
            days = ", ".join(map(str, sorted(built))) or "none of the days"
            self.context.log.warning("dbt is red with %s: %s", days, attempt.failures)
        return attempt

    def _build(self, arguments: Sequence[str], restate: Mapping[str, str], days: Sequence[date]) -> Attempt:
        clear_results(self.target)
        invocation = self.dbt.cli(arguments, context=self.context, target_path=self.target, restate=restate)
        events = list(invocation.stream())
        require_space(invocation.errors)
        found = {result.name: result for result in results(self.target)}
        failed = [result for result in found.values() if result.failed]
        require_space(result.message for result in failed)
        _require_finished(invocation.is_successful(), failed, invocation.errors)
        checks = [event for event in events if isinstance(event, dg.AssetCheckResult)]
        not_passed = [result for result in found.values() if result.is_test and (result.failed or result.found_rows)]
        tests = data_tests(self.dbt.manifest) if not_passed else {}
        self._record_rows([result for result in not_passed if result.found_rows], tests, days)
        outcomes = []
        for event in [*checks, *self._other_tests(found.keys() - {event.check_name for event in checks}, found)]:
            assert event.asset_key is not None
            result = found.get(event.check_name or "")
            if result is None or result.status != "skipped":
                outcomes.append((event.asset_key, check_outcome(event, result, self.warehouse, tests)))
        outputs = [event for event in events if isinstance(event, dg.Output)]
        built = {self.context.asset_key_for_output(output.output_name): {**output.metadata} for output in outputs}
        if not failed:
            self._add_previews(built)
        return Attempt(outcomes, built, self._rows(built), failed, tests=tests)

    def _add_previews(self, built: Mapping[dg.AssetKey, dict[str, Any]]) -> None:
        """The first rows of what consumers will read."""
        columns = grains(self.dbt.manifest)
        with self.warehouse.connect(read_only=True) as connection:
            for key, metadata in built.items():
                if key.path[0] in SCHEMAS:
                    metadata[PREVIEW] = model_preview(connection, key, columns.get(key.path[-1], ()))

    def _other_tests(self, names: Set[str], found: Mapping[str, NodeResult]) -> list[dg.AssetCheckResult]:
        """The results of tests that dbt has run although the run does not select them: tests of other models that read
        a selected one. dagster-dbt makes observations of them, in which nobody sees a failure."""
        every_check = self.context.assets_def.node_check_specs_by_output_name.values()
        return [
            dg.AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=found[spec.name].status == "pass",
                severity=dg.AssetCheckSeverity.WARN
                if found[spec.name].status == "warn"
                else dg.AssetCheckSeverity.ERROR,
            )
            for spec in every_check
            if spec.name in names
        ]

    def _record_rows(self, results: Iterable[NodeResult], tests: Mapping[str, DataTest], days: Sequence[date]) -> None:
        """Records the rows that tests have found; what cannot be recorded is logged: the data are not affected."""
        for result in results:
            try:
                record(self.warehouse, tests[result.name], result.code or "", self.context.run_id, days)
            except Exception as error:
                self.context.log.warning(
                    "The rows that %s found are not in monitoring.failing_rows. %s: %s",
                    result.name,
                    type(error).__name__,
                    error,
                )

    def _rows(self, built: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, int]:
        relations = {(key.path[0], key.path[1]): key for key in built}
        return {relations[name]: count for name, count in self.warehouse.row_counts(list(relations)).items()}


def _require_finished(successful: bool, failed: Sequence[NodeResult], errors: Sequence[str]) -> None:
    """Raises unless the failures are of the data, so that excluding days can help."""
    is_transient = any(result.is_transient for result in failed)
    is_broken = not successful and (not failed or any(result.is_bug for result in failed))
    if not is_transient and not is_broken:
        return
    reasons = [str(result) for result in failed] or [*errors] or ["no results were written"]
    message = "dbt did not finish:\n" + "\n".join(f"  {reason}" for reason in reasons)
    raise TransientError(message) if is_transient else PermanentError(message)
