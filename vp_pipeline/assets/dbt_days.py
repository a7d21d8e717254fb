"""The days of a run through dbt: built together, and taken apart when a test is red.

dbt's tests look at whole tables, so one bad day would turn every later build red. When a test is, the days of the run
are withheld from staging and the tables restated, which must come out green; then they are let in again by halves until
the bad ones stand alone. Those stay withheld, and everything below is as if they had not been loaded; the others go on.

Here: that search on real builds, its place in the ledger, and what Dagster hears of each day. Not here: the search as
such (`quality/bisection.py`), the ledger (`warehouse/ledger.py`).
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from vp_pipeline.assets.days import Admitted, DayReport, refusal, waivers_of_run
from vp_pipeline.assets.monitoring import record_invocation
from vp_pipeline.assets.preview import LINEAGE, derived_from, markdown_table
from vp_pipeline.dbt.invocation import InstalledDbt, build_arguments
from vp_pipeline.dbt.results import NodeResult, clear_results, results
from vp_pipeline.failures import PermanentError, TransientError
from vp_pipeline.quality.bisection import bisect
from vp_pipeline.quality.gate import standing_failures
from vp_pipeline.quality.outcome import Outcome
from vp_pipeline.quality.reconciliation import CHECK, reconciliation
from vp_pipeline.warehouse import ledger
from vp_pipeline.warehouse.ledger import Unit
from vp_pipeline.warehouse.loading import Warehouse

Reports = Iterator[tuple[dg.AssetKey, date, DayReport]]
_ROWS_SHOWN = 5
_TESTS_SHOWN = 5


@dataclass(frozen=True)
class Attempt:
    """One invocation of dbt: what each test said, the metadata of each model that was built and the rows that it has
    now, and what failed."""

    outcomes: Sequence[tuple[dg.AssetKey, Outcome]]
    built: Mapping[dg.AssetKey, Mapping[str, Any]]
    rows: Mapping[dg.AssetKey, int]
    failed: Sequence[NodeResult]

    @property
    def green(self) -> bool:
        return not self.failed


@dataclass
class DbtDays:
    """How one run builds its days. `target`: where dbt leaves its artefacts. `units`: what the ledger keeps days of."""

    context: dg.AssetExecutionContext
    dbt: InstalledDbt
    warehouse: Warehouse
    target: Path
    units: Sequence[Unit]
    raw_checks: Sequence[dg.AssetCheckKey]
    _tried: dict[frozenset[date], Attempt] = field(default_factory=dict)
    _raw: dict[dg.AssetKey, list[dg.AssetKey]] = field(default_factory=dict)

    def build_and_bisect(self, admitted: Admitted) -> Reports:
        """All models, over the admitted days and over those that an earlier run has loaded or left in the middle.

        Raises:
            PermanentError: dbt could not run, or a model is wrong whatever the data.
            TransientError: another process holds the warehouse.
        """
        run_id = self.context.run_id
        build_id = ledger.new_build_id(run_id)
        with self.warehouse.connect() as connection:
            ledger.begin(connection, build_id, run_id)
            left = [day for day in ledger.unsettled(connection) if day not in admitted]
        refused = {day: reason for day in left if (reason := self._refusal(day))}
        days = sorted({*admitted, *left} - refused.keys())
        window = [*days, *refused]

        def attempt(shown: Sequence[date]) -> bool:
            hidden = {**{day: "being judged" for day in days if day not in shown}, **refused}
            with self.warehouse.connect() as connection:
                ledger.show(connection, self.units, shown, hidden, is_settled=False, run_id=run_id)
            self._tried[frozenset(shown)] = tried = self._invoke(window)
            self._record(shown, tried)
            if not tried.green:
                self._say(shown, tried)
            return tried.green

        bisection = bisect(days, attempt)
        if bisection.elsewhere:
            with self.warehouse.connect() as connection:
                ledger.finish(connection, build_id, "red")
            why = "It is red without the days of this run too: look at the model, or at what it took in before."
            yield from self._red(admitted, self._tried[frozenset()], why)
            return
        reasons = {day: self._reason(day) for day in bisection.bad}
        with self.warehouse.connect() as connection:
            ledger.show(connection, self.units, bisection.good, {**reasons, **refused}, is_settled=True, run_id=run_id)
            ledger.finish(connection, build_id, "green")
        why = "The day's rows are withheld from STG on; the tables are as they are without it."
        for day in bisection.bad:
            yield from self._red([day], self._alone(day), why)
        yield from self._green(bisection.good, self._tried[frozenset(bisection.good)])

    def build_part(self, admitted: Admitted) -> Reports:
        """Some of the models, as someone asks for them in the UI. That cannot judge a day: a withheld one is refused,
        and the marts are not published before a whole build. Raises as `build_and_bisect`."""
        build_id = ledger.new_build_id(self.context.run_id)
        with self.warehouse.connect() as connection:
            ledger.begin(connection, build_id, self.context.run_id)
            withheld = ledger.withheld(connection)
        for day in admitted:
            if day in withheld:
                whole = "Materialize all dbt models for the day: some of them cannot judge it."
                for key in sorted(admitted[day]):
                    yield key, day, DayReport(refused=f"{day} is withheld ({withheld[day]}). {whole}", built=False)
        days = [day for day in admitted if day not in withheld]
        tried = self._invoke(days) if days else None
        if tried:
            self._record(days, tried)
        with self.warehouse.connect() as connection:
            if tried and not tried.green:
                ledger.unsettle(connection, days)
            ledger.finish(connection, build_id, "part")
        if tried and tried.green:
            yield from self._green(days, tried)
        elif tried:
            self._say(days, tried)
            yield from self._red(days, tried, "Not all models were built, so nothing is withheld yet.")

    def _refusal(self, day: date) -> str | None:
        """Why a day that is not of this run may not be built upon."""
        failures = standing_failures(self.context.instance, list(self.raw_checks), day.isoformat())
        return next(iter(failures.values()), None)

    def _invoke(self, days: Sequence[date]) -> Attempt:
        """One invocation over the window of `days`; its artefacts go to `target`.

        A test that a person has waived is not asked: an error would make dbt leave out the models below it.
        """
        waivers = waivers_of_run(self.context)
        passed_over = [check for check in self.context.selected_asset_check_keys if waivers.covers(check)]
        tried = self._run(build_arguments(days, exclude=[check.name for check in passed_over]))
        said = [
            (check.asset_key, Outcome(check.name, False, "Waived in this run, so it was not asked.", warning=True))
            for check in passed_over
        ]
        return dataclasses.replace(tried, outcomes=[*tried.outcomes, *said])

    def _run(self, arguments: Sequence[str]) -> Attempt:
        clear_results(self.target)
        invocation = self.dbt.cli(arguments, context=self.context, target_path=self.target, raise_on_error=False)
        events = list(invocation.stream())
        found = results(self.target)
        failed = [result for result in found if result.failed]
        if not invocation.is_successful() and (not failed or any(result.is_bug for result in failed)):
            _raise(failed)
        if any(result.is_transient for result in failed):
            _raise(failed)
        by_name = {result.name: result for result in found}
        outcomes = [
            (event.asset_key, self._outcome(event, by_name.get(event.check_name)))
            for event in events
            if isinstance(event, dg.AssetCheckResult)
            and event.asset_key is not None
            and event.check_name is not None
            and not (event.check_name in by_name and by_name[event.check_name].status == "skipped")
        ]
        built = {
            self.context.asset_key_for_output(event.output_name): event.metadata
            for event in events
            if isinstance(event, dg.Output)
        }
        return Attempt(outcomes, built, self._rows(built), failed)

    def _outcome(self, event: dg.AssetCheckResult, result: NodeResult | None) -> Outcome:
        assert event.check_name is not None
        metadata = dict(event.metadata or {})
        if event.check_name == CHECK:
            metadata |= self._reconciled()
        if event.passed or result is None:
            says = "passed" if event.passed else "failed"
            description = event.description or f"The dbt test {event.check_name} {says}."
        else:
            about = f" ({event.description})" if event.description else ""
            description = f"The dbt test {event.check_name}{about} failed: {result.message}."
            metadata |= self._rows_of(result)
        warning = event.severity == dg.AssetCheckSeverity.WARN
        return Outcome(event.check_name, bool(event.passed), description, warning=warning, metadata=metadata)

    def _rows_of(self, result: NodeResult) -> dict[str, Any]:
        """The query of a failed test and the first rows that it found: afterwards the day's rows are withheld."""
        if not result.code:
            return {}
        with self.warehouse.connect(read_only=True) as connection:
            found = connection.execute(f"select * from ({result.code}) as failing limit {_ROWS_SHOWN}")
            names, rows = [column[0] for column in found.description or []], found.fetchall()
        return {
            "failing_rows": dg.MarkdownMetadataValue(markdown_table(names, rows)),
            "query": dg.MarkdownMetadataValue(f"```sql\n{result.code.strip()}\n```"),
        }

    def _reconciled(self) -> dict[str, Any]:
        with self.warehouse.connect(read_only=True) as connection:
            metadata = reconciliation(connection).metadata
        return {**metadata, "worst_figures": dg.MarkdownMetadataValue(str(metadata["worst_figures"]))}

    def _green(self, days: Sequence[date], tried: Attempt) -> Reports:
        for day in days:
            for key, metadata in tried.built.items():
                more: dict[str, Any] = {"dagster/row_count": tried.rows[key]} if key in tried.rows else {}
                if (lineage := self.context.assets_def.metadata_by_key[key].get(LINEAGE)) is not None:
                    more[LINEAGE] = lineage  # Dagster draws it from what was materialized
                if raw := self._raw_of(key):
                    more["derived_from"] = derived_from(raw, day)
                yield key, day, DayReport(metadata={**metadata, **more})
            for key, outcome in tried.outcomes:
                yield key, day, DayReport([outcome], built=False)

    def _raw_of(self, key: dg.AssetKey) -> list[dg.AssetKey]:
        """The RAW tables that a model is made from, however far up."""
        if key not in self._raw:
            upstream = dg.AssetSelection.assets(key).upstream().resolve(self.context.job_def.asset_layer.asset_graph)
            self._raw[key] = sorted(above for above in upstream if above.path[0] == "raw")
        return self._raw[key]

    def _rows(self, built: Iterable[dg.AssetKey]) -> dict[dg.AssetKey, int]:
        relations = {(key.path[0], key.path[1]): key for key in built}
        return {relations[name]: count for name, count in self.warehouse.row_counts(list(relations)).items()}

    def _record(self, shown: Sequence[date], tried: Attempt) -> None:
        """Leaves an account of the attempt in the warehouse; a later one that judges a day again takes its place."""
        if shown:
            record_invocation(self.context, self.warehouse, self.target, self.dbt.manifest, shown, tried.rows)

    def _red(self, days: Sequence[date] | Admitted, tried: Attempt, why: str) -> Reports:
        """Each day's results of a red attempt; a model that dbt could not build fails by its first check."""
        for day in days:
            for key, outcome in tried.outcomes:
                failed = not outcome.passed and not outcome.warning
                said = Outcome(
                    outcome.check,
                    outcome.passed,
                    f"{outcome.description} {why}" if failed else outcome.description,
                    outcome.warning,
                    outcome.metadata,
                )
                yield key, day, DayReport([said], built=False)
            for result in tried.failed:
                if not result.unique_id.startswith("test."):
                    model = next(key for key in self.context.selected_asset_keys if key.path[-1] == result.name)
                    reason = f"dbt could not build {result.name}: {result.message} {why}"
                    yield model, day, refusal(self.context, model, reason)

    def _alone(self, day: date) -> Attempt:
        """The red attempt with the fewest days that has this one."""
        sets = [shown for shown, tried in self._tried.items() if day in shown and not tried.green]
        return self._tried[min(sets, key=len)]

    def _reason(self, day: date) -> str:
        return "; ".join(f"{result.name}: {result.message}" for result in self._alone(day).failed[:_TESTS_SHOWN])

    def _say(self, shown: Sequence[date], tried: Attempt) -> None:
        with_days = ", ".join(map(str, shown)) or "none of the days"
        told = "; ".join(f"{result.name}: {result.message}" for result in tried.failed[:_TESTS_SHOWN])
        self.context.log.warning("dbt is red with %s: %s", with_days, told)


def _raise(failed: Sequence[NodeResult]) -> None:
    reasons = [f"{result.name}: {result.message}" for result in failed] or ["no results were written"]
    text = "dbt did not finish:\n" + "\n".join(f"  {reason}" for reason in reasons)
    if any(result.is_transient for result in failed):
        raise TransientError(text)
    raise PermanentError(text)
